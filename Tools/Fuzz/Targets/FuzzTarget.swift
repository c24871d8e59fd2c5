/// One parser of foreign bytes under fuzzing.
///
/// The same function runs in two builds: in libFuzzer's, which invents inputs (`Tools/fuzz`), and
/// in the tests, which replay the kept ones. Whatever the bytes are, it comes back; a wrong result
/// stops the program.
package struct FuzzTarget: Sendable {
    /// As `Tools/fuzz` and the folders of inputs name it.
    package let name: String
    /// The longest input that is tried, in bytes.
    package let bytesMax: Int
    /// Whether it must fail, which proves that a failure is seen.
    package let isCanary: Bool
    /// Takes one input.
    package let run: @Sendable (UnsafeRawBufferPointer) -> Void

    init(
        _ name: String,
        bytesMax: Int = 4096,
        isCanary: Bool = false,
        _ run: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
    ) {
        self.name = name
        self.bytesMax = bytesMax
        self.isCanary = isCanary
        self.run = run
    }

    /// Every target, the canaries last.
    package static let all: [FuzzTarget] =
        recordingTargets + structureTargets + geyserTargets + solanaTargets + programTargets
        + webSocketTargets + textTargets + commandTargets + canaryTargets
}

/// Stops the program: an input led to something that must not be.
func check(_ holds: Bool, _ claim: @autoclosure () -> String) {
    guard holds else { fatalError("broken: \(claim())") }
}

/// Runs what may refuse its input. A refusal is a good answer.
func attempt<Value>(_ body: () throws -> Value) -> Value? {
    do { return try body() } catch { return nil }
}

/// The bytes of an input, taken from the front.
struct FuzzInput {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    var isEmpty: Bool { rest.isEmpty }

    /// The next byte; 0 behind the end.
    mutating func byte() -> UInt8 {
        guard let first = rest.first else { return 0 }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
        return first
    }

    /// The next two bytes as a number, the low one first.
    mutating func short() -> Int {
        let low = Int(byte())
        return low | Int(byte()) << 8
    }

    /// Up to `count` bytes, in place.
    mutating func take(_ count: Int) -> UnsafeRawBufferPointer {
        let taken = UnsafeRawBufferPointer(rebasing: rest.prefix(count))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        return taken
    }

    /// Everything that is left, in place.
    mutating func all() -> UnsafeRawBufferPointer { take(rest.count) }
}
