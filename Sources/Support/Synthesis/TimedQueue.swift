/// Things due at a time, taken out earliest first; those due at once in the order of their adding.
struct TimedQueue<Element> {
    private struct Item {
        var time: Int64
        var ordinal: UInt64
        var element: Element

        func precedes(_ other: Item) -> Bool {
            (time, ordinal) < (other.time, other.ordinal)
        }
    }

    /// A binary heap.
    private var items: [Item] = []
    private var added: UInt64 = 0

    var nextTime: Int64? { items.first?.time }

    mutating func add(_ element: Element, at time: Int64) {
        items.append(Item(time: time, ordinal: added, element: element))
        added += 1
        var child = items.count - 1
        while child > 0, items[child].precedes(items[(child - 1) / 2]) {
            items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The earliest element due before the time.
    mutating func take(before time: Int64) -> (time: Int64, element: Element)? {
        guard let first = items.first, first.time < time else { return nil }
        let last = items.removeLast()
        if !items.isEmpty {
            items[0] = last
            sink()
        }
        return (first.time, first.element)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count {
                if items[child].precedes(items[least]) { least = child }
            }
            guard least != parent else { return }
            items.swapAt(parent, least)
            parent = least
        }
    }
}
