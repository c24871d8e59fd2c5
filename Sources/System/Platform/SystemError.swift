import Glibc

/// A failed call to the operating system: which call, on what, and why.
///
/// This is the world's failure, never damage and never our own bug. The caller's policy follows
/// from `errno`: `ENOSPC` and `EDQUOT` mean "wait for space", everything else on a file that is
/// being written is final for that file.
package struct SystemError: Error, Equatable, Sendable {
    /// The C function that failed, such as `open` or `fdatasync`.
    package let call: String
    /// The path, address or other subject of the call; empty when there is none.
    package let subject: String
    /// The error number the kernel gave.
    package let errno: Int32

    package init(call: String, subject: String = "", errno: Int32) {
        self.call = call
        self.subject = subject
        self.errno = errno
    }

    /// The error of the call that has just returned. Nothing may run between the call and this.
    @inline(never)
    static func last(_ call: String, _ subject: String = "") -> SystemError {
        SystemError(call: call, subject: subject, errno: Glibc.errno)
    }

    /// Whether the file system has no room: waiting for space may help.
    package var isOutOfSpace: Bool { errno == ENOSPC || errno == EDQUOT }
    /// Whether the subject does not exist.
    package var isNotFound: Bool { errno == ENOENT }
    /// Whether the subject exists already.
    package var isAlreadyThere: Bool { errno == EEXIST }
    /// Whether permission is missing, or the file system is read-only.
    package var isDenied: Bool { errno == EACCES || errno == EPERM || errno == EROFS }
    /// Whether a symbolic link stands where a file or folder of ours must be.
    package var isSymbolicLink: Bool { errno == ELOOP }
}

extension SystemError: CustomStringConvertible {
    package var description: String {
        let reason = String(cString: strerror(errno))
        return subject.isEmpty ? "\(call): \(reason)" : "\(call) \(subject): \(reason)"
    }
}
