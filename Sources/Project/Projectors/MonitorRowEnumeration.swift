import MarketModel
import Projection

/// An enumeration that stands in rows as one byte.
protocol RowEnumeration: RawRepresentable<UInt8> {}

extension RowEnumeration {
    /// Reads one.
    ///
    /// - Parameters:
    ///   - reader: of a row.
    ///   - column: the column's place, for the error.
    /// - Throws: `invalid` for a byte that stands for nothing.
    init(from reader: inout RowReader, column: Int) throws(RowError) {
        guard let value = Self(rawValue: try reader.unsigned8()) else {
            throw .invalid(column: column)
        }
        self = value
    }
}

extension TokenPhase: RowEnumeration {}
extension TokenOrigin: RowEnumeration {}
extension Venue: RowEnumeration {}
