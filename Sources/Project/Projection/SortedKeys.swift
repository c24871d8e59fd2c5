/// A sorted set of keys that can be walked from any place. Kept in chunks, so that a change moves
/// few keys however many there are.
@usableFromInline
package struct SortedKeys<Key: Comparable & Sendable>: Sendable {
    /// None is empty; all keys of one are below those of the next.
    @usableFromInline var chunks: [[Key]] = []
    /// How many keys there are.
    package private(set) var count = 0

    @usableFromInline static var chunkMax: Int { 128 }

    @usableFromInline
    package init() {}

    /// Adds a key that is not there.
    @inlinable
    package mutating func insert(_ key: Key) {
        adjustCount(1)
        guard !chunks.isEmpty else {
            chunks.append([key])
            return
        }
        let chunk = max(0, firstChunk(startingAbove: key) - 1)
        let place = SortedKeys.lowerBound(of: key, in: chunks[chunk])
        chunks[chunk].insert(key, at: place)
        guard chunks[chunk].count > SortedKeys.chunkMax else { return }
        // Keys mostly arrive in order: a full last chunk stays full.
        let isAppend = chunk == chunks.count - 1 && place == SortedKeys.chunkMax
        let kept = isAppend ? SortedKeys.chunkMax : SortedKeys.chunkMax / 2
        let rest = Array(chunks[chunk][kept...])
        chunks[chunk].removeLast(rest.count)
        chunks.insert(rest, at: chunk + 1)
    }

    /// Removes a key that is there.
    @inlinable
    package mutating func remove(_ key: Key) {
        let chunk = firstChunk(startingAbove: key) - 1
        precondition(chunk >= 0, "a key that is not kept")
        let place = SortedKeys.lowerBound(of: key, in: chunks[chunk])
        precondition(place < chunks[chunk].count && chunks[chunk][place] == key)
        adjustCount(-1)
        if chunks[chunk].count == 1 {
            chunks.remove(at: chunk)
        } else {
            chunks[chunk].remove(at: place)
        }
    }

    /// The keys within a range, in order.
    @inlinable
    package func keys(in range: ClosedRange<Key>) -> [Key] {
        var found: [Key] = []
        var chunk = max(0, firstChunk(startingAbove: range.lowerBound) - 1)
        while chunk < chunks.count {
            let keys = chunks[chunk]
            guard keys[0] <= range.upperBound else { break }
            var place = SortedKeys.lowerBound(of: range.lowerBound, in: keys)
            while place < keys.count, keys[place] <= range.upperBound {
                found.append(keys[place])
                place += 1
            }
            guard place == keys.count else { break }
            chunk += 1
        }
        return found
    }

    /// The index of the first chunk whose first key is above `key`.
    @inlinable
    func firstChunk(startingAbove key: Key) -> Int {
        var low = 0
        var high = chunks.count
        while low < high {
            let middle = (low + high) / 2
            if chunks[middle][0] <= key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The index of the first key that is not below `key`.
    @inlinable
    static func lowerBound(of key: Key, in keys: [Key]) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    @usableFromInline
    mutating func adjustCount(_ difference: Int) { count += difference }
}
