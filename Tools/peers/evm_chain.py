"""A small invented EVM chain as one connection with heads and all logs, and the rules of filters."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field
from typing import Any

from evm_peer import Captured

HEADS, LOGS = "0x5eaf00d1", "0x106500d2"
CALLS = [
    {"method": "eth_subscribe", "params": ["newHeads"]},
    {"method": "eth_subscribe", "params": ["logs", {}]},
]


def digest(*parts: object) -> str:
    """A hash of 32 bytes in hexadecimal."""
    return "0x" + hashlib.sha256(repr(parts).encode()).hexdigest()


def notification(subscription: str, result: Any) -> bytes:
    """A notification as nodes write it."""
    params = {"subscription": subscription, "result": result}
    text = {"jsonrpc": "2.0", "method": "eth_subscription", "params": params}
    return json.dumps(text, separators=(",", ":")).encode() + b"\n"


@dataclass
class Chain:
    """Blocks with logs; one of them is replaced by another of the same height."""

    first: int = 1_000_000
    blocks: int = 24
    forked: int = 12
    captured: Captured = field(default_factory=lambda: Captured("chain", []))
    #: Logs of the chain as it is at the end, in order.
    canonical: list[dict[str, Any]] = field(default_factory=list)
    hashes: dict[int, str] = field(default_factory=dict)
    orphan: str = ""

    def __post_init__(self) -> None:
        self._draw = random.Random(4)
        self.addresses = ["0x" + self._draw.randbytes(20).hex() for _ in range(6)]
        self.topics = ["0x" + self._draw.randbytes(32).hex() for _ in range(6)]
        for place, call in enumerate(CALLS):
            request = {"jsonrpc": "2.0", "id": place + 1, **call}
            answer = {"jsonrpc": "2.0", "id": place + 1, "result": (HEADS, LOGS)[place]}
            self.captured.rows.append((True, json.dumps(request).encode()))
            line = json.dumps(answer, separators=(",", ":")).encode() + b"\n"
            self.captured.rows.append((False, line))
        for number in range(self.first, self.first + self.blocks):
            logs = self._block(number, "")
            if number == self.first + self.forked:
                self.orphan = self.hashes[number]
                for log in logs:
                    self._notify(LOGS, log | {"removed": True})
                logs = self._block(number, "other")
            self.canonical += logs

    @property
    def last(self) -> int:
        return self.first + self.blocks - 1

    @property
    def notifications(self) -> list[bytes]:
        """What the node sent behind its answers."""
        return self.captured.incoming[2:]

    def _notify(self, subscription: str, result: Any) -> None:
        self.captured.rows.append((False, notification(subscription, result)))

    def _block(self, number: int, variant: str) -> list[dict[str, Any]]:
        parent = self.hashes.get(number - 1, digest("parent"))
        self.hashes[number] = digest(number, variant)
        zero = "0x" + "0" * 64
        self._notify(HEADS, {
            "parentHash": parent, "sha3Uncles": zero, "miner": "0x" + "0" * 40, "stateRoot": zero,
            "transactionsRoot": zero, "receiptsRoot": zero, "logsBloom": "0x" + "0" * 512,
            "difficulty": "0x15", "number": hex(number), "gasLimit": "0x1c9c380", "gasUsed": "0x1",
            "timestamp": hex(1_700_000_000 + 2 * number), "extraData": "0x" + "ab" * 97,
            "mixHash": zero, "nonce": "0x0000000000000000", "baseFeePerGas": "0x7",
            "withdrawalsRoot": None, "hash": self.hashes[number],
        })  # fmt: skip
        logs = []
        for index in range(self._draw.randrange(2, 7)):
            count = self._draw.randrange(0, 5)
            log = {
                "address": self._draw.choice(self.addresses),
                "topics": [self._draw.choice(self.topics) for _ in range(count)],
                "data": "0x" + self._draw.randbytes(self._draw.choice([0, 32, 600])).hex(),
                "blockNumber": hex(number), "transactionHash": digest("tx", number, index // 2),
                "transactionIndex": hex(index // 2), "blockHash": self.hashes[number],
                "logIndex": hex(index), "removed": False,
            }  # fmt: skip
            logs.append(log)
            self._notify(LOGS, log)
        return logs


def matches(wanted: dict[str, Any], log: dict[str, Any]) -> bool:
    """Whether a log passes a filter of address and topics."""
    addresses = wanted.get("address")
    if isinstance(addresses, str):
        addresses = [addresses]
    if addresses and log["address"] not in [a.lower() for a in addresses]:
        return False
    topics = wanted.get("topics") or []
    if len(topics) > len(log["topics"]):
        # A place that asks for nothing asks for a topic to be there all the same.
        return False
    for asked, topic in zip(topics, log["topics"]):
        choices = [asked] if isinstance(asked, str) else asked or []
        if choices and topic not in choices:
            return False
    return True


def expected(
    notifications: list[bytes], wanted: dict[str, Any] | None, identity: str
) -> list[bytes]:
    """The notifications of a subscription: heads for None, else logs by a filter."""
    found = []
    for data in notifications:
        message = json.loads(data)
        if message.get("method") != "eth_subscription":
            continue
        result = message["params"]["result"]
        is_log = isinstance(result, dict) and "logIndex" in result
        is_head = isinstance(result, dict) and "parentHash" in result
        if (wanted is None and is_head) or (wanted is not None and is_log and matches(wanted, result)):
            recorded = message["params"]["subscription"].encode()
            found.append(data.replace(recorded, identity.encode(), 1))
    return found
