import MarketModel
import Projectors

/// Numbers in tables that stand for one of a few things, in words. Programs get the numbers, which
/// never change; people get the words.
enum CodeName {
    /// What a value is called.
    ///
    /// - Parameters:
    ///   - digits: the value, as tables print it.
    ///   - column: the column's name, which means the same in every table.
    /// - Returns: nil when it is a number like any other, or stands for nothing.
    static func text(_ digits: String, in column: String) -> String? {
        guard let code = UInt8(digits) else { return nil }
        return switch column {
        case "phase": TokenPhase(rawValue: code)?.name
        case "origin": TokenOrigin(rawValue: code).map { "\($0)" }
        case "venue", "price_venue": Venue(rawValue: code)?.description
        case "kind": PoolEventKind(rawValue: code)?.name
        case "class": DetectionClass(rawValue: code)?.description
        case "link": DetectionLink(rawValue: code)?.description
        case "severity": DetectionSeverity(rawValue: code)?.description
        default: nil
        }
    }
}
