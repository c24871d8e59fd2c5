/// What one recorded update becomes for one subscription: no message, or some, as wire bytes in a
/// buffer that is used again for the next update.
package struct FilteredUpdates {
    /// One message to send.
    package struct Message: Hashable, Sendable {
        /// Differs from the recorded update's where a status was made from a transaction.
        package let kind: UpdateKind
        /// Within `bytes`.
        package let range: Range<Int>
    }

    /// All messages, one after the other.
    package private(set) var bytes: [UInt8] = []
    package private(set) var messages: [Message] = []

    // Scratch of the filter, kept here so that it is kept at all.
    var names: [UTF8Text] = []
    var body: [UInt8] = []
    var part: [UInt8] = []
    var transaction = TransactionView()

    package init() {}

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        messages.removeAll(keepingCapacity: true)
    }

    /// Appends the update with `names` in place of its filter names and every other byte kept in
    /// order; with `newBody`, that field number and the bytes of `body` in place of the oneof.
    mutating func append(
        _ update: RawSpan,
        _ kind: UpdateKind,
        hasNames: Bool,
        newBody: UInt32? = nil
    ) throws(ProtobufError) {
        let start = bytes.count
        var namesAreDue = true
        if !hasNames {
            appendNames()
            namesAreDue = false
        }
        var offset = 0
        while let field = try ProtobufReader.next(update, at: &offset, end: update.byteCount) {
            if field.number == 1 {
                if namesAreDue { appendNames() }
                namesAreDue = false
            } else if let newBody, UpdateKind(field: field.number) != nil {
                ProtobufWriter.bytes(newBody, body, to: &bytes)
            } else {
                ProtobufWriter.copy(update, field.range, to: &bytes)
            }
        }
        messages.append(Message(kind: kind, range: start..<bytes.count))
    }

    private mutating func appendNames() {
        for name in names { ProtobufWriter.text(1, name, to: &bytes) }
    }
}
