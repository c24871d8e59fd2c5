package import Assembly
package import RecordModel

/// Some records in log order with copies of their payloads: what one thread parses at a time.
///
/// One thread at a time has it: whoever fills it gives it to whoever parses it, who gives it back.
/// None of its methods runs within another one, so nothing asks for each record at run time whether
/// accesses overlap.
package final class RecordBatch: @unchecked Sendable {
    // safety: never used by two threads at once; ParseLanes hands it over under its lock.

    /// One record that matters.
    package struct Entry {
        package let sequence: Sequence
        /// When it was received: wall clock, nanoseconds. For measuring only.
        package let receivedAt: Int64
        /// The message to parse, within `bytes`; nil when `inputs` were known at once.
        let message: Range<Int>?
        let isCompressed: Bool
        let stream: StreamID
        let scope: StreamContext?
        /// What it says to the assembler, within `inputs` of the batch.
        package fileprivate(set) var inputs: Range<Int>
    }

    /// In log order.
    @exclusivity(unchecked) package private(set) var entries: [Entry] = []
    /// What the records say, one behind the other; those of a record are named by its entry.
    @exclusivity(unchecked) package private(set) var inputs: [AssemblerInput] = []
    /// What parsing this batch counted.
    @exclusivity(unchecked) package internal(set) var tally = PipelineTally()
    /// Nanoseconds that parsing took; measured by whoever parses.
    package var parseNanoseconds: UInt64 = 0
    /// Bytes of the log's payloads that went in, those of passed-over records included.
    @exclusivity(unchecked) package private(set) var payloadBytes: UInt64 = 0
    /// Records that went in.
    @exclusivity(unchecked) package private(set) var records: UInt64 = 0
    /// The newest record that went in, kept or not.
    @exclusivity(unchecked) package private(set) var last = Sequence.none

    /// Where that is in the log; nil when nobody said so.
    @exclusivity(unchecked) package var place: LogPlace?

    @exclusivity(unchecked) private(set) var bytes: [UInt8] = []
    @exclusivity(unchecked) private var known: [AssemblerInput] = []

    package init() {}

    /// Forgets the records and keeps the memory, unless an oversized one made it large.
    package func removeAll() {
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.bytesKept)
        entries.removeAll(keepingCapacity: true)
        inputs.removeAll(keepingCapacity: true)
        known.removeAll(keepingCapacity: true)
        tally = PipelineTally()
        parseNanoseconds = 0
        payloadBytes = 0
        records = 0
        last = .none
        place = nil
    }

    /// Whether it is time to hand the batch over.
    package var isFull: Bool { records >= Self.recordsMax || bytes.count >= Self.bytesMax }

    private static let bytesKept = 8 << 20
    private static let bytesMax = 1 << 20
    private static let recordsMax: UInt64 = 1024

    /// Counts a record that went in.
    func count(_ sequence: Sequence, payloadBytes count: Int) {
        records &+= 1
        payloadBytes &+= UInt64(count)
        last = sequence
    }

    /// Adds a message with a copy of its bytes.
    func add(
        _ envelope: RecordEnvelope,
        _ payload: UnsafeRawBufferPointer,
        scope: StreamContext
    ) {
        let start = bytes.count
        bytes.append(contentsOf: payload)
        entries.append(
            Entry(
                sequence: envelope.sequence,
                receivedAt: envelope.receivedAt,
                message: start..<bytes.count,
                isCompressed: envelope.isCompressed,
                stream: envelope.stream,
                scope: scope,
                inputs: 0..<0
            )
        )
    }

    /// Adds what a record says without its bytes: an event, a hole.
    func add(_ sequence: Sequence, receivedAt: Int64, _ said: [AssemblerInput]) {
        guard !said.isEmpty else { return }
        let start = known.count
        known.append(contentsOf: said)
        entries.append(
            Entry(
                sequence: sequence,
                receivedAt: receivedAt,
                message: nil,
                isCompressed: false,
                stream: .none,
                scope: nil,
                inputs: start..<known.count
            )
        )
    }

    /// Parses every message; what events say keeps its place among them.
    func parse(_ body: (Entry, RawSpan, inout [AssemblerInput], inout PipelineTally) -> Void) {
        let held = bytes
        let all = held.span.bytes
        for index in entries.indices {
            let start = inputs.count
            if let message = entries[index].message {
                body(entries[index], all.extracting(message), &inputs, &tally)
            } else {
                inputs.append(contentsOf: known[entries[index].inputs])
            }
            entries[index].inputs = start..<inputs.count
        }
    }
}
