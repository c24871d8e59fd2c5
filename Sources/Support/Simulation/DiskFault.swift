/// What goes wrong on a simulated disk, and with which operations.
package struct DiskFault: Sendable, Equatable {
    /// What the failure is like.
    package enum Kind: Sendable, Equatable {
        /// The operation fails. A write may arrive in part, a change of names may take effect, a
        /// failed sync drops what it did not write.
        case error
        /// As `error`, but only what needs space fails, with ENOSPC.
        case full
        /// The power goes during the first operation; nothing works afterwards.
        case powerLoss
    }

    /// The first and the last operation that it strikes.
    package var from: Int
    package var through: Int
    package var kind: Kind
    /// The error number that failing operations give.
    package var errno: Int32

    /// The operation of this number fails with an error, later ones work.
    package static func once(at number: Int, errno: Int32) -> DiskFault {
        DiskFault(from: number, through: number, kind: .error, errno: errno)
    }

    /// The operation of this number and all later ones fail, as if the disk were gone.
    package static func always(from number: Int, errno: Int32) -> DiskFault {
        DiskFault(from: number, through: .max, kind: .error, errno: errno)
    }

    /// From this number on every operation that needs space fails with ENOSPC.
    package static func full(from number: Int) -> DiskFault {
        DiskFault(from: number, through: .max, kind: .full, errno: 28)
    }

    /// The power goes during the operation of this number.
    package static func powerLoss(at number: Int) -> DiskFault {
        DiskFault(from: number, through: .max, kind: .powerLoss, errno: 5)
    }

    func applies(to number: Int, needsSpace: Bool) -> Bool {
        number >= from && number <= through && (kind != .full || needsSpace)
    }
}
