"""What `serve` answers to Yellowstone clients, compared with rules of our own in Python."""

from __future__ import annotations

import json
import pathlib
import shutil
import tempfile
import unittest
from typing import Any, ClassVar

import grpc

import geyser_rules
import yellowstone as ys
from deck import Case, Running, first_addresses, run, shared, verbs
from geyser_peer import Answer, GeyserClient, GeyserServer, Script, read_messages
from google.protobuf import json_format
from market import CONFIRMED, FINALIZED, PROCESSED, Market, blockhash, everything

REQUEST = ys.SubscribeRequest


class Served(Case):
    """One recording that is served at `max` to all tests of a class."""

    place: ClassVar[pathlib.Path]
    serving: ClassVar[Running]
    address: ClassVar[str]
    messages: ClassVar[list[bytes]]

    @classmethod
    def source(cls) -> tuple[Any, list[bytes]]:
        """The recorded request and its messages."""
        raise unittest.SkipTest("only a base")

    @classmethod
    def setUpClass(cls) -> None:
        request, cls.messages = cls.source()
        if "serve" not in verbs():
            raise unittest.SkipTest("this build has no verb 'serve'")
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="tapedeck-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        file = cls.place / "request.json"
        file.write_text(json_format.MessageToJson(request))
        rec = cls.place / "rec"
        with GeyserServer(lambda _: Script(cls.messages)) as peer:
            words = ("--geyser", peer.url, "--subscribe", file, "--until-end")
            result = run("record", "-o", rec, *words)
        if result.code != 0:
            raise AssertionError(str(result))
        cls.serving = Running("serve", rec, "--geyser", "127.0.0.1:0", "--rate", "max")
        cls.addClassCleanup(cls.serving.__exit__)
        (cls.address,) = first_addresses(cls.serving, 1)

    def subscribe(self, *requests: Any, **more: Any) -> Answer:
        with GeyserClient(self.address) as client:
            return client.subscribe(*(r.SerializeToString() for r in requests), **more)

    def sent(self, answer: Answer) -> list[geyser_rules.Sent]:
        """What of an answer is data."""
        self.assertIs(answer.code, grpc.StatusCode.OK, answer.details)
        return [geyser_rules.shown(m) for m in answer.messages if not geyser_rules.is_own(m)]

    def assertSent(
        self, got: list[geyser_rules.Sent], wanted: list[geyser_rules.Sent], about: str
    ) -> None:
        for place, (one, other) in enumerate(zip(got, wanted)):
            if one == other:
                continue
            # Bytes may differ where a message had to be made anew: then its fields decide.
            same = one[0] == other[0] and ys.SubscribeUpdate.FromString(
                one[1]
            ) == ys.SubscribeUpdate.FromString(other[1])
            if not same:
                self.fail(
                    f"{about}: number {place}: {one[0]} "
                    f"{str(ys.SubscribeUpdate.FromString(one[1]))[:600]}\nexpected {other[0]} "
                    f"{str(ys.SubscribeUpdate.FromString(other[1]))[:600]}"
                )
        self.assertEqual(len(got), len(wanted), f"{about}: another number of updates")

    def assertFollowsRules(self, request: Any, about: str, at_least: int = 1) -> None:
        wanted = geyser_rules.expected(request, self.messages)
        self.assertGreaterEqual(len(wanted), at_least, f"{about}: the test selects nothing")
        answer = self.subscribe(request)
        self.assertSent(self.sent(answer), wanted, about)
        changes = (
            request.accounts_data_slice or request.blocks or request.transactions_status
        )  # What must be made anew.
        if not changes:
            kept = [geyser_rules.shown(m) for m in answer.messages if not geyser_rules.is_own(m)]
            self.assertEqual(kept, wanted, f"{about}: a byte besides the names was changed")


