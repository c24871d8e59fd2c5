"""Whether decoded trades say what the balances say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from deltas import PoolDelta

Key = tuple[str, str, str]

# Native SOL, as a trade may write it.
SOL = ("So11111111111111111111111111111111111111112", "1" * 32)


def number(value: object) -> int:
    """A number, or one as text; absent is 0."""
    return 0 if value is None else int(str(value))


@dataclass
class Expected:
    """What the trades of one pool and transaction say that the pool gained."""

    token: int = 0
    quote: int = 0
    # What may have stayed in the pool on top: fees of the programs' newest instructions.
    kept_max: int = 0
    trades: int = 0


def gained(trade: dict[str, Any]) -> Expected:
    """The pool's side of one trade.

    pump_curve: fees are paid beside the curve, so it gains or loses `quote_amount`.
    pumpswap: what liquidity providers earn stays in the vault of the program's own quote; the rest
        leaves. Where the token is the program's quote (`in_token`), `token_amount` has that in it.
    raydium_*: amounts are those of the vaults, fees inside.
    launchlab: a buyer's `quote_amount` has no fee in it, a seller's all; what is not the share of a
        referrer waits in the vault. How much that is the trade does not tell: at most all fees.
    """
    fees = trade.get("fees") or {}
    token, quote = number(trade["token_amount"]), number(trade["quote_amount"])
    is_buy = trade["side"] == "buy"
    venue = trade["venue"]
    kept = 0
    if venue == "pumpswap" and not fees.get("in_token"):
        stays = number(fees.get("liquidity"))
        quote += stays if is_buy else -stays
    if venue in ("pump_curve", "pumpswap", "launchlab"):
        kept = sum(number(fees.get(name)) for name in ("venue", "creator", "cashback"))
    if is_buy:
        return Expected(-token, quote, kept, 1)
    return Expected(token, -quote, kept, 1)


@dataclass
class Verdict:
    """Counts and differences of a whole comparison."""

    compared: int = 0
    equal: int = 0
    # Differences that what else happened to the pool accounts for, by reason.
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: Counter[str] = field(default_factory=Counter)
    by_venue: Counter[str] = field(default_factory=Counter)
    lines: list[dict[str, object]] = field(default_factory=list)

    def add(self, reason: str, is_explained: bool, line: dict[str, object]) -> None:
        (self.explained if is_explained else self.unexplained)[reason] += 1
        self.lines.append({"difference": reason, "explained": is_explained, **line})

    def summary(self) -> dict[str, object]:
        return {
            "compared": self.compared,
            "equal": self.equal,
            "explained": dict(sorted(self.explained.items())),
            "unexplained": dict(sorted(self.unexplained.items())),
            "equal_by_venue": dict(sorted(self.by_venue.items())),
        }


def reason(row: PoolDelta, token: int, quote: int, expected: Expected) -> tuple[str, bool]:
    """Why the pool gained `token` and `quote` more than its trades and its other instructions say,
    and whether that is enough of a reason."""
    keeps = row.venue == "launchlab" or any(
        (row.venue, name[-3:]) in (("pump_curve", "_v3"), ("pumpswap", "_v2"))
        or name == "multi_hop_swap"
        for name in row.swaps
    )
    if keeps and token == 0 and 0 < quote <= expected.kept_max:
        return "fees kept in the pool", True
    if expected.trades != len(row.swaps):
        return f"{len(row.swaps)} swaps, {expected.trades} trades", False
    if row.others:
        return "amounts beside " + ", ".join(sorted(set(row.others))), False
    return "amounts", False


def compare(rows: Iterable[PoolDelta], trades: Iterable[dict[str, Any]]) -> Verdict:
    """Compares trades with balances, netted over each transaction and pool.

    Trades of transactions that `rows` does not have at all count as differences, too: give the
    rows of everything that was decoded.
    """
    decoded: dict[Key, list[dict[str, Any]]] = {}
    for trade in trades:
        key = (trade["signature"], trade["venue"], trade["pool"])
        decoded.setdefault(key, []).append(trade)
    verdict = Verdict()
    seen: set[Key] = set()
    for row in rows:
        key = (row.signature, row.venue, row.pool)
        if key in seen:
            continue  # the same transaction once more, in another message
        seen.add(key)
        verdict.compared += 1
        _compare(verdict, row, decoded.pop(key, []))
    for key in sorted(decoded):
        verdict.compared += 1
        line = {"signature": key[0], "venue": key[1], "pool": key[2], "trades": decoded[key]}
        verdict.add("no swap instruction", False, line)
    return verdict


def _compare(verdict: Verdict, row: PoolDelta, trades: list[dict[str, Any]]) -> None:
    line: dict[str, object] = {"row": row.row(), "trades": trades}
    if not trades:
        if row.token_delta != row.token_others or row.quote_delta != row.quote_others:
            verdict.add("no trade", False, line)
        else:
            verdict.equal += 1
            verdict.by_venue[row.venue] += 1
        return
    if any("from_balances" in (trade.get("flags") or []) for trade in trades):
        verdict.add("made of balances", True, line)
        return
    total = Expected()
    for trade in trades:
        if not _same(trade["token"], row.token) or not _same(trade["quote"], row.quote):
            verdict.add("token and quote", False, line)
            return
        one = gained(trade)
        total.token += one.token
        total.quote += one.quote
        total.kept_max += one.kept_max
        total.trades += 1
    token = row.token_delta - row.token_others - total.token
    quote = row.quote_delta - row.quote_others - total.quote
    if token == 0 and quote == 0:
        verdict.equal += 1
        verdict.by_venue[row.venue] += 1
        return
    why, is_explained = reason(row, token, quote, total)
    line |= {"token_difference": str(token), "quote_difference": str(quote)}
    verdict.add(why, is_explained, line)


def _same(left: str | None, right: str) -> bool:
    return left == right or (right in SOL and (left is None or left in SOL))


def differences(verdict: Verdict) -> Iterator[dict[str, object]]:
    """The lines to print: those without a reason first."""
    yield from sorted(verdict.lines, key=lambda line: bool(line["explained"]))
