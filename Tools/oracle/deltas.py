"""What a transaction moved, out of its balances alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from programs import QUOTES, SYSTEM, TOKEN_PROGRAMS, WSOL, Use, name_of, uses
from wire import ALPHABET, Call, Transaction, base58


@dataclass
class PoolDelta:
    """How one pool or curve changed over one transaction; positive is what it gained."""

    signature: str
    slot: int
    index: int
    venue: str
    pool: str
    token: str
    quote: str
    token_delta: int
    quote_delta: int
    # Of that: what other instructions than swaps moved, out of the calls they made.
    token_others: int
    quote_others: int
    # Accounts with their mints and changes; of a curve also its lamports, with no mint.
    vaults: list[dict[str, object]]
    # Swaps of this pool, in order.
    swaps: list[str]
    # Other instructions that name the pool or a vault; transfers that none of them made.
    others: list[str] = field(default_factory=list)

    def row(self) -> dict[str, object]:
        row = dict(self.__dict__)
        for name in ("token_delta", "quote_delta", "token_others", "quote_others"):
            row[name] = str(row[name])
        return row


def owners(transaction: Transaction) -> Iterator[dict[str, object]]:
    """Changes by owner and mint, and of lamports by account (no mint); without those of nothing."""
    changes: dict[tuple[str, str], int] = {}
    for index in set(transaction.tokens[0]) | set(transaction.tokens[1]):
        # An account may change its owner: each owner lost or gained what it held.
        for sign, side in zip((-1, 1), transaction.tokens):
            if index in side:
                token = side[index]
                # Old messages have no owner: the account stands for it.
                owner = token.owner or "account " + base58(transaction.key(index))
                key = (owner, token.mint)
                changes[key] = changes.get(key, 0) + sign * token.amount
    for index, key in enumerate(transaction.keys):
        name = (base58(key), "")
        changes[name] = changes.get(name, 0) + transaction.lamport_delta(index)
    for (owner, mint), delta in sorted(changes.items()):
        if delta:
            yield {
                "signature": transaction.signature,
                "owner": owner,
                "mint": mint or None,
                "delta": str(delta),
            }


def _orient(venue: str, base: str, quote: str) -> tuple[str, str]:
    """Token and quote of a pair that stands in its program's own order."""
    known = [mint for mint in QUOTES if mint in (base, quote)]
    if known:
        return (quote, base) if known[0] == base else (base, quote)
    return base, quote


def _maker(transaction: Transaction, position: int) -> Call | None:
    """The instruction of a program looked at that made a call; nil when none did."""
    call = transaction.calls[position]
    if call.inner == 0:
        return None
    height = call.height
    for other in reversed(transaction.calls[:position]):
        if other.outer != call.outer:
            break
        # Old results tell no heights: then whatever stands nearest before it.
        if height is not None and other.height is not None:
            if other.height >= height:
                continue
            height = other.height
        if name_of(base58(other.program), other) is not None:
            return other
    return None


def _moved(call: Call, *, lamports: bool) -> list[tuple[int, int]]:
    """What a call of the system program (lamports) or of a token program takes from accounts and
    gives to them, as (index, change)."""
    program, data, accounts = base58(call.program), call.data, call.accounts
    # Where the amount stands, and the positions of who gives and who gets.
    shape: tuple[int, int | None, int | None] | None = None
    if not lamports and program in TOKEN_PROGRAMS and data:
        shape = {
            3: (1, 0, 1),  # transfer
            7: (1, None, 1),  # mint
            8: (1, 0, None),  # burn
            12: (1, 0, 2),  # the same, checked
            14: (1, None, 1),
            15: (1, 0, None),
        }.get(data[0])
        if data[:2] == b"\x1a\x01":
            shape = (2, 0, 2)  # transfer with fee
    elif lamports and program == SYSTEM and data[:4] in (bytes(4), b"\x02\0\0\0"):
        shape = (4, 0, 1)  # new account, transfer
    if shape is None:
        return []
    offset, giver, getter = shape
    amount = int.from_bytes(data[offset : offset + 8], "little")
    return [
        (accounts[position], sign * amount)
        for sign, position in ((-1, giver), (1, getter))
        if position is not None and position < len(accounts)
    ]