class Filters(Served):
    market: ClassVar[Market]

    @classmethod
    def source(cls) -> tuple[Any, list[bytes]]:
        cls.market = Market()
        return everything(), cls.market.messages

    def test_kinds(self) -> None:
        for kind in ("accounts", "slots", "transactions", "blocks_meta", "entry", "blocks",
                     "transactions_status"):  # fmt: skip
            with self.subTest(kind=kind):
                request = REQUEST()
                getattr(request, kind)["mine"].SetInParent()
                self.assertFollowsRules(request, kind, 10)

    def test_accounts(self) -> None:
        keys, owners = self.market.keys, self.market.owners
        first = ys.SubscribeUpdate.FromString(
            next(m for m in self.messages if ys.SubscribeUpdate.FromString(m).HasField("account"))
        ).account.account
        part = ys.SubscribeRequestFilterAccountsFilter
        memcmp = ys.SubscribeRequestFilterAccountsFilterMemcmp
        lamports = ys.SubscribeRequestFilterAccountsFilterLamports
        wanted: dict[str, dict[str, Any]] = {
            "one owner": {"owner": [ys.base58(owners[0])]},
            "two owners": {"owner": [ys.base58(o) for o in owners[:2]]},
            "keys": {"account": [ys.base58(k) for k in keys[:3]]},
            "key and owner": {
                "account": [ys.base58(k) for k in keys[:20]], "owner": [ys.base58(owners[1])],
            },
            "memcmp bytes": {"filters": [part(memcmp=memcmp(offset=0, bytes=b"\2"))]},
            "memcmp base58": {"filters": [part(memcmp=memcmp(offset=0, base58=ys.base58(b"\3")))]},
            "memcmp base64": {"filters": [part(memcmp=memcmp(offset=0, base64="AQ=="))]},
            "memcmp inside": {"filters": [part(memcmp=memcmp(offset=5, bytes=first.data[5:9]))]},
            "datasize": {"filters": [part(datasize=165)]},
            "lamports": {"filters": [part(lamports=lamports(gt=5_000))]},
            "not these lamports": {"filters": [part(lamports=lamports(ne=first.lamports))]},
            "three parts": {
                "filters": [
                    part(datasize=165), part(lamports=lamports(lt=9_000)),
                    part(memcmp=memcmp(offset=0, bytes=b"\1")),
                ]
            },
            "with a signature": {"nonempty_txn_signature": True},
        }  # fmt: skip
        for about, fields in wanted.items():
            with self.subTest(about=about):
                request = REQUEST()
                request.accounts["mine"].CopyFrom(ys.SubscribeRequestFilterAccounts(**fields))
                self.assertFollowsRules(request, about)

    def test_transactions(self) -> None:
        keys = [ys.base58(key) for key in self.market.keys]
        wanted: dict[str, dict[str, Any]] = {
            "votes": {"vote": True}, "no votes": {"vote": False},
            "failed": {"failed": True}, "good": {"failed": False},
            "good and no votes": {"failed": False, "vote": False},
            "include": {"account_include": keys[:2]},
            "exclude": {"account_exclude": keys[:20]},
            "required": {"account_required": keys[3:5]},
            "all three": {
                "account_include": keys[:10], "account_exclude": keys[30:],
                "account_required": keys[5:6],
            },
            "signature": {"signature": ys.base58(self.market.signatures[17])},
        }  # fmt: skip
        for about, fields in wanted.items():
            for kind in ("transactions", "transactions_status"):
                with self.subTest(about=about, kind=kind):
                    request = REQUEST()
                    wish = ys.SubscribeRequestFilterTransactions(**fields)
                    getattr(request, kind)["mine"].CopyFrom(wish)
                    self.assertFollowsRules(request, about)

    def test_slots(self) -> None:
        for fields in ({}, {"filter_by_commitment": True}, {"interslot_updates": True},
                       {"filter_by_commitment": False, "interslot_updates": False}):  # fmt: skip
            with self.subTest(**fields):
                request = REQUEST()
                request.slots["mine"].CopyFrom(ys.SubscribeRequestFilterSlots(**fields))
                self.assertFollowsRules(request, str(fields), 20)

    def test_blocks(self) -> None:
        for transactions in (None, True, False):
            for accounts in (None, True):
                for entries in (None, True):
                    for include in ([], [ys.base58(self.market.keys[0])]):
                        fields = {
                            "include_transactions": transactions, "include_accounts": accounts,
                            "include_entries": entries, "account_include": include,
                        }  # fmt: skip
                        with self.subTest(**fields):
                            request = REQUEST()
                            wish = ys.SubscribeRequestFilterBlocks(**fields)
                            request.blocks["mine"].CopyFrom(wish)
                            self.assertFollowsRules(request, str(fields), 24)

    def test_data_slices(self) -> None:
        slice_ = ys.SubscribeRequestAccountsDataSlice
        for slices in ([(0, 8)], [(4, 4), (16, 8)], [(0, 0)]):
            with self.subTest(slices=slices):
                request = REQUEST(accounts_data_slice=[slice_(offset=o, length=n) for o, n in slices])
                request.accounts["mine"].SetInParent()
                self.assertFollowsRules(request, str(slices), 100)

    def test_several_names_on_one_update(self) -> None:
        request = REQUEST()
        for name, vote in (("b", None), ("a", True), ("c", False)):
            wish = ys.SubscribeRequestFilterTransactions(vote=vote)
            request.transactions[name].CopyFrom(wish)
            request.transactions_status["s-" + name].CopyFrom(wish)
        request.blocks["one"].include_transactions = False
        request.blocks["two"].include_entries = True
        for name in ("x", "y"):
            request.blocks_meta[name].SetInParent()
            request.slots[name].SetInParent()
            request.entry[name].SetInParent()
            request.accounts[name].SetInParent()
        wanted = geyser_rules.expected(request, self.messages)
        got = self.sent(self.subscribe(request))
        # A transaction gives two updates, whose order nobody promises.
        key = lambda sent: (sent[0], sent[1])  # noqa: E731
        as_fields = [(n, ys.SubscribeUpdate.FromString(b).SerializeToString()) for n, b in got]
        as_wanted = [(n, ys.SubscribeUpdate.FromString(b).SerializeToString()) for n, b in wanted]
        self.assertEqual(sorted(as_fields, key=key), sorted(as_wanted, key=key))

    def test_the_equal_request_is_answered_verbatim(self) -> None:
        answer = self.subscribe(everything())
        self.assertSameMessages(answer.messages, self.messages)

    def test_pings(self) -> None:
        request, ping = REQUEST(), REQUEST(ping=ys.SubscribeRequestPing(id=77))
        request.accounts["mine"].SetInParent()
        asked: list[int] = []

        def follow(message: bytes) -> bytes | None:
            if asked or geyser_rules.is_own(message):
                return None
            asked.append(1)
            return ping.SerializeToString()

        answer = self.subscribe(request, follow=follow)
        self.assertSent(
            self.sent(answer), geyser_rules.expected(request, self.messages), "around a ping"
        )
        own = [ys.SubscribeUpdate.FromString(m) for m in answer.messages if geyser_rules.is_own(m)]
        self.assertTrue(own[0].HasField("ping"), "the first message is the server's ping")
        self.assertEqual(list(own[0].filters), [])
        self.assertEqual([u.pong.id for u in own if u.HasField("pong")], [77])

    def test_a_second_request_replaces_the_first(self) -> None:
        first, second = REQUEST(), REQUEST()
        first.accounts["first"].SetInParent()
        second.accounts["second"].owner.append(ys.base58(self.market.owners[0]))
        second.slots["second"].SetInParent()
        asked: list[int] = []

        def follow(message: bytes) -> bytes | None:
            if asked or geyser_rules.is_own(message):
                return None
            asked.append(1)
            return second.SerializeToString()

        got = self.sent(self.subscribe(first, follow=follow))
        cut = next((i for i, sent in enumerate(got) if "second" in sent[0]), None)
        self.assertIsNotNone(cut, "the second request was never answered")
        before = geyser_rules.expected(first, self.messages)
        after = geyser_rules.expected(second, self.messages)
        self.assertSent(got[:cut], before[:cut], "before")
        self.assertSent(got[cut:], after[len(after) - len(got[cut:]) :], "after")
        # Nothing between the two may be missing: the place in the stream is the same.
        last = [m for m in self.messages if list(geyser_rules.of_message(first, m))][cut - 1]
        rest = self.messages[self.messages.index(last) + 1 :]
        self.assertLessEqual(len(got[cut:]), len(geyser_rules.expected(second, rest)))

    def test_a_half_close_ends_nothing(self) -> None:
        request = REQUEST()
        request.entry["mine"].SetInParent()
        with GeyserClient(self.address) as client:
            method = client.channel.stream_stream("/geyser.Geyser/Subscribe", None, None)
            got = list(method(iter([request.SerializeToString()]), timeout=30))
        shown = [geyser_rules.shown(m) for m in got if not geyser_rules.is_own(m)]
        self.assertEqual(shown, geyser_rules.expected(request, self.messages))

    def test_refusals(self) -> None:
        def with_(change: Any) -> Any:
            request = REQUEST()
            change(request)
            return request

        memcmp = ys.SubscribeRequestFilterAccountsFilterMemcmp(offset=0, bytes=bytes(129))
        part = ys.SubscribeRequestFilterAccountsFilter(memcmp=memcmp)
        slice_ = ys.SubscribeRequestAccountsDataSlice
        cases = {
            "bad key": with_(lambda r: r.accounts["a"].owner.append("not base58 0OIl")),
            "short key": with_(lambda r: r.accounts["a"].owner.append("abc")),
            "long name": with_(lambda r: r.slots["n" * 129].SetInParent()),
            "long memcmp": with_(lambda r: r.accounts["a"].filters.append(part)),
            "five parts": with_(
                lambda r: r.accounts["a"].filters.extend(
                    [ys.SubscribeRequestFilterAccountsFilter(datasize=1)] * 5
                )
            ),
            "slices out of order": with_(
                lambda r: r.accounts_data_slice.extend(
                    [slice_(offset=8, length=1), slice_(offset=0, length=1)]
                )
            ),
            "slices that overlap": with_(
                lambda r: r.accounts_data_slice.extend(
                    [slice_(offset=0, length=9), slice_(offset=8, length=1)]
                )
            ),
            "bad signature": with_(lambda r: setattr(r.transactions["t"], "signature", "xyz")),
            "confirmed": with_(
                lambda r: (setattr(r, "commitment", CONFIRMED), r.accounts["a"].SetInParent())
            ),
        }
        for about, request in cases.items():
            with self.subTest(about=about):
                answer = self.subscribe(request)
                self.assertIs(answer.code, grpc.StatusCode.INVALID_ARGUMENT, answer.details)
                self.assertRegex(answer.details, "^failed to create filter: .{5,}")
        with GeyserClient(self.address) as client:
            answer = client.subscribe(b"\xff\xff\xff no protobuf")
            self.assertIn(
                answer.code, (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT)
            )
            with self.assertRaises(grpc.RpcError) as caught:
                client.unary("NoSuchMethod")
            self.assertIs(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_from_slot(self) -> None:
        for start in (self.market.first, self.market.first + 7, self.market.last):
            for interslot in (False, True):
                with self.subTest(start=start, interslot=interslot):
                    request = everything("mine")
                    request.from_slot = start
                    request.slots["mine"].interslot_updates = interslot
                    ordered = self.ordered(start)
                    wanted = geyser_rules.expected(request, ordered)
                    self.assertSent(self.sent(self.subscribe(request)), wanted, f"from {start}")

    def ordered(self, start: int) -> list[bytes]:
        """Slot by slot: parts as they came, the block, its meta, the statuses."""
        rank = {"account": 0, "transaction": 0, "entry": 0, "block": 1, "block_meta": 2, "slot": 3}
        found: list[tuple[int, int, int, bytes]] = []
        for place, message in enumerate(self.messages):
            slot = geyser_rules.slot_of(message)
            kind = ys.kind_of(ys.SubscribeUpdate.FromString(message))
            if slot >= start:
                found.append((slot, rank[kind], place, message))
        return [message for *_, message in sorted(found)]

    def test_from_slot_that_is_too_old(self) -> None:
        request = REQUEST(from_slot=self.market.first - 1)
        request.slots["mine"].SetInParent()
        answer = self.subscribe(request)
        self.assertIs(answer.code, grpc.StatusCode.OUT_OF_RANGE)
        first = self.market.first
        self.assertEqual(
            answer.details, f"broadcast from {first - 1} is not available, last available: {first}"
        )

    def test_unary_methods(self) -> None:
        market = self.market
        with GeyserClient(self.address) as client:

            def ask(name: str, request: Any, answer: Any) -> Any:
                return answer.FromString(client.unary(name, request.SerializeToString()))

            replay = ask("SubscribeReplayInfo", ys.SubscribeReplayInfoRequest(),
                         ys.SubscribeReplayInfoResponse)  # fmt: skip
            self.assertEqual(replay.first_available, market.first)
            for count in (0, 1, -5, 2**31 - 1):
                self.assertEqual(ask("Ping", ys.PingRequest(count=count), ys.PongResponse).count, count)
            version = ask("GetVersion", ys.GetVersionRequest(), ys.GetVersionResponse).version
            self.assertEqual(json.loads(version)["version"]["package"], "tapedeck")
            newest = {
                PROCESSED: market.last, CONFIRMED: market.last - 2, FINALIZED: market.last - 8,
            }  # fmt: skip
            for level, slot in newest.items():
                with self.subTest(commitment=level):
                    got = ask("GetSlot", ys.GetSlotRequest(commitment=level), ys.GetSlotResponse)
                    self.assertEqual(got.slot, slot)
                    height = ask("GetBlockHeight", ys.GetBlockHeightRequest(commitment=level),
                                 ys.GetBlockHeightResponse)  # fmt: skip
                    self.assertEqual(height.block_height, market.height(slot))
                    latest = ask("GetLatestBlockhash", ys.GetLatestBlockhashRequest(commitment=level),
                                 ys.GetLatestBlockhashResponse)  # fmt: skip
                    self.assertEqual(
                        (latest.slot, latest.blockhash, latest.last_valid_block_height),
                        (slot, blockhash(slot), market.height(slot) + 150),
                    )
                    valid = ask(
                        "IsBlockhashValid",
                        ys.IsBlockhashValidRequest(blockhash=blockhash(slot), commitment=level),
                        ys.IsBlockhashValidResponse,
                    )
                    self.assertEqual((valid.slot, valid.valid), (slot, True))
            self.assertEqual(ask("GetSlot", ys.GetSlotRequest(), ys.GetSlotResponse).slot, market.last)


class RealFilters(Served):
    @classmethod
    def source(cls) -> tuple[Any, list[bytes]]:
        request = REQUEST(commitment=0)
        request.transactions["all"].SetInParent()
        request.accounts["all"].SetInParent()
        request.blocks_meta["all"].SetInParent()
        return request, read_messages(shared("solana", "real.bin"))

    def test_real_transactions(self) -> None:
        programs = ["6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P",
                    "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8",
                    "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA"]  # fmt: skip
        token = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
        for fields in (
            {"vote": True}, {"vote": False}, {"failed": True}, {"account_include": programs},
            {"account_include": programs[:1], "failed": False},
            {"account_exclude": programs, "vote": False},
            {"account_required": [programs[1], token]},
        ):  # fmt: skip
            with self.subTest(**fields):
                request = REQUEST()
                wish = ys.SubscribeRequestFilterTransactions(**fields)
                request.transactions["mine"].CopyFrom(wish)
                self.assertFollowsRules(request, str(fields))

    def test_real_accounts(self) -> None:
        accounts = [ys.SubscribeUpdate.FromString(m) for m in self.messages]
        owners = {ys.base58(u.account.account.owner) for u in accounts if u.HasField("account")}
        self.assertGreater(len(owners), 1)
        for owner in owners:
            with self.subTest(owner=owner):
                request = REQUEST()
                request.accounts["mine"].owner.append(owner)
                self.assertFollowsRules(request, owner)

    def test_what_was_not_recorded_is_refused(self) -> None:
        for kind in ("slots", "entry", "blocks"):
            with self.subTest(kind=kind):
                request = REQUEST()
                getattr(request, kind)["mine"].SetInParent()
                answer = self.subscribe(request)
                self.assertIs(answer.code, grpc.StatusCode.INVALID_ARGUMENT)
                self.assertRegex(answer.details, "in this recording")


if __name__ == "__main__":
    unittest.main()
