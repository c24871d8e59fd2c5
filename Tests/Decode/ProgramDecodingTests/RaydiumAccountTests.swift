import MarketModel
import Testing

@testable import ProgramDecoding

/// Pool accounts of Raydium's programs, at the offsets of the facts.
struct RaydiumAccountTests {
    private let account = Address.named("pool")

    /// Bytes with numbers and addresses at their places.
    private func data(
        _ count: Int,
        _ discriminator: String,
        numbers: [Int: UInt64],
        addresses: [Int: String]
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let head = RaydiumPayload(discriminator).bytes
        bytes.replaceSubrange(0..<head.count, with: head)
        for (offset, number) in numbers {
            bytes.replaceSubrange(offset..<offset + 8, with: RaydiumPayload().u64(number).bytes)
        }
        for (offset, name) in addresses {
            bytes.replaceSubrange(offset..<offset + 32, with: Address.named(name).bytes)
        }
        return bytes
    }

    private func pool(_ bytes: [UInt8], of program: Address) -> PoolAccountState? {
        let fact = AccountDecoder.decode(
            account: account,
            owner: program,
            data: bytes.span.bytes
        )
        guard let fact, fact.account == account, case .pool(let pool) = fact.content else {
            return nil
        }
        return pool
    }

    @Test
    func `a pool of v4 tells its vaults and the profit set aside`() throws {
        let bytes = data(
            752,
            "",
            numbers: [0: 6, 192: 11, 200: 22, 720: 99],
            addresses: [336: "cv", 368: "pv", 400: "cm", 432: "pm", 464: "lp"]
        )
        let pool = try #require(self.pool(bytes, of: .raydiumV4Program))
        #expect(pool.venue == .raydiumV4)
        #expect(pool.mints == [.named("cm"), .named("pm")])
        #expect(pool.vaults == [.named("cv"), .named("pv")])
        #expect(pool.shareToken == .named("lp"))
        #expect(pool.shares == 99)
        #expect(pool.waitingFees == [11, 22])
        var closed = bytes
        closed[0] = 0
        #expect(self.pool(closed, of: .raydiumV4Program) == nil)
    }

    @Test
    func `a pool of CPMM tells its shares and waiting fees`() throws {
        let bytes = data(
            637,
            "f7ede3f5d7c3de46",
            numbers: [333: 77, 341: 1, 349: 2, 357: 10, 365: 20, 397: 100, 405: .max],
            addresses: [72: "v0", 104: "v1", 136: "lp", 168: "m0", 200: "m1"]
        )
        let pool = try #require(self.pool(bytes, of: .raydiumCPMMProgram))
        #expect(pool.venue == .raydiumCPMM)
        #expect(pool.mints == [.named("m0"), .named("m1")])
        #expect(pool.vaults == [.named("v0"), .named("v1")])
        #expect(pool.shareToken == .named("lp"))
        #expect(pool.shares == 77)
        #expect(pool.waitingFees == [111, 22 + UInt128(UInt64.max)])
    }

    @Test
    func `a pool of CLMM tells its vaults`() throws {
        let bytes = data(
            1544,
            "f7ede3f5d7c3de46",
            numbers: [309: 1, 317: 2, 1064: 10, 1072: 20],
            addresses: [73: "m0", 105: "m1", 137: "v0", 169: "v1"]
        )
        let pool = try #require(self.pool(bytes, of: .raydiumCLMMProgram))
        #expect(pool.venue == .raydiumCLMM)
        #expect(pool.mints == [.named("m0"), .named("m1")])
        #expect(pool.vaults == [.named("v0"), .named("v1")])
        #expect(pool.shares == nil)
        #expect(pool.waitingFees == [11, 22])
    }

    @Test
    func `other lengths, owners and discriminators are no pools`() {
        let programs: [(Address, Int)] = [
            (.raydiumV4Program, 752), (.raydiumCPMMProgram, 637), (.raydiumCLMMProgram, 1544),
        ]
        for (program, length) in programs {
            for count in [0, 1, 8, length - 1, length + 1] {
                let bytes = [UInt8](repeating: 1, count: count)
                #expect(pool(bytes, of: program) == nil)
            }
            // The length fits, the first bytes do not.
            #expect(pool([UInt8](repeating: 0xff, count: length), of: program) == nil)
        }
        let cpmm = data(637, "f7ede3f5d7c3de46", numbers: [:], addresses: [:])
        #expect(pool(cpmm, of: .raydiumCPMMProgram) != nil)
        #expect(pool(cpmm, of: .raydiumCLMMProgram) == nil)
        #expect(pool(cpmm, of: .launchLabProgram) == nil)
        #expect(pool(cpmm, of: .named("foreign")) == nil)
    }
}
