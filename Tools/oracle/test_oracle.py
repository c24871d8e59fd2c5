"""The oracle's own tests: on real transactions, and on made ones with planted differences."""

from __future__ import annotations

import os
import unittest
from pathlib import Path

import deltas
import programs
import verdict
import wire
from deltas import PoolDelta

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("TAPEDECK_SHARED", ROOT.parent / "shared"))
REAL = SHARED / "data" / "solana" / "real.bin"
COIN = "FbBZmwPFiVisi1WAmqHSzJPXMcFj69HWXtVfzNJSMxzJ"

# What the pools gained by swaps alone. The amounts are those of the programs' own events and logs,
# decoded by hand, or follow from the programs' formulas where the comment says so.
PICKED = [
    # A coin's creation with two buys: 67,062,511,937,500 for 2,000,000,380 by the first event; the
    # second pays 100,000,021: 3,133,762,240,070 * 32,000,000,380 / 1,002,803,725,822,430 + 1.
    ("k1LPbZb3E4mkVabxy9F11p8CGjzug6vzn6rbZHFmEmFfXPBv9Z398TqmYFeXXDGSmEXGM7eeGffA8DsV6ePkZvC",
     "pump_curve", -67_062_511_937_500 - 3_133_762_240_070, 2_000_000_380 + 100_000_021),
    # A coin paired with USDC: the quote is a token, not lamports.
    ("2m5nWLnDSbM5SEGCnRxuftg5PFFZR6kziuNQbmrmqtEhbH81PyKVeEsipiXaFQxnerN8zQYB2XRwozrjoZheFDuG",
     "pump_curve", -445_377_137_871, 3_517_192),
    # 10,000 lamports, and beside it the supply and the rent of a new coin.
    ("4HbY43S9UigSctrfxY5nszgf3ozN1f4kPQYaqaFLZaCDhwa55rauuRmhP85u67U7dBvGFwB5C6stmkH2b1TNxgQh",
     "pump_curve", -357_666_547, 10_000),
    # A migration's new pool with its first buy, whose event says 29,925,126,552 + 59,850,254 for
    # those who provide liquidity.
    ("2ffHb9AXeKNVs3KSusTHTY3GTPnUJ2WLr48pjHDZjhMYfLC9P6XWXMuDkev13X49qLp6A5CkDmAJciJgieQUFidV",
     "pumpswap", -53_878_801_723_012, 29_984_976_806),
    # A sell: 199,950 less the 400 that stay.
    ("5uNVoBhrSxr3G4mnG7zXkbmtGpaUHTNdNEWjzd4FGm7XMVLXqwM3n7p42aQRFxM1eQmvLWNBx2BDRiVGWSDG5aaQ",
     "pumpswap", 177_590_297, -199_550),
    # ray_log: 234,999,981 in, 4,882,979,596 out.
    ("23F9guwZKF49YUzY5cvVRECUA6Cy9sgaWpfVQFAmZSn5o6Eu4z5qbRevt9a33iNf2WMAk4MoWeY1TuEuvdGniQCu",
     "raydium_v4", -4_882_979_596, 234_999_981),
    # USDC is the token where SOL is the quote.
    ("DHFysLFq77hbVeDhUF7iJXvyDhBX2M26Ji6MoYTcdFLpq83BewvmevvXtKWYBg34Ze3S719ywzo1qWS2fzaot5M",
     "raydium_clmm", 400_000_000, -1_978_088_508),
    # floor((virtual_base - real_base) * net / (virtual_quote + real_quote + net)); fees wait.
    ("mqSGNwKK8GZW7PztnYDat3F85BWf7JRWfm5k4ToKpKzkoGmQgyr2bwpm47md7jLck4Yc7pmXuciE73Tf8dT74u8",
     "launchlab", -96_087_352_138_307, 1_000_000_000),
]  # fmt: skip


