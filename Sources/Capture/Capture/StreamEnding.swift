/// How a stream ended, or why none came about.
package struct StreamEnding: Sendable, Equatable {
    /// What it says about trying again.
    package enum Advice: Sendable, Equatable {
        /// Soon.
        case soon
        /// The other side is overloaded or a quota is used up: later.
        case busy
        /// The same request will be refused again: hardly ever.
        case refused
    }

    /// A name for programs, such as `server_ended`, `connection_lost`, `message_too_large`.
    package var cause: String
    /// One line for people, secrets masked.
    package var text: String
    package var advice: Advice
    /// Nanoseconds for which the server asked to be left alone; nil when it did not.
    package var retryAfter: UInt64?
    /// Asked for on our side.
    package var isOnRequest: Bool
    /// Ended as its protocol means it to end: gRPC OK, WebSocket 1000 or 1001.
    package var isOrderly: Bool

    package init(
        cause: String,
        text: String,
        advice: Advice = .soon,
        retryAfter: UInt64? = nil,
        isOnRequest: Bool = false,
        isOrderly: Bool = false
    ) {
        self.cause = cause
        self.text = text
        self.advice = advice
        self.retryAfter = retryAfter
        self.isOnRequest = isOnRequest
        self.isOrderly = isOrderly
    }

    /// Whether something may be missing behind a stream that ended like this.
    package var opensGap: Bool { !isOnRequest && !isOrderly }
}

extension StreamEnding.Advice {
    /// The advice of a gRPC status.
    ///
    /// - Parameter code: the number on the wire.
    package init(grpcStatus code: Int32) {
        switch code {
        // RESOURCE_EXHAUSTED.
        case 8: self = .busy
        // INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED.
        case 3, 7, 12, 16: self = .refused
        default: self = .soon
        }
    }

    /// The advice of an HTTP answer that refuses an upgrade.
    package init(httpStatus status: Int) {
        switch status {
        case 401, 403, 404: self = .refused
        case 429, 503: self = .busy
        default: self = .soon
        }
    }

    /// The advice of a WebSocket close code.
    package init(closeCode code: UInt16) {
        switch code {
        // Try again later.
        case 1013: self = .busy
        // Policy violation: a key that is not taken, or a limit. Providers mean both by it, so it
        // is not taken for permanent.
        case 1008: self = .busy
        default: self = .soon
        }
    }
}
