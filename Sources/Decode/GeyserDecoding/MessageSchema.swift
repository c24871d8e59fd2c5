// What the generated descriptors say about a message type, in Swift terms. The descriptors are
// constants of the generated code: they live as long as the program and are never written.

import CGeyser

/// One message type. Built when first met, kept by its `SchemaTable`.
final class MessageSchema {
    /// In the order of their numbers.
    let fields: [FieldSchema]
    /// Index into `fields` by name, both as declared and in lowerCamelCase.
    private let indexByName: [[UInt8]: Int]
    private let indexByNumber: [UInt32: Int]

    init(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) {
        let all = UnsafeBufferPointer(
            start: descriptor.pointee.fields,
            count: Int(descriptor.pointee.n_fields)
        )
        fields = all.map(FieldSchema.init).sorted { $0.number < $1.number }
        var indexByName: [[UInt8]: Int] = [:]
        var indexByNumber: [UInt32: Int] = [:]
        for (index, field) in fields.enumerated() {
            indexByName[[UInt8](field.name.utf8)] = index
            indexByName[[UInt8](field.jsonName.utf8)] = index
            indexByNumber[field.number] = index
        }
        self.indexByName = indexByName
        self.indexByNumber = indexByNumber
    }

    func index(named name: [UInt8]) -> Int? { indexByName[name] }

    func index(numbered number: UInt32) -> Int? { indexByNumber[number] }
}

/// One field of a message type.
struct FieldSchema {
    /// What the field holds.
    enum Content {
        case boolean, int32, uint32, int64, uint64, double, string, bytes
        case enumeration(UnsafePointer<ProtobufCEnumDescriptor>)
        case message(UnsafePointer<ProtobufCMessageDescriptor>)
        /// A map from strings to messages, given by its entry's value type.
        case map(UnsafePointer<ProtobufCMessageDescriptor>)
    }

    let number: UInt32
    /// As declared: snake_case.
    let name: String
    /// lowerCamelCase.
    let jsonName: String
    let isRepeated: Bool
    /// Equal for the members of one oneof; nil outside.
    let oneof: UInt32?
    let content: Content

    init(_ field: ProtobufCFieldDescriptor) {
        number = field.id
        name = String(cString: field.name)
        jsonName = FieldSchema.lowerCamelCase(name)
        isRepeated = field.label == PROTOBUF_C_LABEL_REPEATED
        let isInOneof = field.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0
        oneof = isInOneof ? field.quantifier_offset : nil
        content = FieldSchema.content(field, isRepeated: isRepeated)
    }

    private static func content(
        _ field: ProtobufCFieldDescriptor,
        isRepeated: Bool
    ) -> Content {
        switch field.type {
        case PROTOBUF_C_TYPE_BOOL: return .boolean
        case PROTOBUF_C_TYPE_INT32: return .int32
        case PROTOBUF_C_TYPE_UINT32: return .uint32
        case PROTOBUF_C_TYPE_INT64: return .int64
        case PROTOBUF_C_TYPE_UINT64: return .uint64
        case PROTOBUF_C_TYPE_DOUBLE: return .double
        case PROTOBUF_C_TYPE_STRING: return .string
        case PROTOBUF_C_TYPE_BYTES: return .bytes
        case PROTOBUF_C_TYPE_ENUM:
            return .enumeration(
                field.descriptor.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
            )
        case PROTOBUF_C_TYPE_MESSAGE:
            let message = field.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
            return isRepeated ? mapOrMessage(message) : .message(message)
        default:
            preconditionFailure("our .proto files use no type \(field.type.rawValue)")
        }
    }

    /// The maps of the protocol are declared as entry messages: a string `key` and a `value`.
    private static func mapOrMessage(
        _ message: UnsafePointer<ProtobufCMessageDescriptor>
    ) -> Content {
        guard message.pointee.n_fields == 2, let fields = message.pointee.fields,
            fields[0].id == 1, String(cString: fields[0].name) == "key",
            fields[0].type == PROTOBUF_C_TYPE_STRING,
            fields[1].id == 2, String(cString: fields[1].name) == "value",
            fields[1].type == PROTOBUF_C_TYPE_MESSAGE
        else { return .message(message) }
        return .map(
            fields[1].descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
        )
    }

    private static func lowerCamelCase(_ name: String) -> String {
        var out = ""
        var raisesNext = false
        for character in name {
            if character == "_" {
                raisesNext = true
            } else {
                out += raisesNext ? character.uppercased() : String(character)
                raisesNext = false
            }
        }
        return out
    }
}

/// The schemas met so far.
final class SchemaTable {
    private var schemas: [UnsafePointer<ProtobufCMessageDescriptor>: MessageSchema] = [:]

    func schema(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) -> MessageSchema {
        if let schema = schemas[descriptor] { return schema }
        let schema = MessageSchema(descriptor)
        schemas[descriptor] = schema
        return schema
    }
}

extension UnsafePointer<ProtobufCEnumDescriptor> {
    private var entries: UnsafeBufferPointer<ProtobufCEnumValue> {
        UnsafeBufferPointer(start: pointee.values, count: Int(pointee.n_values))
    }

    func number(named name: String) -> Int32? {
        entries.first { String(cString: $0.name) == name }?.value
    }

    func name(numbered number: Int32) -> String? {
        entries.first { $0.value == number }.map { String(cString: $0.name) }
    }
}