class RealTransactions(unittest.TestCase):
    transactions: list[wire.Transaction]

    @classmethod
    def setUpClass(cls) -> None:
        if not REAL.exists():
            raise unittest.SkipTest(f"needs {REAL} (TAPEDECK_SHARED names the shared folder)")
        cls.transactions = list(wire.transactions(REAL))

    def test_counts(self) -> None:
        self.assertEqual(len(self.transactions), 603)
        self.assertEqual(sum(found.is_vote for found in self.transactions), 57)

    def test_picked(self) -> None:
        by_signature = {found.signature: found for found in self.transactions}
        for signature, venue, token, quote in PICKED:
            with self.subTest(signature=signature):
                rows = [
                    row for row in deltas.pools(by_signature[signature]) if row.venue == venue
                ]
                self.assertEqual(len(rows), 1)
                self.assertEqual(rows[0].token_delta - rows[0].token_others, token)
                self.assertEqual(rows[0].quote_delta - rows[0].quote_others, quote)

    def test_nothing_appears_or_vanishes(self) -> None:
        """Lamports go from account to account; only the fee leaves. Of tokens, what is minted or
        burnt aside, all changes of a mint sum to nothing."""
        for found in self.transactions:
            if found.is_vote:
                continue
            lamports = sum(found.lamport_delta(index) for index in range(len(found.keys)))
            self.assertEqual(lamports, -found.fee, found.signature)
            tokens = [row for row in deltas.owners(found) if row["mint"]]
            changes = any(
                wire.base58(call.program) in programs.TOKEN_PROGRAMS
                and call.data[:1] not in (b"\x03", b"\x0c", b"\x09", b"\x11")
                for call in found.calls
            )
            if not changes and not found.is_failed:
                for mint in {row["mint"] for row in tokens} - {programs.WSOL}:
                    total = sum(int(row["delta"]) for row in tokens if row["mint"] == mint)
                    self.assertEqual(total, 0, (found.signature, mint))

    def test_failed_transactions_have_no_rows(self) -> None:
        failed = [found for found in self.transactions if found.is_failed]
        self.assertGreater(len(failed), 100)
        self.assertFalse([row for found in failed for row in deltas.pools(found)])


def row(**changes: object) -> PoolDelta:
    made = PoolDelta(
        signature="s", slot=1, index=2, venue="pump_curve", pool=COIN, token=COIN,
        quote=programs.WSOL, token_delta=-100, quote_delta=50, token_others=0, quote_others=0,
        vaults=[], swaps=["buy"],
    )  # fmt: skip
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def trade(**changes: object) -> dict[str, object]:
    made: dict[str, object] = {
        "signature": "s", "venue": "pump_curve", "pool": COIN, "token": COIN,
        "quote": programs.WSOL, "side": "buy", "token_amount": "100", "quote_amount": "50",
        "trader_quote_amount": "52", "fees": {"venue": "1", "creator": "1"},
    }  # fmt: skip
    return made | changes


