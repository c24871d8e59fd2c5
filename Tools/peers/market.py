"""A small invented stretch of Solana as one stream subscribed to everything."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from typing import Any

import yellowstone as ys

PROCESSED, CONFIRMED, FINALIZED, FIRST_SHRED, COMPLETED, CREATED_BANK = 0, 1, 2, 3, 4, 5


def everything(name: str = "all") -> Any:
    """The request that leaves nothing out."""
    request = ys.SubscribeRequest(commitment=0)
    request.accounts[name].SetInParent()
    request.slots[name].interslot_updates = True
    request.transactions[name].SetInParent()
    block = request.blocks[name]
    block.include_transactions = block.include_accounts = block.include_entries = True
    request.blocks_meta[name].SetInParent()
    request.entry[name].SetInParent()
    return request


def blockhash(slot: int) -> str:
    """The hash of the block of a slot."""
    return ys.base58(hashlib.sha256(b"block %d" % slot).digest())


@dataclass
class Market:
    """The messages, and what is worth asking for."""

    first: int = 1_000
    slots: int = 24
    seed: int = 5
    messages: list[bytes] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)
    owners: list[bytes] = field(default_factory=list)
    signatures: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)
        self._clock = 0
        self.keys = [self._draw.randbytes(32) for _ in range(40)]
        self.owners = [self._draw.randbytes(32) for _ in range(4)]
        for slot in range(self.first, self.first + self.slots):
            self._slot(slot)

    @property
    def last(self) -> int:
        return self.first + self.slots - 1

    def height(self, slot: int) -> int:
        """The block height of a slot."""
        return slot - 100

    def _add(self, kind: str, part: Any) -> None:
        update = ys.SubscribeUpdate(filters=["all"])
        getattr(update, kind).CopyFrom(part)
        self._clock += 1
        update.created_at.seconds = 1_700_000_000
        update.created_at.nanos = self._clock
        self.messages.append(update.SerializeToString())

    def _status(self, slot: int, status: int) -> None:
        part = ys.SubscribeUpdateSlot(slot=slot, parent=slot - 1)
        if status:
            part.status = status
        self._add("slot", part)

    def _account(self, slot: int, signature: bytes, version: int) -> Any:
        info = ys.SubscribeUpdateAccountInfo(
            pubkey=self._draw.choice(self.keys), lamports=self._draw.randrange(1, 10_000),
            owner=self._draw.choice(self.owners), rent_epoch=2**64 - 1,
            data=bytes([version % 4]) + self._draw.randbytes(self._draw.choice([31, 164, 2_000])),
            write_version=version, txn_signature=signature,
        )  # fmt: skip
        self._add("account", ys.SubscribeUpdateAccount(account=info, slot=slot))
        return info

    def _transaction(self, slot: int, index: int) -> Any:
        signature = self._draw.randbytes(64)
        self.signatures.append(signature)
        info = ys.SubscribeUpdateTransactionInfo(signature=signature)
        if index:
            info.index = index
        if self._draw.random() < 0.3:
            info.is_vote = True
        info.transaction.signatures.append(signature)
        message = info.transaction.message
        message.account_keys.extend(self._draw.sample(self.keys, 4))
        message.recent_blockhash = self._draw.randbytes(32)
        message.instructions.add(program_id_index=3, accounts=b"\0\1", data=self._draw.randbytes(24))
        info.meta.fee = 5_000
        if self._draw.random() < 0.3:
            info.meta.err.err = b"\x08\0\0\0\0\x19\0\0\0\x01\0\0\0"
        if self._draw.random() < 0.5:
            message.versioned = True
            info.meta.loaded_writable_addresses.append(self._draw.choice(self.keys))
            info.meta.loaded_readonly_addresses.append(self._draw.choice(self.keys))
        self._add("transaction", ys.SubscribeUpdateTransaction(transaction=info, slot=slot))
        return info

    def _slot(self, slot: int) -> None:
        self._status(slot, FIRST_SHRED)
        self._status(slot, CREATED_BANK)
        block = ys.SubscribeUpdateBlock(
            slot=slot, blockhash=blockhash(slot), parent_slot=slot - 1,
            parent_blockhash=blockhash(slot - 1),
        )  # fmt: skip
        block.block_time.timestamp = 1_700_000_000 + slot
        block.block_height.block_height = self.height(slot)
        for index in range(12):
            info = self._transaction(slot, index)
            block.transactions.append(info)
            for number in range(2):
                version = slot * 100 + index * 2 + number
                block.accounts.append(self._account(slot, info.signature, version))
            if index % 4 == 3:
                entry = ys.SubscribeUpdateEntry(
                    slot=slot, num_hashes=12_500, hash=self._draw.randbytes(32),
                    executed_transaction_count=4,
                )  # fmt: skip
                if index > 3:
                    entry.index = index // 4
                    entry.starting_transaction_index = index - 3
                block.entries.append(entry)
                self._add("entry", entry)
        block.executed_transaction_count = 12
        block.updated_account_count = len(block.accounts)
        block.entries_count = len(block.entries)
        self._status(slot, COMPLETED)
        self._add("block", block)
        meta = ys.SubscribeUpdateBlockMeta(
            slot=slot, blockhash=block.blockhash, parent_slot=slot - 1,
            parent_blockhash=block.parent_blockhash, executed_transaction_count=12, entries_count=3,
        )  # fmt: skip
        meta.block_time.CopyFrom(block.block_time)
        meta.block_height.CopyFrom(block.block_height)
        self._add("block_meta", meta)
        self._status(slot, PROCESSED)
        for status, behind in ((CONFIRMED, 2), (FINALIZED, 8)):
            if slot - behind >= self.first:
                self._status(slot - behind, status)
