package import RecordModel

/// Some records in log order with copies of their payloads: what one thread parses at a time.
///
/// One thread at a time has it: whoever fills it gives it to whoever parses it, who gives it back.
package final class RecordBatch<Parsed> {
    /// One record.
    package struct Entry {
        package var envelope: RecordEnvelope
        /// Within `bytes`.
        package var payload: Range<Int>
        /// What parsing gave; nil before it and for records that parsing passes over.
        package var parsed: Parsed?
    }

    /// The payloads, one behind the other.
    package private(set) var bytes: [UInt8] = []
    package private(set) var entries: [Entry] = []

    package init() {}

    /// Forgets the records and keeps the memory, unless an oversized one made it large.
    ///
    /// - Parameter bytesKept: the most memory to keep.
    package func removeAll(keeping bytesKept: Int) {
        bytes.removeAll(keepingCapacity: bytes.capacity <= bytesKept)
        entries.removeAll(keepingCapacity: true)
    }

    /// Adds a copy of a record.
    package func add(_ envelope: RecordEnvelope, _ payload: UnsafeRawBufferPointer) {
        let start = bytes.count
        bytes.append(contentsOf: payload)
        entries.append(Entry(envelope: envelope, payload: start..<bytes.count, parsed: nil))
    }

    /// Gives every record to `body`, which may parse it.
    package func parse(_ body: (RecordEnvelope, RawSpan) -> Parsed?) {
        let held = bytes
        let all = held.span.bytes
        for index in entries.indices {
            let payload = all.extracting(entries[index].payload)
            entries[index].parsed = body(entries[index].envelope, payload)
        }
    }
}