class Comparison(unittest.TestCase):
    def summary(self, rows: list[PoolDelta], trades: list[dict[str, object]]) -> dict[str, object]:
        return verdict.compare(rows, trades).summary()

    def check_equal(self, rows: list[PoolDelta], trades: list[dict[str, object]]) -> None:
        summary = self.summary(rows, trades)
        self.assertEqual(summary["equal"], summary["compared"], summary)

    def reasons(self, rows: list[PoolDelta], trades: list[dict[str, object]]) -> list[str]:
        summary = self.summary(rows, trades)
        self.assertEqual(summary["equal"], 0, summary)
        return list(summary["unexplained"])  # type: ignore[call-overload]

    def test_equal(self) -> None:
        self.check_equal([row()], [trade()])
        self.check_equal([row()], [trade(quote="1" * 32)])
        self.check_equal([row(token_delta=100, quote_delta=-50)], [trade(side="sell")])
        self.check_equal([row(token_delta=0, quote_delta=0)], [])

    def test_trades_are_netted(self) -> None:
        both = [trade(), trade(side="sell", token_amount="30", quote_amount="20")]
        self.check_equal([row(token_delta=-70, quote_delta=30, swaps=["buy", "sell"])], both)

    def test_what_others_moved_is_taken_off(self) -> None:
        self.check_equal([row(token_delta=900, token_others=1000, others=["create"])], [trade()])

    def test_one_unit_is_seen(self) -> None:
        self.assertEqual(self.reasons([row(token_delta=-99)], [trade()]), ["amounts"])
        self.assertEqual(self.reasons([row(quote_delta=51)], [trade()]), ["amounts"])
        self.assertEqual(self.reasons([row()], [trade(side="sell")]), ["amounts"])

    def test_missing_and_foreign(self) -> None:
        self.assertEqual(self.reasons([row()], []), ["no trade"])
        self.assertEqual(self.reasons([], [trade()]), ["no swap instruction"])
        self.assertEqual(
            self.reasons([row()], [trade(), trade()]), ["1 swaps, 2 trades"]
        )
        swapped = trade(token=programs.WSOL, quote=COIN)
        self.assertEqual(self.reasons([row()], [swapped]), ["token and quote"])

    def test_liquidity_fees_stay_in_pumpswap(self) -> None:
        fees = {"liquidity": "3", "venue": "2", "creator": "1"}
        amm = {"venue": "pumpswap", "fees": fees}
        self.check_equal([row(venue="pumpswap", quote_delta=53)], [trade(**amm)])
        sold = row(venue="pumpswap", token_delta=100, quote_delta=-47)
        self.check_equal([sold], [trade(side="sell", **amm)])
        # The token is the program's quote: its amount has the fee in it.
        reverse = trade(venue="pumpswap", fees=fees | {"in_token": True})
        self.check_equal([row(venue="pumpswap")], [reverse])

    def test_kept_fees_are_explained_up_to_all_of_them(self) -> None:
        newest = {"swaps": ["buy_v3"]}
        kept = self.summary([row(quote_delta=52, **newest)], [trade()])
        self.assertEqual(kept["explained"], {"fees kept in the pool": 1})
        self.assertEqual(self.reasons([row(quote_delta=53, **newest)], [trade()]), ["amounts"])
        self.assertEqual(self.reasons([row(quote_delta=49, **newest)], [trade()]), ["amounts"])
        self.assertEqual(self.reasons([row(quote_delta=52)], [trade()]), ["amounts"])

    def test_trades_made_of_balances_prove_nothing(self) -> None:
        summary = self.summary([row()], [trade(flags=["from_balances"])])
        self.assertEqual(summary["explained"], {"made of balances": 1})
        self.assertEqual(summary["equal"], 0)

    def test_a_transaction_in_two_messages_counts_once(self) -> None:
        summary = self.summary([row(), row()], [trade()])
        self.assertEqual((summary["compared"], summary["equal"]), (1, 1))


class Wire(unittest.TestCase):
    def test_base58(self) -> None:
        self.assertEqual(wire.base58(bytes(32)), "1" * 32)
        self.assertEqual(wire.base58(b"\0\x01\xff"), "19p")

    def test_a_cut_message_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            list(wire.fields(b"\x0a\x05abc"))

    def test_discriminators(self) -> None:
        """As the IDLs publish them."""
        published = {
            "buy": "66063d1201daebea", "sell": "33e685a4017f83ad",
            "buy_exact_quote_in_v3": "e1f7501ed5b38488", "multi_hop_swap": "2b644913e9f66f94",
            "swap_base_input": "8fbe5adac41e33de", "swap_base_output": "37d96256a34ab4ad",
            "buy_exact_in": "faea0d7bd59c13ec", "sell_exact_out": "5fc8472208090ba6",
        }  # fmt: skip
        for name, expected in published.items():
            self.assertEqual(programs.anchor(name).hex(), expected)


def run(arguments: list[str]) -> int:
    loader = unittest.defaultTestLoader
    module = __import__(__name__)
    names = loader.loadTestsFromNames(arguments, module) if arguments else None
    suite = names or loader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(verbosity=1).run(suite)
    return 0 if result.wasSuccessful() else 1
