import CGeyser
import JSONText

/// SubscribeUpdates in protobuf's JSON mapping, for people and for telling where two of them part.
package enum UpdateJSON {
    /// The JSON of an update; deterministic.
    ///
    /// - Parameter bytes: an uncompressed SubscribeUpdate as on the wire.
    /// - Returns: one object, fields in the order of their numbers.
    /// - Throws: `notProtobuf`, or `mismatch` when a field has no name in this build.
    package static func json(of bytes: RawSpan) throws(ProtobufJSONError) -> [UInt8] {
        var message = Geyser__SubscribeUpdate()
        geyser__subscribe_update__init(&message)
        guard let descriptor = message.base.descriptor else {
            preconditionFailure("generated code sets the descriptor")
        }
        return try ProtobufToJSON().decode(bytes, as: descriptor)
    }

    /// The JSON of a SubscribeRequest, as it stands on the wire.
    ///
    /// - Throws: `notProtobuf`, or `mismatch` when a field has no name in this build.
    package static func json(ofRequest bytes: RawSpan) throws(ProtobufJSONError) -> [UInt8] {
        var message = Geyser__SubscribeRequest()
        geyser__subscribe_request__init(&message)
        guard let descriptor = message.base.descriptor else {
            preconditionFailure("generated code sets the descriptor")
        }
        return try ProtobufToJSON().decode(bytes, as: descriptor)
    }
}
