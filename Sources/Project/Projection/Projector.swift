package import MarketModel

/// A pure fold of one chain's bundles into tables. It reads no clock, no file and no random number,
/// and no order of a dictionary or set reaches what it writes.
package protocol Projector: AnyObject {
    /// Its name on the command line and in keys, such as `lifecycle`.
    static var name: String { get }
    /// Raised whenever the same bundles would give other rows; state of another version is rebuilt.
    static var version: UInt32 { get }

    /// What of its configuration changes rows, as text: part of the key of stored state.
    var configuration: String { get }

    /// Folds one bundle.
    ///
    /// - Parameters:
    ///   - bundle: the child of the one folded before.
    ///   - notices: what people want to hear of is added here; it is never read back.
    func apply(_ bundle: Bundle, notices: inout [Notice])
}

/// Something worth telling as it happens: a phase reached, a detection, a drained pool.
package struct Notice: Hashable, Sendable {
    /// What happened, such as `token_complete` or `sandwich`.
    package var kind: String
    /// Slot or block.
    package var position: UInt64
    /// Where in the block; nil when it is not one event's doing.
    package var place: EventPlace?
    /// Who it is about.
    package var subject: Address
    /// More, in the order of printing. Numbers in decimal digits, addresses as their chain writes
    /// them.
    package var details: [Detail]

    /// One thing more.
    package struct Detail: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(
        kind: String,
        position: UInt64,
        place: EventPlace?,
        subject: Address,
        details: [Detail] = []
    ) {
        self.kind = kind
        self.position = position
        self.place = place
        self.subject = subject
        self.details = details
    }
}
