"""The Yellowstone messages as Python classes, built at run time.

The tables below are written from the published wire facts and share nothing with the program's own
`.proto` files, so that an error there cannot hide here. They use proto2 rules, where every single
field knows whether it was on the wire.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_TABLES = """
CommitmentLevel = PROCESSED CONFIRMED FINALIZED
SlotStatus = SLOT_PROCESSED SLOT_CONFIRMED SLOT_FINALIZED SLOT_FIRST_SHRED_RECEIVED SLOT_COMPLETED SLOT_CREATED_BANK SLOT_DEAD

SubscribeRequest
  1 accounts map SubscribeRequestFilterAccounts
  2 slots map SubscribeRequestFilterSlots
  3 transactions map SubscribeRequestFilterTransactions
  10 transactions_status map SubscribeRequestFilterTransactions
  4 blocks map SubscribeRequestFilterBlocks
  5 blocks_meta map SubscribeRequestFilterEmpty
  8 entry map SubscribeRequestFilterEmpty
  6 commitment one CommitmentLevel
  7 accounts_data_slice rep SubscribeRequestAccountsDataSlice
  9 ping one SubscribeRequestPing
  11 from_slot one uint64
SubscribeRequestFilterEmpty
SubscribeRequestPing
  1 id one int32
SubscribeRequestAccountsDataSlice
  1 offset one uint64
  2 length one uint64
SubscribeRequestFilterAccounts
  2 account rep string
  3 owner rep string
  4 filters rep SubscribeRequestFilterAccountsFilter
  5 nonempty_txn_signature one bool
SubscribeRequestFilterAccountsFilter
  1 memcmp one SubscribeRequestFilterAccountsFilterMemcmp
  2 datasize one uint64
  3 token_account_state one bool
  4 lamports one SubscribeRequestFilterAccountsFilterLamports
SubscribeRequestFilterAccountsFilterMemcmp
  1 offset one uint64
  2 bytes one bytes
  3 base58 one string
  4 base64 one string
SubscribeRequestFilterAccountsFilterLamports
  1 eq one uint64
  2 ne one uint64
  3 lt one uint64
  4 gt one uint64
SubscribeRequestFilterSlots
  1 filter_by_commitment one bool
  2 interslot_updates one bool
SubscribeRequestFilterTransactions
  1 vote one bool
  2 failed one bool
  5 signature one string
  3 account_include rep string
  4 account_exclude rep string
  6 account_required rep string
SubscribeRequestFilterBlocks
  1 account_include rep string
  2 include_transactions one bool
  3 include_accounts one bool
  4 include_entries one bool

SubscribeUpdate
  1 filters rep string
  2 account one SubscribeUpdateAccount
  3 slot one SubscribeUpdateSlot
  4 transaction one SubscribeUpdateTransaction
  10 transaction_status one SubscribeUpdateTransactionStatus
  5 block one SubscribeUpdateBlock
  6 ping one SubscribeUpdatePing
  9 pong one SubscribeUpdatePong
  7 block_meta one SubscribeUpdateBlockMeta
  8 entry one SubscribeUpdateEntry
  11 created_at one Timestamp
Timestamp
  1 seconds one int64
  2 nanos one int32
SubscribeUpdateAccount
  1 account one SubscribeUpdateAccountInfo
  2 slot one uint64
  3 is_startup one bool
SubscribeUpdateAccountInfo
  1 pubkey one bytes
  2 lamports one uint64
  3 owner one bytes
  4 executable one bool
  5 rent_epoch one uint64
  6 data one bytes
  7 write_version one uint64
  8 txn_signature one bytes
SubscribeUpdateSlot
  1 slot one uint64
  2 parent one uint64
  3 status one SlotStatus
  4 dead_error one string
SubscribeUpdateTransaction
  1 transaction one SubscribeUpdateTransactionInfo
  2 slot one uint64
SubscribeUpdateTransactionInfo
  1 signature one bytes
  2 is_vote one bool
  3 transaction one Transaction
  4 meta one TransactionStatusMeta
  5 index one uint64
SubscribeUpdateTransactionStatus
  1 slot one uint64
  2 signature one bytes
  3 is_vote one bool
  4 index one uint64
  5 err one TransactionError
SubscribeUpdateBlock
  1 slot one uint64
  2 blockhash one string
  3 rewards one Rewards
  4 block_time one UnixTimestamp
  5 block_height one BlockHeight
  7 parent_slot one uint64
  8 parent_blockhash one string
  9 executed_transaction_count one uint64
  6 transactions rep SubscribeUpdateTransactionInfo
  10 updated_account_count one uint64
  11 accounts rep SubscribeUpdateAccountInfo
  12 entries_count one uint64
  13 entries rep SubscribeUpdateEntry
SubscribeUpdateBlockMeta
  1 slot one uint64
  2 blockhash one string
  3 rewards one Rewards
  4 block_time one UnixTimestamp
  5 block_height one BlockHeight
  6 parent_slot one uint64
  7 parent_blockhash one string
  8 executed_transaction_count one uint64
  9 entries_count one uint64
SubscribeUpdateEntry
  1 slot one uint64
  2 index one uint64
  3 num_hashes one uint64
  4 hash one bytes
  5 executed_transaction_count one uint64
  6 starting_transaction_index one uint64
SubscribeUpdatePing
SubscribeUpdatePong
  1 id one int32

SubscribeReplayInfoRequest
SubscribeReplayInfoResponse
  1 first_available one uint64
