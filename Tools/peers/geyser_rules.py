"""The filter rules of a Yellowstone server, in Python, from the published facts.

`expected` says what a client with one request must get of a stream of recorded messages. It is the
oracle of the tests of `serve` and shares nothing with it.
"""

from __future__ import annotations

import base64
from typing import Any, Iterator

import yellowstone as ys

#: What a client gets: names of the filters, and the message without them.
Sent = tuple[tuple[str, ...], bytes]


def shown(message: bytes) -> Sent:
    """A message as it is compared; the order of names is not part of the protocol."""
    return tuple(sorted(ys.SubscribeUpdate.FromString(message).filters)), ys.without_filters(message)


def is_own(message: bytes) -> bool:
    """Whether it is a ping or a pong, which belong to the connection."""
    return ys.kind_of(ys.SubscribeUpdate.FromString(message)) in ("ping", "pong")


def slot_of(message: bytes) -> int:
    """The slot of an update."""
    update = ys.SubscribeUpdate.FromString(message)
    return getattr(update, ys.kind_of(update)).slot


def expected(request: Any, messages: list[bytes]) -> list[Sent]:
    """What a client with this request is sent."""
    return [sent for message in messages for sent in of_message(request, message)]


def of_message(request: Any, message: bytes) -> Iterator[Sent]:
    """What a client with this request is sent for one message."""
    update = ys.SubscribeUpdate.FromString(message)
    kind = ys.kind_of(update)
    names: list[str] = []
    if kind == "account":
        names = [n for n, f in request.accounts.items() if _account(f, update.account.account)]
        if names and request.accounts_data_slice:
            message = _sliced(update, request.accounts_data_slice)
    elif kind == "slot":
        names = [n for n, f in request.slots.items() if _slot(f, update.slot.status, request)]
    elif kind == "transaction":
        info = update.transaction.transaction
        names = [n for n, f in request.transactions.items() if _transaction(f, info)]
        statuses = [n for n, f in request.transactions_status.items() if _transaction(f, info)]
        if statuses:
            yield tuple(sorted(statuses)), _status(update)
    elif kind == "entry":
        names = list(request.entry)
    elif kind == "block_meta":
        names = list(request.blocks_meta)
    elif kind == "block":
        for name, wanted in sorted(request.blocks.items()):
            yield (name,), _block(ys.SubscribeUpdate.FromString(message), wanted)
    if names:
        yield tuple(sorted(names)), ys.without_filters(message)


def _account(wanted: Any, info: Any) -> bool:
    if wanted.account and ys.base58(info.pubkey) not in wanted.account:
        return False
    if wanted.owner and ys.base58(info.owner) not in wanted.owner:
        return False
    if wanted.HasField("nonempty_txn_signature"):
        if wanted.nonempty_txn_signature != bool(info.txn_signature):
            return False
    return all(_part(part, info) for part in wanted.filters)


def _part(part: Any, info: Any) -> bool:
    if part.HasField("datasize"):
        return len(info.data) == part.datasize
    if part.HasField("lamports"):
        compare = part.lamports
        return (
            (compare.HasField("eq") and info.lamports == compare.eq)
            or (compare.HasField("ne") and info.lamports != compare.ne)
            or (compare.HasField("lt") and info.lamports < compare.lt)
            or (compare.HasField("gt") and info.lamports > compare.gt)
        )
    if part.HasField("memcmp"):
        wanted = part.memcmp
        if wanted.HasField("bytes"):
            data = wanted.bytes
        elif wanted.HasField("base58"):
            data = ys.unbase58(wanted.base58)
        else:
            data = base64.b64decode(wanted.base64)
        return info.data[wanted.offset : wanted.offset + len(data)] == data
    raise AssertionError(f"no rule for {part}")


def _sliced(update: Any, slices: Any) -> bytes:
    data = update.account.account.data
    parts = [data[s.offset : s.offset + s.length] for s in slices]
    update.account.account.data = b"".join(parts)
    if not update.account.account.data:
        update.account.account.ClearField("data")  # proto3: what is empty is not on the wire.
    return update.SerializeToString()


def _slot(wanted: Any, status: int, request: Any) -> bool:
    if wanted.filter_by_commitment:
        return status == request.commitment
    return wanted.interslot_updates or status in (0, 1, 2)


def keys_of(info: Any) -> set[str]:
    """All accounts of a transaction: its own, and those of its lookup tables."""
    keys = [*info.transaction.message.account_keys]
    keys += [*info.meta.loaded_writable_addresses, *info.meta.loaded_readonly_addresses]
    return {ys.base58(key) for key in keys}


def _transaction(wanted: Any, info: Any) -> bool:
    if wanted.HasField("vote") and wanted.vote != info.is_vote:
        return False
    if wanted.HasField("failed") and wanted.failed != info.meta.HasField("err"):
        return False
    if wanted.HasField("signature") and wanted.signature != ys.base58(info.signature):
        return False
    keys = keys_of(info)
    if wanted.account_include and not keys & set(wanted.account_include):
        return False
    if keys & set(wanted.account_exclude):
        return False
    return set(wanted.account_required) <= keys


def _status(update: Any) -> bytes:
    info = update.transaction.transaction
    made = ys.SubscribeUpdate()
    status = made.transaction_status
    status.slot, status.signature = update.transaction.slot, info.signature
    # proto3: what is zero is not on the wire.
    if info.is_vote:
        status.is_vote = True
    if info.index:
        status.index = info.index
    if info.meta.HasField("err"):
        status.err.CopyFrom(info.meta.err)
    made.created_at.CopyFrom(update.created_at)
    return made.SerializeToString()


def _block(update: Any, wanted: Any) -> bytes:
    block = update.block
    include = set(wanted.account_include)
    transactions = [
        t for t in block.transactions if not include or keys_of(t) & include
    ]  # fmt: skip
    accounts = [a for a in block.accounts if not include or ys.base58(a.pubkey) in include]
    if wanted.HasField("include_transactions") and not wanted.include_transactions:
        transactions = []
    if not wanted.include_accounts:
        accounts = []
    entries = list(block.entries) if wanted.include_entries else []
    for name, kept in (("transactions", transactions), ("accounts", accounts), ("entries", entries)):
        copies = [type(item).FromString(item.SerializeToString()) for item in kept]
        block.ClearField(name)
        getattr(block, name).extend(copies)
    update.ClearField("filters")
    return update.SerializeToString()
