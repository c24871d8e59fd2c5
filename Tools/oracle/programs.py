"""Which accounts of an instruction are a pool's vaults.

Positions and discriminators are from published IDLs and sources of the programs. An instruction is
looked at by its program, its first bytes and its accounts, never by what it logged.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from wire import Call, Transaction, base58

PUMP = "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P"
PUMP_SWAP = "pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA"
RAYDIUM_V4 = "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8"
RAYDIUM_CPMM = "CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C"
RAYDIUM_CLMM = "CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK"
LAUNCH_LAB = "LanMV9sAd7wArD4vJFi2qDdfnVhFxYSUg6eADduJ3uj"
TOKEN_PROGRAMS = (
    "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
    "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
)
SYSTEM = "1" * 32
WSOL = "So11111111111111111111111111111111111111112"
# In this order: of two known ones the earlier is the quote.
QUOTES = [
    WSOL,
    "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
    "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB",
]

VENUES = {
    PUMP: "pump_curve",
    PUMP_SWAP: "pumpswap",
    RAYDIUM_V4: "raydium_v4",
    RAYDIUM_CPMM: "raydium_cpmm",
    RAYDIUM_CLMM: "raydium_clmm",
    LAUNCH_LAB: "launchlab",
}
SELF_CALL = bytes.fromhex("e445a52e51cb9a1d")


def anchor(name: str) -> bytes:
    return hashlib.sha256(b"global:" + name.encode()).digest()[:8]


@dataclass
class Place:
    """Positions among an instruction's accounts. Mints may be absent: balances tell them then."""

    pool: int
    base: int
    quote: int | None
    base_mint: int | None = None
    quote_mint: int | None = None
    is_swap: bool = True
    # Names its pool by the coin; quote is lamports of this account, too.
    curve: int | None = None


_OLD_CURVE = Place(pool=2, base=4, quote=None, base_mint=2, curve=3)
_CURVE_V2 = Place(pool=1, base=11, quote=12, base_mint=1, quote_mint=2, curve=10)
_CURVE_V3 = Place(pool=1, base=6, quote=7, base_mint=1, quote_mint=2, curve=5)
_AMM = Place(pool=0, base=7, quote=8, base_mint=3, quote_mint=4)
_AMM_SHARES = Place(pool=0, base=9, quote=10, base_mint=3, quote_mint=4, is_swap=False)
_BOOST = Place(pool=0, base=5, quote=6, base_mint=3, quote_mint=4, is_swap=False)
_CPMM = Place(pool=3, base=6, quote=7, base_mint=10, quote_mint=11)
_CLMM = Place(pool=2, base=5, quote=6)
_CLMM_V2 = Place(pool=2, base=5, quote=6, base_mint=11, quote_mint=12)
_LAUNCH = Place(pool=4, base=7, quote=8, base_mint=9, quote_mint=10)

_ANCHOR: dict[str, dict[str, Place | None]] = {
    PUMP: {
        "buy": _OLD_CURVE,
        "buy_exact_sol_in": _OLD_CURVE,
        "sell": _OLD_CURVE,
        "buy_v2": _CURVE_V2,
        "buy_exact_quote_in_v2": _CURVE_V2,
        "sell_v2": _CURVE_V2,
        "buy_v3": _CURVE_V3,
        "buy_exact_quote_in_v3": _CURVE_V3,
        "sell_v3": _CURVE_V3,
        "create": None,
        "create_v2": None,
        "extend_account": None,
        "migrate": None,
        "migrate_v2": None,
        "withdraw": None,
    },
    PUMP_SWAP: {
        "buy": _AMM,
        "buy_exact_quote_in": _AMM,
        "sell": _AMM,
        "buy_v2": _AMM,
        "buy_exact_quote_in_v2": _AMM,
        "sell_v2": _AMM,
        "create_pool": _AMM_SHARES,
        "deposit": _AMM_SHARES,
        "withdraw": _AMM_SHARES,
        "init_boost": _BOOST,
        "boost_buy_and_burn": _BOOST,
        "multi_hop_swap": None,
        "sweep_protocol_fee": None,
        "sweep_creator_fee": None,
        "extend_account": None,
    },
    RAYDIUM_CPMM: {
        "swap_base_input": _CPMM,
        "swap_base_output": _CPMM,
        "initialize": None,
        "deposit": None,
        "withdraw": None,
        "collect_protocol_fee": None,
        "collect_fund_fee": None,
        "collect_creator_fee": None,
    },
    RAYDIUM_CLMM: {
        "swap": _CLMM,
        "swap_v2": _CLMM_V2,
        "increase_liquidity": None,
        "increase_liquidity_v2": None,
        "decrease_liquidity": None,
        "decrease_liquidity_v2": None,
        "open_position": None,
        "open_position_v2": None,
        "open_position_with_token22_nft": None,
        "collect_protocol_fee": None,
        "collect_fund_fee": None,
        "swap_router_base_in": None,
    },
    LAUNCH_LAB: {
        "buy_exact_in": _LAUNCH,
        "buy_exact_out": _LAUNCH,
        "sell_exact_in": _LAUNCH,
        "sell_exact_out": _LAUNCH,
        "initialize": None,
        "initialize_v2": None,
        "initialize_with_token_2022": None,
        "migrate_to_amm": None,
        "migrate_to_cpswap": None,
        "collect_fee": None,
        "collect_migrate_fee": None,
        "claim_platform_fee": None,
    },
}
_BY_DISCRIMINATOR = {
    program: {anchor(name): (name, place) for name, place in table.items()}
    for program, table in _ANCHOR.items()
}
_V4_NAMES = {
    1: "initialize2", 3: "deposit", 4: "withdraw", 6: "set_params", 7: "withdraw_pnl",
    9: "swap_base_in", 11: "swap_base_out", 16: "swap_base_in_v2", 17: "swap_base_out_v2",
}  # fmt: skip


