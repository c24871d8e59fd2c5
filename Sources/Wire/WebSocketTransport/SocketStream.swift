internal import COpenSSL
internal import Glibc

/// Why a byte stream broke.
package enum StreamFailure: Error, Equatable, Sendable {
    /// The peer or the kernel cut it: the errno, such as ECONNRESET or ETIMEDOUT.
    case reset(errno: Int32)
    /// TLS failed: OpenSSL's reason.
    case tls(String)
}

/// One connected, non-blocking socket, plain or under TLS. Belongs to the loop's thread.
final class SocketStream {
    /// What a read, write or handshake step came to.
    enum Outcome {
        case bytes(Int)
        /// Try again when the socket is readable, or writable.
        case wait(forWrite: Bool)
        /// The peer ended its side; under TLS, whether it said so.
        case end(isClean: Bool)
        case failed(StreamFailure)
    }

    let descriptor: Int32
    private var session: OpaquePointer?
    private var isClosed = false

    /// Takes over a connected, non-blocking socket.
    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close() }

    /// Puts TLS on top, as the client of a named host.
    func startClientTLS(_ context: TLSContext, host: String) throws(TLSError) {
        let session = try makeSession(context)
        var address = in6_addr()
        let isIPv4 = inet_pton(AF_INET, host, &address) == 1
        if isIPv4 || inet_pton(AF_INET6, host, &address) == 1 {
            let parameters = SSL_get0_param(session)
            if X509_VERIFY_PARAM_set1_ip_asc(parameters, host) != 1 {
                throw TLSError(description: "address to verify: \(host)")
            }
        } else {
            copenssl_forbid_partial_wildcards(session)
            if SSL_set1_host(session, host) != 1 || copenssl_set_sni(session, host) != 1 {
                throw TLSError(description: "name to verify: \(host)")
            }
        }
        SSL_set_connect_state(session)
    }

    /// Puts TLS on top, as the server.
    func startServerTLS(_ context: TLSContext) throws(TLSError) {
        SSL_set_accept_state(try makeSession(context))
    }

    private func makeSession(_ context: TLSContext) throws(TLSError) -> OpaquePointer {
        ERR_clear_error()
        guard let made = SSL_new(context.pointer), SSL_set_fd(made, descriptor) == 1 else {
            throw TLSError(description: opensslReason(ERR_peek_last_error()))
        }
        session = made
        return made
    }

    /// Whether decrypted bytes wait inside OpenSSL, of which epoll knows nothing.
    var hasBufferedInput: Bool {
        guard let session else { return false }
        return SSL_pending(session) > 0
    }

    /// Goes on with the TLS handshake; `.bytes(0)` when it is done or there is none.
    func handshake() -> Outcome {
        guard let session else { return .bytes(0) }
        ERR_clear_error()
        let code = SSL_do_handshake(session)
        return code == 1 ? .bytes(0) : outcome(session, code)
    }

    /// Reads what is there, at least one byte.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        guard let session else { return readPlain(buffer) }
        ERR_clear_error()
        var count = 0
        let code = SSL_read_ex(session, buffer.baseAddress, buffer.count, &count)
        return code == 1 ? .bytes(count) : outcome(session, code)
    }

    /// Writes what fits, at least one byte.
    func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard let session else { return writePlain(bytes) }
        ERR_clear_error()
        var count = 0
        let code = SSL_write_ex(session, bytes.baseAddress, bytes.count, &count)
        return code == 1 ? .bytes(count) : outcome(session, code)
    }

    private func readPlain(_ buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end(isClean: true) }
            let code = errno
            if code == EAGAIN { return .wait(forWrite: false) }
            if code != EINTR { return .failed(.reset(errno: code)) }
        }
    }

    private func writePlain(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        while true {
            let count = send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .bytes(count) }
            let code = errno
            if code == EAGAIN { return .wait(forWrite: true) }
            if code != EINTR { return .failed(.reset(errno: code)) }
        }
    }

    private func outcome(_ session: OpaquePointer, _ code: Int32) -> Outcome {
        let systemCode = errno
        switch SSL_get_error(session, code) {
        case SSL_ERROR_WANT_READ: return .wait(forWrite: false)
        case SSL_ERROR_WANT_WRITE: return .wait(forWrite: true)
        case SSL_ERROR_ZERO_RETURN: return .end(isClean: true)
        case SSL_ERROR_SYSCALL:
            return systemCode == 0
                ? .end(isClean: false) : .failed(.reset(errno: systemCode))
        default:
            let error = ERR_peek_error()
            if copenssl_is_unexpected_end(error) != 0 { return .end(isClean: false) }
            var reason = opensslReason(error)
            if copenssl_is_certificate_failure(error) != 0 {
                let result = SSL_get_verify_result(session)
                if let text = X509_verify_cert_error_string(result) {
                    reason += ": \(String(cString: text))"
                }
            }
            return .failed(.tls(reason))
        }
    }

    /// Ends our side: the peer reads everything sent so far, then the end.
    func endWriting() {
        if isClosed { return }
        if let session, SSL_is_init_finished(session) == 1 {
            ERR_clear_error()
            SSL_shutdown(session)
        }
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Closes at once; bytes not yet sent by the kernel still go out.
    func close() {
        if isClosed { return }
        isClosed = true
        if let session { SSL_free(session) }
        session = nil
        Glibc.close(descriptor)
    }
}
