// SubscribeRequest in protobuf's JSON mapping: the form of subscription files.

import CGeyser
import JSONText

extension SubscribeRequest {
    /// Reads the JSON mapping: field names in lowerCamelCase or as declared, 64-bit integers as
    /// strings or numbers, enums by name or number, bytes as Base64, null as absent. A name that
    /// the message does not have is an error with its path: a filter that is silently dropped would
    /// record the wrong thing.
    package init(json: [UInt8]) throws(ProtobufJSONError) {
        let limits = JSONLimits(bytesMax: 4 * SubscribeRequest.byteCountMax)
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONDocument(limits: limits).parse(json)
        } catch {
            throw .notJSON(error)
        }
        let bytes = try JSONToProtobuf().encode(value, as: SubscribeRequest.descriptor)
        do throws(ProtobufError) {
            try self.init(decoding: bytes)
        } catch {
            throw .notProtobuf(error)
        }
    }

    /// The JSON mapping of the request; deterministic. A request with unknown fields has none.
    package func json() throws(ProtobufJSONError) -> [UInt8] {
        let bytes = encoded()
        return try ProtobufToJSON().decode(bytes.span.bytes, as: SubscribeRequest.descriptor)
    }

    private static var descriptor: UnsafePointer<ProtobufCMessageDescriptor> {
        var message = Geyser__SubscribeRequest()
        geyser__subscribe_request__init(&message)
        guard let descriptor = message.base.descriptor else {
            preconditionFailure("generated code sets the descriptor")
        }
        return descriptor
    }
}
