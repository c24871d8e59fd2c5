import MarketModel
import Testing

@testable import ProgramDecoding

/// Events and logs as bytes, against values that were read out of real ones in Python.
@Suite(.enabled(if: RaydiumShared.isPresent, RaydiumShared.absent))
struct RaydiumVectorTests {
    @Test
    func `a swap log tells what its vector says`() throws {
        var swaps = 0
        for vector in try RaydiumShared.vectors("raydium_v4") {
            guard let fields = vector["fields"] as? [String: Any],
                let direction = fields["direction"] as? Int
            else { continue }
            let payload = try RaydiumShared.payload(vector)
            guard case .swap(let swap) = try RaydiumV4Log(payload.span.bytes) else {
                Issue.record("no swap")
                continue
            }
            func value(_ names: String...) throws -> UInt64 {
                let found = names.lazy.compactMap { fields[$0] as? Int }.first
                return UInt64(try #require(found))
            }
            #expect(swap.isCoinIn == (direction == 2))
            #expect(swap.isExactIn == (fields["amount_in"] != nil))
            #expect(swap.limit == (try value("minimum_out", "max_in")))
            #expect(swap.amountIn == (try value("amount_in", "deduct_in")))
            #expect(swap.amountOut == (try value("amount_out", "out_amount")))
            #expect(swap.poolCoin == (try value("pool_coin")))
            #expect(swap.poolPC == (try value("pool_pc")))
            #expect(RaydiumV4Fee.of(swap) != nil)
            swaps += 1
        }
        #expect(swaps == 3)
    }

    @Test
    func `a deposit log tells the ratio and what went in`() throws {
        let vector = try #require(
            try RaydiumShared.vectors("raydium_v4").first { $0["event"] as? String == "DepositLog" }
        )
        let payload = try RaydiumShared.payload(vector)
        guard case .liquidity(let deposit) = try RaydiumV4Log(payload.span.bytes) else {
            Issue.record("no liquidity")
            return
        }
        #expect(deposit.isDeposit)
        #expect(deposit.poolCoin == 8_751_348_248_975_322)
        #expect(deposit.poolPC == 40_832_387)
        #expect(deposit.poolShares == 594_568_200_111)
        #expect(deposit.coinAmount == 214_323_699_689_057)
        #expect(deposit.pcAmount == 1_000_000)
        #expect(deposit.shares == 14_561_191_343)
        // The pc was fixed: shares by it rounded down, the other side by it rounded up.
        #expect(594_568_200_111 * UInt128(1_000_000) / 40_832_387 == 14_561_191_343)
        let coin = (8_751_348_248_975_322 * UInt128(1_000_000) + 40_832_386) / 40_832_387
        #expect(coin == 214_323_699_689_057)
    }

    @Test
    func `an opening log tells decimals and both amounts`() throws {
        for vector in try RaydiumShared.vectors("raydium_v4")
        where vector["event"] as? String == "InitLog" {
            let payload = try RaydiumShared.payload(vector)
            guard case .opening(let opening) = try RaydiumV4Log(payload.span.bytes) else {
                Issue.record("no opening")
                continue
            }
            #expect(opening.pcDecimals == 6)
            #expect(opening.coinDecimals == 9)
            #expect(opening.pcAmount == 206_900_000_000_000)
            #expect([79_005_359_551, 79_005_359_249].contains(opening.coinAmount))
        }
    }

