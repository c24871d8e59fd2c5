/// Why a subscription is not served: the gRPC status and message to end it with. The client must
/// ask for something else; asking again does not help.
package struct SubscriptionRefusal: Error, Hashable, Sendable {
    /// gRPC status codes in use here.
    package enum Status: Int32, Sendable {
        case invalidArgument = 3
        case unimplemented = 12
    }

    /// What ends the call.
    package let status: Status
    /// In the reference server's words where it refuses the same.
    package let message: String

    /// The reference server's answer to a filter that it cannot build.
    static func badFilter(_ reason: String) -> SubscriptionRefusal {
        SubscriptionRefusal(
            status: .invalidArgument,
            message: "failed to create filter: \(reason)"
        )
    }

    /// Asked for something that cannot be answered exactly, and so is not answered.
    static func unsupported(_ what: String) -> SubscriptionRefusal {
        SubscriptionRefusal(status: .unimplemented, message: "\(what) is not supported")
    }
}
