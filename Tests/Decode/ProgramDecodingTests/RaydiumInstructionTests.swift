import Foundation
import Testing

@testable import ProgramDecoding

/// Discriminators, against the first eight bytes of sha256("global:name") as Python's hashlib gave
/// them.
struct RaydiumInstructionTests {
    private func data(_ discriminator: String) -> [UInt8] {
        RaydiumPayload(discriminator).u64(11, 22).u128(33).u8(1).bytes
    }

    @Test
    func `instructions of CPMM are told by their hashes`() throws {
        func read(_ discriminator: String) throws -> RaydiumCPMMInstruction {
            try RaydiumCPMMInstruction.read(data(discriminator).span.bytes)
        }
        #expect(try read("8fbe5adac41e33de") == .swap(isExactIn: true, limit: 22))
        #expect(try read("37d96256a34ab4ad") == .swap(isExactIn: false, limit: 11))
        #expect(
            try read("afaf6d1f0d989bed")
                == .initialize(amount0: 11, amount1: 22, hasPermission: false)
        )
        #expect(
            try read("3f37fe4131b25979")
                == .initialize(amount0: 11, amount1: 22, hasPermission: true)
        )
        #expect(try read("f223c68952e1f2b6") == .deposit(shares: 11))
        #expect(try read("b712469c946da122") == .withdraw(shares: 11))
        for idle in [
            "8934edd4d7756c68", "313cae889a1c74c8", "82576c062ee0757b", "8888fcddc2427e59",
            "a78a4e95dfc2067e", "1416567bc61cdb84", "878802d889a9b5ca", "9c5420764587467b",
        ] {
            #expect(try read(idle) == .idle)
        }
        #expect(try read("0102030405060708") == .unknown(0x0102_0304_0506_0708))
    }

    @Test
    func `instructions of CLMM are told by their hashes`() throws {
        typealias Places = RaydiumCLMMInstruction.Places
        func read(_ discriminator: String) throws -> RaydiumCLMMInstruction {
            try RaydiumCLMMInstruction.read(data(discriminator).span.bytes)
        }
        #expect(
            try read("f8c69e91e17587c8") == .swap(isExactIn: true, limit: 22, namesMints: false)
        )
        #expect(try read("2b04ed0b1ac91e62") == .swap(isExactIn: true, limit: 22, namesMints: true))
        #expect(try read("457d73daf5baf2c4") == .route(limit: 22))
        #expect(try read("e992d18ecf6840bc") == .createPool)
        #expect(try read("2b44d4a7592fa401") == .createPool)
        #expect(try read("87802f4d0f98f031") == .open(Places(pool: 5, vault: 12)))
        #expect(try read("4db84ad67056f1c7") == .open(Places(pool: 5, vault: 12, mint: 20)))
        #expect(try read("4dffae527d1dc92e") == .open(Places(pool: 4, vault: 11, mint: 18)))
        #expect(try read("2e9cf3760dcdfbb2") == .increase(Places(pool: 2, vault: 9)))
        #expect(try read("851d59df45eeb00a") == .increase(Places(pool: 2, vault: 9, mint: 13)))
        #expect(try read("a026d06f685b2c01") == .decrease(Places(pool: 3, vault: 5)))
        #expect(try read("3a7fbc3e4f52c460") == .decrease(Places(pool: 3, vault: 5, mint: 14)))
        for idle in [
            "7b86510031446262", "a3ace0340b9a6adf", "5f87c0c4f281e644", "7034a74b20c9d389",
            "12eda6c52210d590", "07160c53f22b3079", "8934edd4d7756c68", "313cae889a1c74c8",
            "82576c062ee0757b", "8888fcddc2427e59", "a78a4e95dfc2067e", "3f5794216d230868",
            "7f467728bce33d07", "11fb415c88f20ea9",
        ] {
            #expect(try read(idle) == .idle)
        }
        #expect(try read("0102030405060708") == .unknown(0x0102_0304_0506_0708))
    }

    @Test
    func `instructions of LaunchLab are told by their hashes`() throws {
        typealias Migration = LaunchLabInstruction.Migration
        func read(_ discriminator: String) throws -> LaunchLabInstruction {
            try LaunchLabInstruction.read(data(discriminator).span.bytes)
        }
        #expect(try read("faea0d7bd59c13ec") == .trade(isExactIn: true, limit: 22))
        #expect(try read("18d3742869039938") == .trade(isExactIn: false, limit: 22))
        #expect(try read("9527de9bd37c981a") == .trade(isExactIn: true, limit: 22))
        #expect(try read("5fc8472208090ba6") == .trade(isExactIn: false, limit: 22))
        #expect(try read("afaf6d1f0d989bed") == .initialize(tokenProgram: 11))
        #expect(try read("4399af27da102620") == .initialize(tokenProgram: 11))
        #expect(try read("25be7ede2c9aab11") == .initialize(tokenProgram: 10))
        #expect(
            try read("cf52c091fecf91df") == .migrate(Migration(pool: 13, curve: 23, vault: 25))
        )
        #expect(
            try read("885cc8671cda908c") == .migrate(Migration(pool: 5, curve: 17, vault: 19))
        )
        for idle in [
            "1a618acb84ab8dfc", "9c27d0874ced3d48", "75f1c6a8f8da501d", "3121681ebd9d4f23",
            "3cadf767045d8230", "ffba96dfeb76c9ba", "c9cff3724b6f2fbd", "b05ac4affd71dc14",
            "9247ad4562130f6a", "81b2020dd9ace6da", "1b1e3ea95de01891", "1d9efcbf0a53db63",
            "c33c4c81922d438f", "8a908afadc800439", "a25b92c75d85eaed", "7bb4b8816fb9bb3b",
        ] {
            #expect(try read(idle) == .idle)
        }
        #expect(try read("0102030405060708") == .unknown(0x0102_0304_0506_0708))
    }

    @Test
    func `data that ends early is refused`() {
        let swaps = [
            "8fbe5adac41e33de", "37d96256a34ab4ad", "afaf6d1f0d989bed", "f223c68952e1f2b6",
        ]
        for swap in swaps {
            let shortest = swap == "37d96256a34ab4ad" || swap == "f223c68952e1f2b6" ? 16 : 24
            for length in 0..<shortest {
                let cut = [UInt8](data(swap).prefix(length))
                #expect(
                    isTruncated { (bytes: RawSpan) throws(ParseFailure) in
                        _ = try RaydiumCPMMInstruction.read(bytes)
                    }(cut)
                )
            }
        }
        for length in 0..<41 {
            let cut = [UInt8](data("2b04ed0b1ac91e62").prefix(length))
            #expect(
                isTruncated { (bytes: RawSpan) throws(ParseFailure) in
                    _ = try RaydiumCLMMInstruction.read(bytes)
                }(cut)
            )
        }
        for length in 0..<24 {
            let cut = [UInt8](data("faea0d7bd59c13ec").prefix(length))
            #expect(
                isTruncated { (bytes: RawSpan) throws(ParseFailure) in
                    _ = try LaunchLabInstruction.read(bytes)
                }(cut)
            )
        }
    }

    private func isTruncated(
        _ read: @escaping (RawSpan) throws(ParseFailure) -> Void
    ) -> ([UInt8]) -> Bool {
        { bytes in
            do throws(ParseFailure) {
                try read(bytes.span.bytes)
                return false
            } catch { return error == .truncated }
        }
    }

    @Test(.enabled(if: RaydiumShared.isPresent, RaydiumShared.absent))
    func `instruction vectors give the amounts that another decoder expects`() throws {
        let file = RaydiumShared.folder.appending(path: "decode_vectors.json")
        let all = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        let vectors = try #require(all as? [[String: Any]])
        var seen: Set<String> = []
        for vector in vectors {
            let name = try #require(vector["test"] as? String)
            let entry = try #require((vector["data"] as? [[String: String]])?.first)
            let text = try #require(entry["value"])
            seen.insert(name)
            switch name {
            case "unpack_amm_v4_swap_event_2":
                let bytes = [UInt8](try #require(Data(base64Encoded: text)))
                guard case .swap(let swap) = try RaydiumV4Log(bytes.span.bytes) else {
                    Issue.record("no swap")
                    continue
                }
                #expect(swap.isExactIn)
                #expect(swap.isCoinIn)
                #expect(swap.amountIn == 130_818)
                #expect(swap.limit == 0)
                #expect(swap.poolCoin == 379_074_532_577)
                #expect(swap.poolPC == 135_363_705_070)
                #expect(swap.amountOut == 46_596)
            case "unpack_amm_v4_swap_instruction_2":
                let bytes = RaydiumPayload(text).bytes
                #expect(bytes.count == 18)
                #expect(
                    try RaydiumV4Instruction.read(bytes.span.bytes, accountCount: 17)
                        == .swap(isExactIn: true, fixed: 130_818, limit: 0, vaults: 4)
                )
            case "unpack_amm_v4_swap_base_out_instruction":
                let bytes = RaydiumPayload(text).bytes
                #expect(
                    try RaydiumV4Instruction.read(bytes.span.bytes, accountCount: 18)
                        == .swap(
                            isExactIn: false,
                            fixed: 1_153_837_592_331,
                            limit: .max,
                            vaults: 5
                        )
                )
            case "unpack_swap_v2":
                let bytes = RaydiumPayload(text).bytes
                let read = try RaydiumCLMMInstruction.read(bytes.span.bytes)
                // Bytes 16 to 23, read in Python.
                #expect(
                    read == .swap(isExactIn: true, limit: 7_839_503_011_207, namesMints: true)
                )
            default: break
            }
        }
        #expect(
            seen.isSuperset(of: [
                "unpack_amm_v4_swap_event_2", "unpack_amm_v4_swap_instruction_2",
                "unpack_amm_v4_swap_base_out_instruction", "unpack_swap_v2",
            ])
        )
    }
}