def _v4(call: Call) -> tuple[str, Place | None]:
    tag = call.data[0] if call.data else -1
    name = _V4_NAMES.get(tag, f"tag {tag}")
    if tag in (9, 11) and len(call.accounts) >= 17:
        # With target orders behind the open orders everything stands one further.
        first = 4 if len(call.accounts) == 17 else 5
        return name, Place(pool=1, base=first, quote=first + 1)
    if tag in (16, 17) and len(call.accounts) >= 8:
        return name, Place(pool=1, base=3, quote=4)
    if tag == 1 and len(call.accounts) >= 21:
        return name, Place(pool=4, base=10, quote=11, is_swap=False)
    if tag in (3, 4) and len(call.accounts) >= 14:
        return name, Place(pool=1, base=6, quote=7, is_swap=False)
    return name, None


@dataclass
class Use:
    """A pool as one instruction uses it: indices into the transaction's keys."""

    venue: str
    pool: bytes
    base: int
    quote: int | None
    base_mint: bytes
    quote_mint: bytes
    curve: int | None
    name: str
    is_swap: bool
    call: Call


def name_of(program: str, call: Call) -> str | None:
    """What the instruction is called; None for programs not looked at and for events."""
    if program not in VENUES or call.data[:8] == SELF_CALL:
        return None
    if program == RAYDIUM_V4:
        return _v4(call)[0]
    known = _BY_DISCRIMINATOR[program].get(call.data[:8])
    return known[0] if known else call.data[:8].hex()


def uses(transaction: Transaction) -> list[Use]:
    """Every use of a pool's vaults, in the order of execution."""
    found: list[Use] = []
    for call in transaction.calls:
        program = base58(call.program)
        name = name_of(program, call)
        if name is None:
            continue
        if program == RAYDIUM_V4:
            place = _v4(call)[1]
        else:
            place = _BY_DISCRIMINATOR[program].get(call.data[:8], (name, None))[1]
        if program == PUMP_SWAP and name == "multi_hop_swap":
            found += _hops(transaction, call)
        elif place:
            use = _use(transaction, call, VENUES[program], name, place)
            if use:
                found.append(use)
    return found


def _use(
    transaction: Transaction, call: Call, venue: str, name: str, place: Place
) -> Use | None:
    last = max(
        position
        for position in (
            place.pool, place.base, place.quote, place.base_mint, place.quote_mint, place.curve
        )
        if position is not None
    )  # fmt: skip
    if last >= len(call.accounts):
        return None

    def key(position: int | None) -> bytes:
        return b"" if position is None else transaction.key(call.accounts[position])

    return Use(
        venue=venue,
        pool=key(place.pool),
        base=call.accounts[place.base],
        quote=None if place.quote is None else call.accounts[place.quote],
        base_mint=key(place.base_mint),
        quote_mint=key(place.quote_mint),
        curve=None if place.curve is None else call.accounts[place.curve],
        name=name,
        is_swap=place.is_swap,
        call=call,
    )


def _hops(transaction: Transaction, call: Call) -> list[Use]:
    """The hops of a route: five accounts each, over pools and over curves."""
    curves = {
        account
        for other in transaction.calls
        if other.outer == call.outer and base58(other.program) == PUMP
        for account in other.accounts
    }
    found = []
    for first in range(16, len(call.accounts) - 4, 5):
        is_curve = call.accounts[first + 2] in curves
        place = Place(
            pool=first if is_curve else first + 2,
            base=first + 3,
            quote=first + 4,
            base_mint=first,
            quote_mint=first + 1,
            curve=first + 2 if is_curve else None,
        )
        venue = "pump_curve" if is_curve else "pumpswap"
        use = _use(transaction, call, venue, "multi_hop_swap", place)
        if use:
            found.append(use)
    return found
