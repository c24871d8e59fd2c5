import CGRPC

/// Settings of a channel or a server in the core's form. They live only during the call that
/// creates it, so they are built around it.
struct ChannelArguments {
    private var entries: [(key: String, value: Value)] = []

    private enum Value {
        case number(Int32)
        case text(String)
    }

    mutating func set(_ key: String, _ value: Int) {
        entries.append((key, .number(Int32(clamping: value))))
    }

    mutating func set(_ key: String, _ value: Bool) { set(key, value ? 1 : 0) }

    mutating func set(_ key: String, _ value: String) { entries.append((key, .text(value))) }

    func withCore<Result>(_ body: (UnsafePointer<grpc_channel_args>) -> Result) -> Result {
        var strings: [UnsafeMutableBufferPointer<CChar>] = []
        defer { for string in strings { string.deallocate() } }
        func copy(_ text: String) -> UnsafeMutablePointer<CChar>? {
            let source = text.utf8CString
            let copied = UnsafeMutableBufferPointer<CChar>.allocate(capacity: source.count)
            _ = copied.initialize(from: source)
            strings.append(copied)
            return copied.baseAddress
        }
        var raw = entries.map { entry in
            var argument = grpc_arg()
            argument.key = copy(entry.key)
            switch entry.value {
            case .number(let number):
                argument.type = GRPC_ARG_INTEGER
                argument.value.integer = number
            case .text(let text):
                argument.type = GRPC_ARG_STRING
                argument.value.string = copy(text)
            }
            return argument
        }
        return raw.withUnsafeMutableBufferPointer { entries in
            var arguments = grpc_channel_args()
            arguments.num_args = entries.count
            arguments.args = entries.baseAddress
            return body(&arguments)
        }
    }
}
