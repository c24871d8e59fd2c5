internal import COpenSSL

/// Certificates or keys in PEM form.
package enum PEM: Sendable {
    /// The path of a file.
    case file(String)
    /// The text itself.
    case bytes([UInt8])
}

/// TLS could not be set up. The configuration is wrong; retrying cannot help.
package struct TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried, with OpenSSL's reason.
    package let description: String
}

/// The TLS settings of a client or a server: TLS 1.2 or later, no renegotiation, no compression.
///
/// A client always verifies the server's chain and name; there is no switch for it.
package final class TLSContext: @unchecked Sendable {
    // safety: set once here; OpenSSL counts references and locks inside SSL_new.
    let pointer: OpaquePointer

    /// Which authorities a client trusts.
    package enum Trust: Sendable {
        /// Those of the operating system.
        case system
        /// Only these, as for a private node.
        case only(PEM)
    }

    private init(_ method: OpaquePointer?) throws(TLSError) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(method) else { throw Self.failure("SSL_CTX_new") }
        pointer = context
        copenssl_harden(context)
    }

    deinit { SSL_CTX_free(pointer) }

    /// Settings of a client.
    ///
    /// - Throws: `TLSError` when the authorities cannot be read.
    package static func client(trust: Trust = .system) throws(TLSError) -> TLSContext {
        let context = try TLSContext(TLS_client_method())
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        switch trust {
        case .system:
            if SSL_CTX_set_default_verify_paths(context.pointer) != 1 {
                throw failure("system authorities")
            }
        case .only(let pem):
            let certificates = try certificates(pem, "authorities")
            defer { certificates.forEach(X509_free) }
            let store = SSL_CTX_get_cert_store(context.pointer)
            for certificate in certificates where X509_STORE_add_cert(store, certificate) != 1 {
                throw failure("authorities")
            }
        }
        return context
    }

    /// Settings of a server.
    ///
    /// - Parameters:
    ///   - certificateChain: the server's certificate first, then those between it and the root.
    ///   - privateKey: its key, not encrypted.
    /// - Returns: the settings.
    /// - Throws: `TLSError` when one cannot be read or they do not belong together.
    package static func server(
        certificateChain: PEM,
        privateKey: PEM
    ) throws(TLSError) -> TLSContext {
        let context = try TLSContext(TLS_server_method())
        let chain = try certificates(certificateChain, "certificate")
        defer { chain.forEach(X509_free) }
        if SSL_CTX_use_certificate(context.pointer, chain[0]) != 1 { throw failure("certificate") }
        for certificate in chain.dropFirst()
        where copenssl_add_chain(context.pointer, certificate) != 1 {
            throw failure("certificate")
        }
        let bio = try open(privateKey, "private key")
        defer { BIO_free(bio) }
        guard let key = PEM_read_bio_PrivateKey(bio, nil, refusePassword, nil) else {
            throw failure("private key")
        }
        defer { EVP_PKEY_free(key) }
        if SSL_CTX_use_PrivateKey(context.pointer, key) != 1
            || SSL_CTX_check_private_key(context.pointer) != 1
        {
            throw failure("private key")
        }
        return context
    }

    private static func certificates(
        _ pem: PEM,
        _ what: String
    ) throws(TLSError) -> [OpaquePointer] {
        let bio = try open(pem, what)
        defer { BIO_free(bio) }
        var found: [OpaquePointer] = []
        while let certificate = PEM_read_bio_X509(bio, nil, refusePassword, nil) {
            found.append(certificate)
        }
        // Reading stops with an error that only says "no further certificate".
        if found.isEmpty { throw failure(what) }
        ERR_clear_error()
        return found
    }

    private static func open(_ pem: PEM, _ what: String) throws(TLSError) -> OpaquePointer {
        ERR_clear_error()
        let bio: OpaquePointer? =
            switch pem {
            case .file(let path): BIO_new_file(path, "r")
            case .bytes(let bytes): copy(bytes)
            }
        guard let bio else { throw failure(what) }
        return bio
    }

    private static func copy(_ bytes: [UInt8]) -> OpaquePointer? {
        guard let bio = BIO_new(BIO_s_mem()), let count = Int32(exactly: bytes.count) else {
            return nil
        }
        BIO_write(bio, bytes, count)
        return bio
    }

    private static func failure(_ what: String) -> TLSError {
        TLSError(description: "\(what): \(opensslReason(ERR_peek_last_error()))")
    }
}

/// OpenSSL's words for an error code; "no reason given" for zero.
func opensslReason(_ code: UInt) -> String {
    guard code != 0, let text = ERR_reason_error_string(code) else { return "no reason given" }
    return String(cString: text)
}

// Without it OpenSSL would ask for a password on the terminal.
private func refusePassword(
    _ buffer: UnsafeMutablePointer<CChar>?,
    _ size: Int32,
    _ isWriting: Int32,
    _ context: UnsafeMutableRawPointer?
) -> Int32 { -1 }
