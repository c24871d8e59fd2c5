import MarketModel
package import Projection

extension Detection {
    /// Puts detections and their legs together again, which are rows of two tables.
    ///
    /// - Parameters:
    ///   - rows: of `detections`.
    ///   - legs: of `detection_legs`, by rising key.
    /// - Returns: one for each row, in the order of `rows`.
    /// - Throws: `RowError` for a row that is none of its table.
    package static func listed(
        _ rows: [ListedRow],
        legs: [ListedRow]
    ) throws(RowError) -> [(key: Key, detection: Detection)] {
        var listedLegs: [Key: [DetectionLeg]] = [:]
        for listed in legs {
            var key = RowReader(listed.key)
            var row = RowReader(listed.row)
            let detection = try DetectionLeg.decodeKey(&key).detection
            listedLegs[detection, default: []].append(try DetectionLeg(from: &row))
        }
        var found: [(key: Key, detection: Detection)] = []
        found.reserveCapacity(rows.count)
        for listed in rows {
            var key = RowReader(listed.key)
            var row = RowReader(listed.row)
            let place = try Detection.decodeKey(&key)
            var detection = try Detection(from: &row)
            detection.legs = listedLegs[place, default: []]
            found.append((place, detection))
        }
        return found
    }
}
