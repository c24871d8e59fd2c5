extension JSONValue {
    /// Appends the value in one form for all texts that mean the same.
    ///
    /// No white space, strings as `JSONWriter` escapes them, members sorted by the bytes of their
    /// keys; where a key stands twice only the last member is written. Numbers keep their text, so
    /// `1` and `1.0` differ.
    ///
    /// - Parameter bytes: Receives the text.
    package func appendCanonical(to bytes: inout [UInt8]) {
        // Recursion is bounded: no value is deeper than the limit of its document.
        switch kind {
        case .null, .boolean, .number: bytes.append(contentsOf: rawBytes)
        case .string:
            guard let string else { preconditionFailure("a string holds a string") }
            JSONWriter.quote(string, into: &bytes)
        case .array:
            bytes.append(UInt8(ascii: "["))
            var isFirst = true
            for element in elements {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                element.appendCanonical(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object: appendCanonicalMembers(to: &bytes)
        }
    }

    private func appendCanonicalMembers(to bytes: inout [UInt8]) {
        var last: [[UInt8]: JSONValue] = [:]
        for member in members {
            guard let key = member.key.stringBytes else { preconditionFailure("a key is a string") }
            last[key] = member.value
        }
        // Sorted, so that the order of the dictionary does not reach the output.
        let sorted = last.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for (key, value) in sorted {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONWriter.quote(String(decoding: key, as: UTF8.self), into: &bytes)
            bytes.append(UInt8(ascii: ":"))
            value.appendCanonical(to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }
}