    @Test
    func `events of concentrated liquidity tell what their vectors hold`() throws {
        var seen: Set<String> = []
        for vector in try RaydiumShared.vectors("raydium_clmm") {
            let payload = try RaydiumShared.payload(vector)
            let name = try #require(vector["event"] as? String)
            seen.insert(name)
            switch name {
            case "SwapEvent":
                let swap = try RaydiumCLMMSwapEvent(payload.span.bytes)
                #expect(
                    swap.pool.text(on: .solana) == "8G6Mt4tbCHU8nfoWJnamLVXkEMFeia3fPnFD3EUwcmiH"
                )
                #expect(
                    swap.sender.text(on: .solana) == "63EazyqF9nJN8SdGTMUaLrRKxS3XnmUiFuDp5KZ9wEV8"
                )
                #expect(swap.amount0 == 12_309_272)
                #expect(swap.amount1 == 100_000_000)
                #expect(!swap.isZeroForOne)
                #expect(swap.sqrtPriceX64 == 52_067_284_834_685_394_552)
                #expect(swap.liquidity == 50_832_953_199)
                #expect(swap.tick == 20_754)
                #expect(swap.tradeFee0 == nil)
            case "LiquidityChangeEvent":
                let range = try RaydiumCLMMRangeEvent(payload.span.bytes)
                #expect(range.tick == -39_557)
                #expect(range.lowerTick == -46_560)
                #expect(range.upperTick == -44_520)
                #expect(range.liquidityBefore == 134_729_723_759)
                #expect(range.liquidityAfter == 134_729_723_759)
            case "DecreaseLiquidityEvent":
                let change = try RaydiumCLMMPositionEvent(decrease: payload.span.bytes)
                #expect(change.liquidity == 102_866_523)
                #expect(change.amount0 == 0)
                #expect(change.amount1 == 1_076_965)
                #expect(change.fee0 == 7_912_976)
                #expect(change.fee1 == 85_694)
            default: break
            }
        }
        #expect(
            seen == [
                "SwapEvent", "LiquidityChangeEvent", "LiquidityCalculateEvent",
                "DecreaseLiquidityEvent",
            ]
        )
    }

    @Test
    func `events of LaunchLab tell what their vectors hold`() throws {
        var lengths: [Int] = []
        for vector in try RaydiumShared.vectors("launchlab") {
            let payload = try RaydiumShared.payload(vector)
            lengths.append(payload.count)
            if payload.count == 138 {
                let trade = try LaunchLabTradeEvent(payload.span.bytes)
                #expect(trade.tokensForSale == 800_000_000_000_000)
                #expect(trade.virtualBase == 1_066_666_666_666_666)
                #expect(trade.virtualQuote == 10_000_000_000)
                #expect(trade.baseAfter == 96_087_352_138_307)
                #expect(trade.quoteAfter == 990_000_000)
                #expect(trade.amountIn == 1_000_000_000)
                #expect(trade.amountOut == 96_087_352_138_307)
                #expect(trade.protocolFee == 2_500_000)
                #expect(trade.platformFee == 7_500_000)
                #expect(trade.creatorFee == nil)
                #expect(trade.isBuy)
                #expect(trade.status == .raising)
                // The curve: what the net amount takes out of the virtual reserves.
                let out =
                    UInt128(trade.virtualBase) * 990_000_000
                    / (UInt128(trade.virtualQuote) + 990_000_000)
                #expect(out == 96_087_352_138_307)
            } else {
                let created = try LaunchLabCreateEvent(payload.span.bytes)
                #expect(created.name == "PenguX")
                #expect(created.symbol == "PEX")
                #expect(
                    created.uri.hasSuffix(
                        "/bafkreic5ycsovdyioagcsgawljbz3yy3s6f6oxivjtqd6y4acrsr6f6tsa"
                    )
                )
                #expect(created.decimals == 6)
                #expect(created.supply == 1_000_000_000_000_000)
                #expect(created.tokensForSale == 800_000_000_000_000)
                #expect(created.unknownTail == 0)
            }
        }
        #expect(lengths.sorted() == [138, 256])
    }
}

/// Bytes that nobody promised: cut, with tails, out of range.
struct RaydiumHostilePayloadTests {
    /// What reads a payload, the length of one form and the lengths of all shorter forms.
    struct Form: CustomTestStringConvertible {
        var testDescription: String
        var bytes: [UInt8]
        var shorterForms: [Int] = []
        var hasTail = true
        var read: @Sendable (RawSpan) throws(ParseFailure) -> Void
    }

