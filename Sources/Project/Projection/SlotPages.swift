/// The places in which a table's rows stand in memory. They are numbered, made by the page and
/// never moved, so growing copies nothing. The one owner gives the memory back.
@usableFromInline
struct SlotPages<Slot> {
    @usableFromInline static var slotsPerPage: Int { 512 }

    @usableFromInline var pages: [UnsafeMutablePointer<Slot>] = []
    /// Numbers that hold nothing, used again from the last.
    @usableFromInline var free: [Int32] = []
    /// Whether a number holds a slot, for all given out so far.
    @usableFromInline var isTaken: [Bool] = []

    @usableFromInline
    init() {}

    /// Gives up all slots and the memory; the pages and their copies must not be used any more.
    @inlinable
    func deallocate() {
        for number in isTaken.indices where isTaken[number] {
            self[Int32(number)].deinitialize(count: 1)
        }
        for page in pages { page.deallocate() }
    }

    /// - Precondition: the number holds a slot.
    @inlinable
    subscript(_ number: Int32) -> UnsafeMutablePointer<Slot> {
        let number = Int(number)
        return pages[number >> 9] + (number & 511)
    }

    @inlinable
    mutating func insert(_ slot: consuming Slot) -> Int32 {
        let number: Int32
        if let last = free.popLast() {
            number = last
            isTaken[Int(number)] = true
        } else {
            precondition(isTaken.count < Int32.max, "more rows in memory than can be numbered")
            number = Int32(isTaken.count)
            isTaken.append(true)
            if Int(number) >> 9 == pages.count {
                pages.append(.allocate(capacity: SlotPages.slotsPerPage))
            }
        }
        self[number].initialize(to: slot)
        return number
    }

    @inlinable
    mutating func remove(_ number: Int32) {
        self[number].deinitialize(count: 1)
        isTaken[Int(number)] = false
        free.append(number)
    }
}
