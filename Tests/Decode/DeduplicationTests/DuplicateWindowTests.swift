import Deduplication
import MarketModel
import Testing

@Suite struct DuplicateWindowTests {
    private func entry(_ slot: UInt64, _ index: UInt64 = 0) -> UpdateKey {
        .entry(Slot(slot), index: index)
    }

    @Test func `an update is new once`() {
        var window = DuplicateWindow()
        #expect(!window.contains(entry(5)))
        #expect(window.insert(entry(5)) == .new)
        #expect(window.contains(entry(5)))
        #expect(window.insert(entry(5)) == .seen)
        #expect(window.insert(entry(5, 1)) == .new)
        #expect(window.insert(.slot(5, status: 0)) == .new)
        #expect(window.insert(.slot(5, status: 1)) == .new)
        #expect(window.insert(.slot(5, status: 1)) == .seen)
        #expect(window.keyCount == 4)
    }

    @Test func `the lowest slot is forgotten first and stays forgotten`() {
        var window = DuplicateWindow(slotsMax: 3)
        for slot in [UInt64(7), 5, 9] { #expect(window.insert(entry(slot)) == .new) }
        #expect(window.forgottenThrough == nil)
        #expect(window.insert(entry(8)) == .new)
        #expect(window.forgottenThrough == 5)
        #expect(window.insert(entry(5)) == .forgotten)
        #expect(window.insert(entry(4)) == .forgotten)
        #expect(window.insert(entry(7)) == .seen)
        #expect(window.keyCount == 3)
    }

    @Test func `an absurd slot takes one place`() {
        var window = DuplicateWindow(slotsMax: 3)
        for slot in [UInt64(1), 2, .max] { #expect(window.insert(entry(slot)) == .new) }
        #expect(window.insert(entry(3)) == .new)
        #expect(window.insert(entry(2)) == .seen)
        #expect(window.insert(entry(1)) == .forgotten)
    }

    @Test func `keys are bounded too`() {
        var window = DuplicateWindow(slotsMax: 100, keysMax: 10)
        for index in 0..<10 { #expect(window.insert(entry(1, UInt64(index))) == .new) }
        #expect(window.insert(entry(2)) == .new)
        #expect(window.keyCount == 1)
        #expect(window.insert(entry(1)) == .forgotten)
        for index in 1..<1000 { _ = window.insert(entry(2, UInt64(index))) }
        #expect(window.keyCount <= 10)
    }

    @Test func `a model without bounds agrees while nothing is forgotten`() {
        var window = DuplicateWindow(slotsMax: 50)
        var model: Set<UpdateKey> = []
        var state: UInt64 = 1
        for _ in 0..<5000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let key = entry(state >> 40 % 50, state >> 50 % 16)
            #expect((window.insert(key) == .new) == model.insert(key).inserted)
        }
        #expect(window.keyCount == model.count)
    }
}