    static let forms: [Form] = [
        Form(
            testDescription: "v4 opening",
            bytes: RaydiumPayload().u8(0).adding(.init(repeating: 9, count: 74)).bytes,
            read: { (bytes: RawSpan) throws(ParseFailure) in _ = try RaydiumV4Log(bytes) }
        ),
        Form(
            testDescription: "v4 deposit",
            bytes: RaydiumPayload().u8(1).adding(.init(repeating: 9, count: 104)).bytes,
            read: { (bytes: RawSpan) throws(ParseFailure) in _ = try RaydiumV4Log(bytes) }
        ),
        Form(
            testDescription: "v4 withdrawal",
            bytes: RaydiumPayload().u8(2).adding(.init(repeating: 9, count: 88)).bytes,
            read: { (bytes: RawSpan) throws(ParseFailure) in _ = try RaydiumV4Log(bytes) }
        ),
        Form(
            testDescription: "v4 swap",
            bytes: RaydiumPayload().u8(3).u64(1, 2, 1, 4, 5, 6, 7).bytes,
            read: { (bytes: RawSpan) throws(ParseFailure) in _ = try RaydiumV4Log(bytes) }
        ),
        Form(
            testDescription: "CPMM swap",
            bytes: cpmmSwap(form: 170),
            shorterForms: [88, 89],
            read: { (bytes: RawSpan) throws(ParseFailure) in _ = try RaydiumCPMMSwapEvent(bytes) }
        ),
        Form(
            testDescription: "CPMM liquidity",
            bytes: RaydiumPayload("79a3cdc939da753c").key(.named("pool"))
                .u64(1, 2, 3, 4, 5, 6, 7).u8(1).bytes,
            read: { (bytes: RawSpan) throws(ParseFailure) in
                _ = try RaydiumCPMMLiquidityEvent(bytes)
            }
        ),
        Form(
            testDescription: "CLMM swap",
            bytes: clmmSwap().u64(5, 0).bytes,
            shorterForms: [205],
            read: { (bytes: RawSpan) throws(ParseFailure) in _ = try RaydiumCLMMSwapEvent(bytes) }
        ),
        Form(
            testDescription: "CLMM range",
            bytes: RaydiumPayload("7ef0afce9e58996b").key(.named("pool")).i32(1, 2, 3).u128(4, 5)
                .bytes,
            read: { (bytes: RawSpan) throws(ParseFailure) in _ = try RaydiumCLMMRangeEvent(bytes) }
        ),
        Form(
            testDescription: "CLMM increase",
            bytes: RaydiumPayload("314f69d420221e54").key(.named("nft")).u128(9).u64(1, 2, 3, 4)
                .bytes,
            read: { (bytes: RawSpan) throws(ParseFailure) in
                _ = try RaydiumCLMMPositionEvent(increase: bytes)
            }
        ),
        Form(
            testDescription: "CLMM decrease",
            bytes: RaydiumPayload("3ade563a44325538").key(.named("nft")).u128(9)
                .u64(1, 2, 3, 4, 5, 6, 7, 8, 9).bytes,
            read: { (bytes: RawSpan) throws(ParseFailure) in
                _ = try RaydiumCLMMPositionEvent(decrease: bytes)
            }
        ),
        Form(
            testDescription: "CLMM opening",
            bytes: RaydiumPayload("641e57f9c4df9ace")
                .key(.named("pool"), .named("minter"), .named("owner")).i32(-1, 1).u128(9)
                .u64(1, 2, 3, 4).bytes,
            read: { (bytes: RawSpan) throws(ParseFailure) in _ = try RaydiumCLMMOpenEvent(bytes) }
        ),
        Form(
            testDescription: "LaunchLab trade",
            bytes: launchLabTrade(form: 147),
            shorterForms: [138],
            read: { (bytes: RawSpan) throws(ParseFailure) in _ = try LaunchLabTradeEvent(bytes) }
        ),
        Form(
            testDescription: "LaunchLab coin",
            bytes: RaydiumPayload("97d7e20976a173ae")
                .key(.named("pool"), .named("creator"), .named("config")).u8(6)
                .text("name").text("sym").text("uri").u8(0).u64(1, 2, 3).u8(1).u64(4, 5, 6).bytes,
            read: { (bytes: RawSpan) throws(ParseFailure) in _ = try LaunchLabCreateEvent(bytes) }
        ),
    ]

    static func cpmmSwap(form: Int) -> [UInt8] {
        let bytes = RaydiumPayload("40c6cde8260871e2").key(.named("pool"))
            .u64(1_000, 2_000, 30, 40, 5, 6).u8(1)
            .key(.named("a mint"), .named("b mint")).u64(7, 8).u8(0).bytes
        return [UInt8](bytes.prefix(form))
    }

    static func clmmSwap() -> RaydiumPayload {
        RaydiumPayload("40c6cde8260871e2")
            .key(.named("pool"), .named("sender"), .named("account 0"), .named("account 1"))
            .u64(100, 1, 200, 2).u8(1).u128(1 << 64, 77).i32(-5)
    }

    static func launchLabTrade(form: Int) -> [UInt8] {
        let head = RaydiumPayload("bddb7fd34ee661ee").key(.named("curve"))
            .u64(800, 1_000, 100, 0, 0, 10, 5, 6, 10, 1, 0)
        return form == 138
            ? head.u64(0).u8(0, 0).bytes : head.u64(0, 0).u8(0, 0, 1).bytes
    }

    @Test(arguments: forms)
    func `a payload that is cut is refused at every byte`(form: Form) throws {
        try form.read(form.bytes.span.bytes)
        for length in 0..<form.bytes.count {
            let cut = [UInt8](form.bytes.prefix(length))
            var failure: ParseFailure?
            do throws(ParseFailure) { try form.read(cut.span.bytes) } catch { failure = error }
            // What ends where an older form ended may be that form: its last bytes then decide.
            if form.shorterForms.contains(length), failure == nil || failure == .invalid {
                continue
            }
            #expect(failure == .truncated, "\(length) of \(form.bytes.count) bytes")
        }
    }