PingRequest
  1 count one int32
PongResponse
  1 count one int32
GetLatestBlockhashRequest
  1 commitment one CommitmentLevel
GetLatestBlockhashResponse
  1 slot one uint64
  2 blockhash one string
  3 last_valid_block_height one uint64
GetBlockHeightRequest
  1 commitment one CommitmentLevel
GetBlockHeightResponse
  1 block_height one uint64
GetSlotRequest
  1 commitment one CommitmentLevel
GetSlotResponse
  1 slot one uint64
GetVersionRequest
GetVersionResponse
  1 version one string
IsBlockhashValidRequest
  1 blockhash one string
  2 commitment one CommitmentLevel
IsBlockhashValidResponse
  1 slot one uint64
  2 valid one bool

Transaction
  1 signatures rep bytes
  2 message one Message
Message
  1 header one MessageHeader
  2 account_keys rep bytes
  3 recent_blockhash one bytes
  4 instructions rep CompiledInstruction
  5 versioned one bool
  6 address_table_lookups rep MessageAddressTableLookup
MessageHeader
  1 num_required_signatures one uint32
  2 num_readonly_signed_accounts one uint32
  3 num_readonly_unsigned_accounts one uint32
MessageAddressTableLookup
  1 account_key one bytes
  2 writable_indexes one bytes
  3 readonly_indexes one bytes
CompiledInstruction
  1 program_id_index one uint32
  2 accounts one bytes
  3 data one bytes
TransactionStatusMeta
  1 err one TransactionError
  2 fee one uint64
  3 pre_balances packed uint64
  4 post_balances packed uint64
  6 log_messages rep string
  12 loaded_writable_addresses rep bytes
  13 loaded_readonly_addresses rep bytes
TransactionError
  1 err one bytes
Rewards
  1 rewards rep Reward
Reward
  1 pubkey one string
  2 lamports one int64
UnixTimestamp
  1 timestamp one int64
BlockHeight
  1 block_height one uint64
"""

_SCALARS = {
    name: getattr(descriptor_pb2.FieldDescriptorProto, "TYPE_" + name.upper())
    for name in ("bool", "bytes", "int32", "int64", "string", "uint32", "uint64")
}


def _build() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="peer.proto", package="peer", syntax="proto2")
    enums = {line.split()[0] for line in _TABLES.splitlines() if " = " in line}
    message: Any = None
    for line in filter(str.strip, _TABLES.splitlines()):
        words = line.split()
        if " = " in line:
            enum = file.enum_type.add(name=words[0])
            for number, name in enumerate(words[2:]):
                enum.value.add(name=name, number=number)
        elif not line.startswith(" "):
            message = file.message_type.add(name=words[0])
        else:
            _add_field(message, int(words[0]), words[1], words[2], words[3], enums)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClassesForFiles(["peer.proto"], pool)


def _add_field(
    message: Any, number: int, name: str, label: str, kind: str, enums: set[str]
) -> None:
    proto = descriptor_pb2.FieldDescriptorProto
    field = message.field.add(name=name, number=number)
    field.label = proto.LABEL_OPTIONAL if label == "one" else proto.LABEL_REPEATED
    if label == "map":
        entry = message.nested_type.add(name="".join(w.title() for w in name.split("_")) + "Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=1, type=proto.TYPE_STRING)
        entry.field.add(
            name="value", number=2, label=1, type=proto.TYPE_MESSAGE, type_name=".peer." + kind
        )
        field.type, field.type_name = proto.TYPE_MESSAGE, f".peer.{message.name}.{entry.name}"
    elif kind in _SCALARS:
        field.type = _SCALARS[kind]
        field.options.packed = label == "packed"
        if label != "packed":
            field.ClearField("options")
    else:
        field.type = proto.TYPE_ENUM if kind in enums else proto.TYPE_MESSAGE
        field.type_name = ".peer." + kind


_CLASSES = _build()


def __getattr__(name: str) -> Any:
    try:
        return _CLASSES["peer." + name]
    except KeyError:
        raise AttributeError(name) from None


#: The members of the update's oneof, by name.
KINDS = (
    "account", "slot", "transaction", "transaction_status", "block", "ping", "pong",
    "block_meta", "entry",
)  # fmt: skip


def kind_of(update: Any) -> str:
    """Which kind of update a decoded SubscribeUpdate holds; empty for none."""
    return next((kind for kind in KINDS if update.HasField(kind)), "")


def without_filters(message: bytes) -> bytes:
    """The bytes of a SubscribeUpdate with every `filters` field (number 1) taken out."""
    out, place = bytearray(), 0
    while place < len(message):
        start = place
        tag, place = _varint(message, place)
        wire = tag & 7
        if wire == 0:
            _, place = _varint(message, place)
        elif wire == 2:
            length, place = _varint(message, place)
            place += length
        elif wire == 1:
            place += 8
        elif wire == 5:
            place += 4
        else:
            raise ValueError(f"wire type {wire} at {start}")
        if tag >> 3 != 1:
            out += message[start:place]
    return bytes(out)


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(data: bytes) -> str:
    """Bytes as Solana writes keys and hashes."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def unbase58(text: str) -> bytes:
    """The bytes of a base58 text."""
    number = 0
    for letter in text:
        number = number * 58 + _ALPHABET.index(letter)
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return b"\0" * (len(text) - len(text.lstrip("1"))) + body
