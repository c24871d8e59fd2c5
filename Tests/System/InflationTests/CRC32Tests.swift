import Inflation
import Testing

@Suite struct CRC32Tests {
    private func checksum(_ text: String, after crc: UInt32 = 0) -> UInt32 {
        let bytes = Array(text.utf8)
        return CRC32.update(crc, bytes.span)
    }

    @Test func `the checksum is that of the standard, in one piece and in two`() {
        // The check value of CRC-32/ISO-HDLC.
        #expect(checksum("123456789") == 0xCBF4_3926)
        #expect(checksum("56789", after: checksum("1234")) == 0xCBF4_3926)
    }

    @Test func `nothing changes nothing`() {
        #expect(checksum("", after: 7) == 7)
    }
}