    @Test(arguments: forms)
    func `unknown bytes behind a payload are passed over`(form: Form) throws {
        for count in 1...64 {
            let tail = form.bytes + [UInt8](repeating: 0xff, count: count)
            try form.read(tail.span.bytes)
        }
    }

    @Test(arguments: forms)
    func `random bytes never trap`(form: Form) {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        for round in 0..<2_000 {
            var bytes = form.bytes
            for _ in 0...(round % 9) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let place = Int(state >> 33) % bytes.count
                bytes[place] = UInt8(truncatingIfNeeded: state >> 24)
            }
            do throws(ParseFailure) { try form.read(bytes.span.bytes) } catch {
                #expect(error == .invalid || error == .truncated)
            }
        }
    }

    @Test
    func `values without meaning are refused`() {
        func failure(
            _ bytes: [UInt8],
            _ read: (RawSpan) throws(ParseFailure) -> Void
        ) -> ParseFailure? {
            do throws(ParseFailure) {
                try read(bytes.span.bytes)
                return nil
            } catch { return error }
        }
        func changed(_ bytes: [UInt8], _ place: Int, _ value: UInt8) -> [UInt8] {
            var bytes = bytes
            bytes[place] = value
            return bytes
        }
        let log = { (bytes: RawSpan) throws(ParseFailure) -> Void in _ = try RaydiumV4Log(bytes) }
        #expect(failure([], log) == .truncated)
        #expect(failure([5], log) == .invalid)
        let v4 = RaydiumPayload().u8(4).u64(1, 2, 3, 4, 5, 6, 7).bytes
        #expect(failure(v4, log) == .invalid)
        let cpmm = { (bytes: RawSpan) throws(ParseFailure) -> Void in
            _ = try RaydiumCPMMSwapEvent(bytes)
        }
        #expect(failure(changed(Self.cpmmSwap(form: 89), 88, 2), cpmm) == .invalid)
        #expect(failure(changed(Self.cpmmSwap(form: 170), 169, 2), cpmm) == .invalid)
        let clmm = { (bytes: RawSpan) throws(ParseFailure) -> Void in
            _ = try RaydiumCLMMSwapEvent(bytes)
        }
        #expect(failure(changed(Self.clmmSwap().bytes, 168, 9), clmm) == .invalid)
        let curve = { (bytes: RawSpan) throws(ParseFailure) -> Void in
            _ = try LaunchLabTradeEvent(bytes)
        }
        let trade = Self.launchLabTrade(form: 138)
        #expect(failure(trade, curve) == nil)
        #expect(failure(changed(trade, 136, 2), curve) == .invalid)
        #expect(failure(changed(trade, 137, 3), curve) == .invalid)
        let long = Self.launchLabTrade(form: 147)
        #expect(failure(changed(long, 146, 2), curve) == .invalid)
    }

    @Test
    func `a name that is no text is replaced, and one without end refused`() throws {
        let head = RaydiumPayload("97d7e20976a173ae")
            .key(.named("pool"), .named("creator"), .named("config")).u8(6)
        let odd = head.u32(2).u8(0xff, 0x41).text("").text("").u8(1).u64(1, 2).u8(0).u64(0, 0, 0)
        let created = try LaunchLabCreateEvent(odd.bytes.span.bytes)
        #expect(created.name == "\u{fffd}A")
        #expect(created.tokensForSale == nil)
        let endless = head.u32(.max).adding([UInt8](repeating: 0x41, count: 4_000))
        var failure: ParseFailure?
        do throws(ParseFailure) {
            _ = try LaunchLabCreateEvent(endless.bytes.span.bytes)
        } catch { failure = error }
        #expect(failure == .invalid)
    }

    @Test(arguments: [true, false])
    func `no amounts make the fee trap`(isExactIn: Bool) {
        let values: [UInt64] = [0, 1, 25, 10_000, 1 << 32, .max - 1, .max]
        for amountIn in values {
            for amountOut in values {
                for reserveIn in values {
                    for reserveOut in values {
                        let swap = RaydiumV4Log.Swap(
                            isExactIn: isExactIn,
                            isCoinIn: true,
                            limit: 0,
                            amountIn: amountIn,
                            amountOut: amountOut,
                            poolCoin: reserveIn,
                            poolPC: reserveOut
                        )
                        if let fee = RaydiumV4Fee.of(swap) { #expect(fee <= amountIn) }
                    }
                }
            }
        }
    }
}
