import MarketModel
import Testing

@Suite struct EthereumModelTests {
    private func hash(_ text: [UInt8]) -> Hash256? { Hash256(hex: text.span) }

    private func address(_ text: [UInt8]) -> EthereumAddress? { EthereumAddress(hex: text.span) }

    private func read(_ text: String) throws(HexQuantity.Fault) -> UInt64 {
        let bytes = Array(text.utf8)
        return try HexQuantity.read(bytes.span)
    }

    @Test(
        arguments: [
            ("0x0", 0), ("0x1", 1), ("0xf", 15), ("0x10", 16), ("0xAbC", 2748), ("0x400", 1024),
            ("0xffffffffffffffff", UInt64.max), ("0x1000000000000000", 1 << 60),
        ] as [(String, UInt64)]
    )
    func `quantities are read and printed minimal`(text: String, value: UInt64) throws {
        #expect(try read(text) == value)
        #expect(HexQuantity.text(value) == text.lowercased())
    }

    @Test(
        arguments: [
            ("", .empty), ("0", .missingPrefix), ("1", .missingPrefix), ("0X1", .missingPrefix),
            ("0x", .noDigits), ("0x00", .leadingZero), ("0x01", .leadingZero), ("0xg", .badDigit),
            ("0x1 ", .badDigit), ("0x10000000000000000", .tooLarge), ("-0x1", .missingPrefix),
        ] as [(String, HexQuantity.Fault)]
    )
    func `what is no quantity is refused by name`(text: String, fault: HexQuantity.Fault) {
        #expect(throws: fault) { try read(text) }
    }

    @Test func `an address keeps its bytes, not its case`() throws {
        let mixed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
        let address = try #require(EthereumAddress(mixed))
        #expect(address.description == mixed.lowercased())
        #expect(address == EthereumAddress(mixed.lowercased()))
        #expect(EthereumAddress("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe") == nil)
        #expect(EthereumAddress(mixed + "0") == nil)
        #expect(EthereumAddress("0X" + mixed.dropFirst(2)) == nil)
    }

    @Test func `every digit of an address and a hash counts`() throws {
        let zeroAddress = "0x" + String(repeating: "0", count: 40)
        let zeroHash = "0x" + String(repeating: "0", count: 64)
        #expect(Hash256(zeroHash) == Hash256.zero)
        var addresses: Set<EthereumAddress> = []
        var hashes: Set<Hash256> = []
        for at in 2..<66 {
            var text = Array(zeroHash.utf8)
            text[at] = UInt8(ascii: "7")
            let value = try #require(hash(text))
            #expect(value.description == String(decoding: text, as: UTF8.self))
            hashes.insert(value)
            text[at] = UInt8(ascii: "x")
            #expect(hash(text) == nil)
            guard at < 42 else { continue }
            var short = Array(zeroAddress.utf8)
            short[at] = UInt8(ascii: "7")
            let account = try #require(address(short))
            #expect(account.description == String(decoding: short, as: UTF8.self))
            addresses.insert(account)
            short[at] = UInt8(ascii: "x")
            #expect(address(short) == nil)
        }
        #expect(addresses.count == 40)
        #expect(hashes.count == 64)
        // Sorted by bytes: the later the digit, the smaller the value.
        #expect(hashes.sorted().map(\.description) == hashes.map(\.description).sorted())
        #expect(addresses.sorted().map(\.description) == addresses.map(\.description).sorted())
    }

    @Test func `hex text and bytes are one to one`() {
        let bytes: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF]
        #expect(Hex.text(bytes) == "0x00017f80ff")
        func read(_ text: String) -> [UInt8]? {
            let text = Array(text.utf8)
            return Hex.bytes(text.span)
        }
        #expect(read("0x00017F80fF") == bytes)
        #expect(read("0x") == [])
        for bad in ["", "0", "x", "0x0", "0x0g", "0xg0", "00", "0X00"] { #expect(read(bad) == nil) }
    }
}
