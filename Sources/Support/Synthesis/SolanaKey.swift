import MarketModel
import RecordModel

/// 32 bytes: an address or a hash.
struct SolanaKey: Hashable, Sendable {
    private var word0: UInt64
    private var word1: UInt64
    private var word2: UInt64
    private var word3: UInt64

    /// All zero: the system program, and "none" in the events of the pump programs.
    static let zero = SolanaKey(0, 0, 0, 0)

    private init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
        self.word3 = word3
    }

    /// Random bytes. Derived addresses are random too: nothing here tests whether an address
    /// lies off the curve or follows from seeds.
    init(_ random: inout MarketRandom) {
        self.init(random.next(), random.next(), random.next(), random.next())
    }

    /// A constant of this program; the text must name 32 bytes.
    init(base58 text: String) {
        do throws(Base58Error) {
            let bytes = try Base58.decode(Array(text.utf8), charactersMax: 44)
            precondition(bytes.count == 32, "\(text) does not name 32 bytes")
            let words = stride(from: 0, to: 32, by: 8).map { start in
                bytes[start..<(start + 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            }
            self.init(words[0], words[1], words[2], words[3])
        } catch {
            preconditionFailure("\(text) is not base58: \(error)")
        }
    }

    func append(to bytes: inout [UInt8]) {
        bytes.appendLittleEndian(word0)
        bytes.appendLittleEndian(word1)
        bytes.appendLittleEndian(word2)
        bytes.appendLittleEndian(word3)
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        append(to: &bytes)
        return bytes
    }

    var base58: String {
        let value = Bytes32(
            word0.byteSwapped,
            word1.byteSwapped,
            word2.byteSwapped,
            word3.byteSwapped
        )
        var text: [UInt8] = []
        text.reserveCapacity(44)
        Base58.append(value, to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
