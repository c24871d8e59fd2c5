package import MarketModel
package import Projection

/// The trades of one pool in one slot, kept for a while: what detectors look back on and people see
/// as the newest trades.
package struct TradingRecent: TableRow {
    /// Slot and pool.
    package struct Key: Hashable, Comparable, Sendable {
        package var slot: UInt64
        package var pool: Address

        package init(slot: UInt64, pool: Address) {
            self.slot = slot
            self.pool = pool
        }

        /// The last word of an address tells it apart well enough.
        package func hash(into hasher: inout Hasher) {
            hasher.combine(slot)
            hasher.combine(pool.storage.words.3)
        }

        package static func < (left: Key, right: Key) -> Bool {
            left.slot == right.slot ? left.pool < right.pool : left.slot < right.slot
        }
    }

    /// What was traded.
    package var token: Address
    /// What it was traded for.
    package var quote: Address
    /// In chain order.
    package private(set) var legs: [TradeLeg]
    /// One for each leg; made of them, never stored.
    private(set) var scan: [TradeScan]
    /// Legs beyond the bound, which are not kept.
    package var dropped: UInt32

    package init(token: Address, quote: Address, legs: [TradeLeg], dropped: UInt32 = 0) {
        self.token = token
        self.quote = quote
        self.legs = legs
        self.dropped = dropped
        scan = legs.map(TradeScan.init)
    }

    /// Adds marks to a leg.
    mutating func mark(_ index: Int, _ marks: TradeLeg.Marks) {
        legs[index].marks.formUnion(marks)
        scan[index].marks.formUnion(marks)
    }

    package static let schema = TableSchema(
        "recent_trades",
        "Trades of a pool in a slot, for the newest slots",
        key: [
            Column("slot", .unsigned64, "slot or block"),
            Column("pool", .address, "the pool; a pump.fun curve is named by its coin"),
        ],
        columns: [
            Column("token", .address, "what was traded"),
            Column("quote", .address, "what it was traded for"),
            Column("count", .unsigned32, "legs that are kept"),
            Column("dropped", .unsigned32, "legs beyond the bound"),
            Column("legs", .bytes, "legs one behind the other, packed as the README says"),
        ],
        isOrdered: true
    )

    package static func encode(_ key: Key, to writer: inout RowWriter) {
        writer.add(key.slot)
        writer.add(key.pool)
    }

    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key {
        Key(slot: try reader.unsigned64(), pool: try reader.address())
    }

    package func encode(to writer: inout RowWriter) {
        writer.add(token)
        writer.add(quote)
        writer.add(UInt32(clamping: legs.count))
        writer.add(dropped)
        var packed = RowWriter()
        for leg in legs {
            // The slot is repeated, because columns are read without the key.
            packed.add(leg.slot)
            leg.pack(into: &packed)
        }
        writer.add(packed.bytes)
    }

    /// Reads the other columns.
    package init(from reader: inout RowReader) throws(RowError) {
        token = try reader.address()
        quote = try reader.address()
        let count = try reader.unsigned32()
        dropped = try reader.unsigned32()
        var packed = RowReader(try reader.byteString())
        legs = []
        for _ in 0..<count {
            let slot = try packed.unsigned64()
            legs.append(try TradeLeg(unpacking: &packed, slot: slot))
        }
        try packed.finish()
        scan = legs.map(TradeScan.init)
    }
}

/// The transfers of one token between wallets in one slot.
package struct TradingLinks: TableRow {
    /// One transfer.
    package struct Link: Hashable, Sendable {
        package var transaction: UInt32
        package var from: Address
        package var to: Address
        package var amount: UInt128
    }

    /// Slot and token.
    package struct Key: Hashable, Comparable, Sendable {
        package var slot: UInt64
        package var token: Address

        package init(slot: UInt64, token: Address) {
            self.slot = slot
            self.token = token
        }

        /// The last word of an address tells it apart well enough.
        package func hash(into hasher: inout Hasher) {
            hasher.combine(slot)
            hasher.combine(token.storage.words.3)
        }

        package static func < (left: Key, right: Key) -> Bool {
            left.slot == right.slot ? left.token < right.token : left.slot < right.slot
        }
    }

    /// In chain order.
    package var links: [Link]

    package init(_ links: [Link] = []) {
        self.links = links
    }

    package static let schema = TableSchema(
        "recent_links",
        "Transfers of a token between wallets in a slot, for as many slots as sandwiches may span",
        key: [
            Column("slot", .unsigned64, "slot or block"),
            Column("token", .address, "what was transferred"),
        ],
        columns: [
            Column("count", .unsigned32, "transfers that are kept"),
            Column("links", .bytes, "each: transaction (4 bytes), from, to, amount (16 bytes)"),
        ],
        isOrdered: true
    )

    package static func encode(_ key: Key, to writer: inout RowWriter) {
        writer.add(key.slot)
        writer.add(key.token)
    }

    package static func decodeKey(_ reader: inout RowReader) throws(RowError) -> Key {
        Key(slot: try reader.unsigned64(), token: try reader.address())
    }

    package func encode(to writer: inout RowWriter) {
        writer.add(UInt32(clamping: links.count))
        var packed = RowWriter()
        for link in links {
            packed.add(link.transaction)
            packed.add(link.from)
            packed.add(link.to)
            packed.add(link.amount)
        }
        writer.add(packed.bytes)
    }

    /// Reads the other columns.
    package init(from reader: inout RowReader) throws(RowError) {
        let count = try reader.unsigned32()
        var packed = RowReader(try reader.byteString())
        links = []
        for _ in 0..<count {
            links.append(
                Link(
                    transaction: try packed.unsigned32(),
                    from: try packed.address(),
                    to: try packed.address(),
                    amount: try packed.unsigned128()
                )
            )
        }
        try packed.finish()
    }
}