def pools(transaction: Transaction) -> list[PoolDelta]:
    """Every pool that a swap of this transaction uses; none when the transaction failed."""
    if transaction.is_failed or transaction.is_vote:
        return []
    found: dict[tuple[str, bytes], list[Use]] = {}
    for use in uses(transaction):
        found.setdefault((use.venue, use.pool), []).append(use)
    return [
        _pool(transaction, group)
        for group in found.values()
        if any(use.is_swap for use in group)
    ]


def _pool(transaction: Transaction, group: list[Use]) -> PoolDelta:
    # Vaults by account: swaps the other way name them in the other order.
    vaults: dict[int, str] = {}
    for use in group:
        for index, mint in ((use.base, use.base_mint), (use.quote, use.quote_mint)):
            if index is not None:
                token = transaction.token(index)
                vaults[index] = token.mint if token else base58(mint) if mint else ""
    first = group[0]
    base = vaults[first.base]
    if first.curve is not None:
        is_sol = not first.quote_mint or base58(first.quote_mint) in (WSOL, SYSTEM)
        token, quote = base, WSOL if is_sol else base58(first.quote_mint)
    else:
        other = vaults[first.quote] if first.quote is not None else ""
        if first.venue in ("raydium_cpmm", "raydium_clmm"):
            # Pools hold their mints in the order of the bytes; swaps name what goes in first.
            base, other = sorted((base, other), key=_mint_bytes)
        token, quote = _orient(first.venue, base, other)
    rows: list[dict[str, object]] = [
        {
            "account": base58(transaction.key(index)),
            "mint": mint,
            "delta": str(transaction.token_delta(index)),
        }
        for index, mint in vaults.items()
    ]
    token_delta = sum(transaction.token_delta(i) for i, mint in vaults.items() if mint == token)
    quote_delta = sum(transaction.token_delta(i) for i, mint in vaults.items() if mint == quote)
    if first.curve is not None and quote == WSOL:
        lamports = transaction.lamport_delta(first.curve)
        quote_delta += lamports
        account = base58(transaction.key(first.curve))
        rows.append({"account": account, "mint": None, "delta": str(lamports)})
    others, moved = _others(transaction, group, set(vaults))
    token_others = sum(moved.get(i, 0) for i, mint in vaults.items() if mint == token)
    quote_others = sum(moved.get(i, 0) for i, mint in vaults.items() if mint == quote)
    if first.curve is not None and quote == WSOL:
        quote_others += moved.get(first.curve, 0)
    return PoolDelta(
        signature=transaction.signature,
        slot=transaction.slot,
        index=transaction.index,
        venue=first.venue,
        pool=base58(first.pool),
        token=token,
        quote=quote,
        token_delta=token_delta,
        quote_delta=quote_delta,
        token_others=token_others,
        quote_others=quote_others,
        vaults=rows,
        swaps=[use.name for use in group if use.is_swap],
        others=others,
    )


def _mint_bytes(text: str) -> bytes:
    number = 0
    for character in text:
        number = number * 58 + ALPHABET.index(character)
    return number.to_bytes(32, "big")


def _others(
    transaction: Transaction, group: list[Use], vaults: set[int]
) -> tuple[list[str], dict[int, int]]:
    """The instructions that name the pool or a vault and are no swap of it, and what they and
    strangers moved."""
    swaps = {id(use.call) for use in group if use.is_swap}
    accounts = vaults | {use.curve for use in group if use.curve is not None}
    pool = set(transaction.indices(group[0].pool)) if group[0].curve is None else set()
    others: list[str] = []
    moved: dict[int, int] = {}
    for position, call in enumerate(transaction.calls):
        if id(call) in swaps or not (accounts | pool) & set(call.accounts):
            continue
        name = name_of(base58(call.program), call)
        if name is not None:
            others.append(name)
        maker = _maker(transaction, position)
        if maker is not None and id(maker) in swaps:
            continue
        moves = [
            (index, change)
            for index, change in _moved(call, lamports=False) + _moved(call, lamports=True)
            if index in (accounts - vaults if base58(call.program) == SYSTEM else vaults)
        ]
        for index, change in moves:
            moved[index] = moved.get(index, 0) + change
        if moves and maker is None:
            others.append("transfer")
    return others, moved
