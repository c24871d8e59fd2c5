// Two independent readings of one message, as lists of "path=value" lines: protobuf-c's unpacked
// structs walked by their descriptors, and ProtobufReader over the same bytes. The descriptors only
// tell the reader which fields are messages.

import CGeyser
import GeyserDecoding

enum MessageOracle {
    /// Descriptor of a message type, taken from its init function.
    static func updateDescriptor() -> UnsafePointer<ProtobufCMessageDescriptor> {
        var message = Geyser__SubscribeUpdate()
        geyser__subscribe_update__init(&message)
        return message.base.descriptor
    }

    static func requestDescriptor() -> UnsafePointer<ProtobufCMessageDescriptor> {
        var message = Geyser__SubscribeRequest()
        geyser__subscribe_request__init(&message)
        return message.base.descriptor
    }

    /// What protobuf-c sees; nil when it refuses the bytes.
    static func linesByC(
        _ bytes: [UInt8],
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>
    ) -> [String]? {
        guard let message = protobuf_c_message_unpack(descriptor, nil, bytes.count, bytes) else {
            return nil
        }
        defer { protobuf_c_message_free_unpacked(message, nil) }
        var lines: [String] = []
        walk(UnsafeRawPointer(message), descriptor, "", &lines)
        return lines.sorted()
    }

    /// What the wire reader sees.
    static func linesByReader(
        _ bytes: [UInt8],
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>
    ) throws -> [String] {
        var lines: [String] = []
        try read(bytes.span.bytes, 0..<bytes.count, descriptor, "", &lines)
        return lines.sorted()
    }

    private static func fields(
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>
    ) -> UnsafeBufferPointer<ProtobufCFieldDescriptor> {
        UnsafeBufferPointer(
            start: descriptor.pointee.fields,
            count: Int(descriptor.pointee.n_fields)
        )
    }

    // MARK: protobuf-c

    private static func walk(
        _ message: UnsafeRawPointer,
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ path: String,
        _ lines: inout [String]
    ) {
        for field in fields(descriptor) {
            let member = message + Int(field.offset)
            let quantifier = message + Int(field.quantifier_offset)
            let name = "\(path)/\(field.id)"
            if field.label == PROTOBUF_C_LABEL_REPEATED {
                let count = quantifier.load(as: Int.self)
                guard count > 0 else { continue }
                let array = member.load(as: UnsafeRawPointer.self)
                for index in 0..<count {
                    let element = array + index * size(field.type)
                    walkValue(element, field, "\(name)[\(index)]", &lines)
                }
            } else {
                let isOneof = field.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0
                let isPointer =
                    field.type == PROTOBUF_C_TYPE_STRING || field.type == PROTOBUF_C_TYPE_MESSAGE
                if isOneof {
                    guard quantifier.load(as: UInt32.self) == field.id else { continue }
                } else if isPointer {
                    guard member.load(as: UnsafeRawPointer?.self) != nil else { continue }
                } else {
                    guard quantifier.load(as: Int32.self) != 0 else { continue }
                }
                walkValue(member, field, "\(name)[0]", &lines)
            }
        }
    }

    private static func walkValue(
        _ value: UnsafeRawPointer,
        _ field: ProtobufCFieldDescriptor,
        _ path: String,
        _ lines: inout [String]
    ) {
        switch field.type {
        case PROTOBUF_C_TYPE_MESSAGE:
            lines.append("\(path){")
            let inner = field.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
            walk(value.load(as: UnsafeRawPointer.self), inner, path, &lines)
        case PROTOBUF_C_TYPE_STRING:
            let text = value.load(as: UnsafePointer<CChar>.self)
            lines.append("\(path)=\([UInt8](String(cString: text).utf8))")
        case PROTOBUF_C_TYPE_BYTES:
            let data = value.load(as: ProtobufCBinaryData.self)
            lines.append(
                "\(path)=\([UInt8](UnsafeBufferPointer(start: data.data, count: data.len)))"
            )
        case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_DOUBLE:
            lines.append("\(path)=\(value.load(as: UInt64.self))")
        case PROTOBUF_C_TYPE_UINT32:
            lines.append("\(path)=\(value.load(as: UInt32.self))")
        case PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_ENUM:
            lines.append("\(path)=\(value.load(as: Int32.self))")
        case PROTOBUF_C_TYPE_BOOL:
            lines.append("\(path)=\(value.load(as: Int32.self) != 0)")
        default:
            lines.append("\(path)=type \(field.type.rawValue) is not expected")
        }
    }

    private static func size(_ type: ProtobufCType) -> Int {
        switch type {
        case PROTOBUF_C_TYPE_MESSAGE, PROTOBUF_C_TYPE_STRING: 8
        case PROTOBUF_C_TYPE_BYTES: MemoryLayout<ProtobufCBinaryData>.size
        case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_DOUBLE: 8
        default: 4
        }
    }

    // MARK: ProtobufReader

    private static func read(
        _ bytes: RawSpan,
        _ range: Range<Int>,
        _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>,
        _ path: String,
        _ lines: inout [String]
    ) throws(ProtobufError) {
        let known = fields(descriptor)
        var counts: [UInt32: Int] = [:]
        var offset = range.lowerBound
        while let found = try ProtobufReader.next(bytes, at: &offset, end: range.upperBound) {
            guard let field = known.first(where: { $0.id == found.number }) else { continue }
            func place() -> String {
                defer { counts[found.number, default: 0] += 1 }
                return "\(path)/\(found.number)[\(counts[found.number, default: 0])]"
            }
            switch field.type {
            case PROTOBUF_C_TYPE_MESSAGE:
                let here = place()
                lines.append("\(here){")
                let inner = field.descriptor.assumingMemoryBound(
                    to: ProtobufCMessageDescriptor.self
                )
                try read(bytes, try found.delimited(), inner, here, &lines)
            case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES:
                let payload = try found.delimited()
                let octets = bytes.withUnsafeBytes { [UInt8]($0[payload]) }
                lines.append("\(place())=\(octets)")
            case PROTOBUF_C_TYPE_DOUBLE:
                lines.append("\(place())=\(found.value)")
            case PROTOBUF_C_TYPE_UINT64 where found.wireType == .lengthDelimited:
                var inner = found.payload.lowerBound
                while inner < found.payload.upperBound {
                    let value = try ProtobufReader.varint(
                        bytes,
                        at: &inner,
                        end: found.payload.upperBound
                    )
                    lines.append("\(place())=\(value)")
                }
            case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_INT64:
                lines.append("\(place())=\(try found.varint())")
            case PROTOBUF_C_TYPE_UINT32:
                lines.append("\(place())=\(try found.uint32())")
            case PROTOBUF_C_TYPE_BOOL:
                lines.append("\(place())=\(try found.bool())")
            default:
                lines.append("\(place())=\(try found.int32())")
            }
        }
    }
}
