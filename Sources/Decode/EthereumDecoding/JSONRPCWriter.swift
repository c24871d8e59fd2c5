import JSONText

/// Writes messages as nodes do: compact, members in their order, a line feed at the end.
package enum JSONRPCWriter {
    /// The id of an answer to what had none, and the result of a call that found nothing.
    package static let null = Array("null".utf8)

    /// Appends an answer that succeeded.
    ///
    /// - Parameters:
    ///   - result: One JSON value, copied as it is.
    ///   - id: The request's id as it stood in its text.
    ///   - output: Receives the message and its line feed.
    package static func append(result: [UInt8], id: [UInt8], to output: inout [UInt8]) {
        appendHead(id, to: &output)
        output.append(contentsOf: ",\"result\":".utf8)
        output.append(contentsOf: result)
        output.append(contentsOf: "}\n".utf8)
    }

    /// Appends an answer that failed.
    ///
    /// - Parameters:
    ///   - error: What to say.
    ///   - id: The request's id as it stood in its text, or `null`.
    ///   - output: Receives the message and its line feed.
    package static func append(error: JSONRPCError, id: [UInt8], to output: inout [UInt8]) {
        appendHead(id, to: &output)
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("code")
        writer.integer(error.code)
        writer.key("message")
        writer.string(error.message)
        writer.endObject()
        output.append(contentsOf: ",\"error\":".utf8)
        output.append(contentsOf: writer.bytes)
        output.append(contentsOf: "}\n".utf8)
    }

    /// Appends one message of several answers.
    ///
    /// - Parameters:
    ///   - answers: Answers as the other functions write them.
    ///   - output: Receives the batch and its line feed.
    package static func append(batch answers: [[UInt8]], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "["))
        for (index, answer) in answers.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            let isTerminated = answer.last == UInt8(ascii: "\n")
            output.append(contentsOf: isTerminated ? answer.dropLast() : answer[...])
        }
        output.append(contentsOf: "]\n".utf8)
    }

    /// Appends a notification of `eth_subscription`.
    ///
    /// - Parameters:
    ///   - result: One JSON value, copied as it is.
    ///   - subscription: The content of the id between its quotes, copied as it is.
    ///   - output: Receives the message and its line feed.
    package static func append(
        result: [UInt8],
        subscription: [UInt8],
        to output: inout [UInt8]
    ) {
        let head = #"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":""#
        output.append(contentsOf: head.utf8)
        output.append(contentsOf: subscription)
        output.append(contentsOf: "\",\"result\":".utf8)
        output.append(contentsOf: result)
        output.append(contentsOf: "}}\n".utf8)
    }

    private static func appendHead(_ id: [UInt8], to output: inout [UInt8]) {
        output.append(contentsOf: "{\"jsonrpc\":\"2.0\",\"id\":".utf8)
        output.append(contentsOf: id)
    }
}
