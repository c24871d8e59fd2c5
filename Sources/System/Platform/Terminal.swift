import Glibc

/// Standard output and standard error as plain descriptors, without the C library's buffers.
package enum Terminal {
    /// One of the two output streams of the process.
    package enum Stream: Sendable {
        case output, error
        fileprivate var descriptor: Int32 { self == .output ? STDOUT_FILENO : STDERR_FILENO }
    }

    /// Whether a person is watching this stream.
    package static func isTerminal(_ stream: Stream) -> Bool { isatty(stream.descriptor) == 1 }

    /// Columns of the terminal, or nil when there is none.
    package static func columns(_ stream: Stream) -> Int? {
        var size = winsize()
        guard ioctl(stream.descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return nil
        }
        return Int(size.ws_col)
    }

    /// Writes all bytes.
    ///
    /// - Throws: the error of `write`; EPIPE when the reader has gone.
    package static func write(
        _ bytes: UnsafeRawBufferPointer,
        to stream: Stream
    ) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(
                stream.descriptor,
                bytes.baseAddress.map { $0 + done },
                bytes.count - done
            )
            if count < 0 {
                let error = SystemError.last("write", stream == .output ? "stdout" : "stderr")
                if error.errno == EINTR { continue }
                if error.errno == EAGAIN {
                    var request = pollfd(fd: stream.descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&request, 1, -1)
                    continue
                }
                throw error
            }
            done += count
        }
    }

    /// Writes a text as UTF-8.
    ///
    /// - Throws: the error of `write`; EPIPE when the reader has gone.
    package static func write(_ text: String, to stream: Stream) throws(SystemError) {
        var text = text
        let failure: SystemError? = text.withUTF8 { bytes in
            do throws(SystemError) {
                try write(UnsafeRawBufferPointer(bytes), to: stream)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }
}

/// The variables of the process's environment.
package enum Environment {
    /// The value of a variable, or nil when it is not set.
    package static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
