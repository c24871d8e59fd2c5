"""An oracle for decoded trades: what the balances of a transaction say, without any event.

    python3 Tools/oracle owners  FILE.bin...            changes by owner and mint
    python3 Tools/oracle pools   FILE.bin...            changes of pools and curves that swaps use
    python3 Tools/oracle compare TRADES FILE.bin...     holds decoded trades against the pools
    python3 Tools/oracle test                           its own tests

A FILE.bin holds SubscribeUpdates, each behind its length (u32, little-endian). Output is NDJSON;
64-bit numbers are texts.

`owners`: {signature, owner, mint, delta}; without mint it is lamports, and the owner the account.

`pools`: one line for each transaction that succeeded and each pool that an instruction swaps over,
netted over the transaction; positive is what the pool gained:
{signature, slot, index, venue, pool, token, quote, token_delta, quote_delta, token_others,
 quote_others, vaults: [{account, mint, delta}], swaps: [names], others: [names]}.
What other instructions moved (deposits, the supply of a new coin, rent) is part of the change and is
taken off before comparing.

`compare`: TRADES is NDJSON, `-` for standard input, one object for each decoded trade:

    signature            Base58
    slot, index          place of the transaction (kept in the output only)
    venue                pump_curve, pumpswap, raydium_v4, raydium_cpmm, raydium_clmm, launchlab
    pool                 Base58; of a pump curve its coin
    token, quote         Base58 mints; SOL as the wrapped mint
    side                 "buy" or "sell" of the token
    token_amount         what left or entered the pool
    quote_amount         what moved the pool: pump_curve, pumpswap and launchlab before fees (a
                         seller's gross), raydium_* what the vault gained or lost
    trader_quote_amount  what the trader paid or got (kept in the output only)
    fees                 {liquidity, venue, creator, cashback, buyback_inside, in_token}; a kind that
                         the event does not tell is null or absent; in_token is a bool
    flags                list of names; a pool with a trade "from_balances" is explained by that,
                         because the trade was made of what this would compare it with

Other fields are ignored. Prints each difference with its reason, those without an explanation
first, and last one line {compared, equal, explained, unexplained, equal_by_venue}. Exit code: 0
when all that differs is explained, 1 when not, 2 for wrong arguments.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import deltas  # noqa: E402
import verdict  # noqa: E402
import wire  # noqa: E402


def transactions(files: Iterable[str]) -> Iterator[wire.Transaction]:
    for file in files:
        yield from wire.transactions(Path(file))


def trades(file: str) -> Iterator[dict[str, object]]:
    text = sys.stdin if file == "-" else open(file, encoding="utf-8")
    with text:
        for line in text:
            if line.strip():
                yield json.loads(line)


def show(row: dict[str, object]) -> None:
    print(json.dumps(row, separators=(",", ":")))


def main(arguments: list[str]) -> int:
    match arguments:
        case ["owners", *files] if files:
            for transaction in transactions(files):
                for row in deltas.owners(transaction):
                    show(row)
        case ["pools", *files] if files:
            for transaction in transactions(files):
                for pool in deltas.pools(transaction):
                    show(pool.row())
        case ["compare", decoded, *files] if files:
            rows = (pool for found in transactions(files) for pool in deltas.pools(found))
            result = verdict.compare(rows, trades(decoded))
            for line in verdict.differences(result):
                show(line)
            show(result.summary())
            return 1 if result.unexplained else 0
        case ["test", *rest]:
            import test_oracle

            return test_oracle.run(rest)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:
        # Whoever reads has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
