/// How a coin comes into being: by `create` when it is priced in SOL, else by `create_v2`, whose mints
/// are Token-2022's and say their own name.
extension BondingCurveMarket {
    /// Mint, curve and vaults come into being and the supply is minted.
    func create(
        _ wallet: SolanaWallet,
        _ context: SolanaSlotContext,
        draft: inout SolanaTransactionDraft
    ) {
        switch quote {
        case .native: beginCreation(wallet, &draft)
        case .usdc: beginCreationInSecondForm(wallet, &draft)
        }
        draft.createAccount(
            address,
            payer: wallet.key,
            lamports: SolanaLedger.rent(UInt64(Self.accountBytes)),
            bytes: UInt64(Self.accountBytes),
            owner: SolanaAddress.pump
        )
        draft.createTokenAccount(vault, holdings.holding(owner: address), payer: wallet.key)
        switch quote {
        case .native: writeMetadata(wallet, draft: &draft)
        case .usdc:
            let holding = SolanaLedger.TokenHolding(
                mint: quote.mint,
                owner: address,
                decimals: quote.decimals
            )
            draft.createTokenAccount(quoteVault, holding, payer: wallet.key)
        }
        draft.mintTokens(
            BondingCurve.supply,
            mint: mint,
            to: vault,
            authority: SolanaAddress.pumpMintAuthority,
            program: holdings.program
        )
        draft.closeMint(
            mint,
            authority: SolanaAddress.pumpMintAuthority,
            program: holdings.program
        )
        emit(createEvent(wallet, context), &draft)
        draft.end(units: 95_000)
        draft.write(image(wallet))
    }

    private func beginCreation(_ wallet: SolanaWallet, _ draft: inout SolanaTransactionDraft) {
        var data: [UInt8] = [0x18, 0x1e, 0xc8, 0x28, 0x05, 0x1c, 0x07, 0x77]
        for text in [name, symbol, uri] { data.appendBorsh(text) }
        data.append(wallet.key)
        let roles: [SolanaTransactionDraft.Role] = [
            .signer(mint), .readonly(SolanaAddress.pumpMintAuthority), .writable(address),
            .writable(vault), .readonly(SolanaAddress.pumpGlobal),
            .readonly(SolanaAddress.metadata), .writable(metadata), .signer(wallet.key),
            .readonly(SolanaAddress.system), .readonly(SolanaAddress.token),
            .readonly(SolanaAddress.associatedToken), .readonly(SolanaAddress.rent),
            .readonly(SolanaAddress.pumpEvents), .readonly(SolanaAddress.pump),
        ]
        draft.begin(SolanaAddress.pump, roles, data)
        draft.log("Instruction: Create")
        openMint(wallet, bytes: 82, extensions: [], &draft)
    }

    /// 19 accounts: the 16 of the instruction, and three of the quote.
    private func beginCreationInSecondForm(
        _ wallet: SolanaWallet,
        _ draft: inout SolanaTransactionDraft
    ) {
        var data: [UInt8] = [0xd6, 0x90, 0x4c, 0xec, 0x5f, 0x8b, 0x31, 0xb4]
        for text in [name, symbol, uri] { data.appendBorsh(text) }
        data.append(wallet.key)
        data.appendBorsh(false)  // mayhem
        data.appendBorsh(false)  // cashback
        let roles: [SolanaTransactionDraft.Role] = [
            .signer(mint), .readonly(SolanaAddress.pumpMintAuthority), .writable(address),
            .writable(vault), .readonly(SolanaAddress.pumpGlobal), .signer(wallet.key),
            .readonly(SolanaAddress.system), .readonly(holdings.program),
            .readonly(SolanaAddress.associatedToken), .writable(SolanaAddress.mayhem),
            .readonly(SolanaAddress.mayhemParameters), .writable(SolanaAddress.mayhemAgent),
            .writable(metadata), .writable(companion), .readonly(SolanaAddress.pumpEvents),
            .readonly(SolanaAddress.pump), .readonly(quote.mint), .writable(quoteVault),
            .readonly(SolanaAddress.token),
        ]
        draft.begin(SolanaAddress.pump, roles, data)
        draft.log("Instruction: CreateV2")
        let extensions = extensions
        openMint(wallet, bytes: UInt64(166 + extensions.count), extensions: extensions, &draft)
        draft.begin(holdings.program, [.writable(mint), .readonly(mint)], metadataCall)
        draft.log("TokenMetadataInstruction: Initialize")
        draft.end(units: 9_400)
    }

    private func openMint(
        _ wallet: SolanaWallet,
        bytes: UInt64,
        extensions: [UInt8],
        _ draft: inout SolanaTransactionDraft
    ) {
        draft.createAccount(
            mint,
            payer: wallet.key,
            lamports: SolanaLedger.rent(bytes),
            bytes: bytes,
            owner: holdings.program
        )
        let opened = SolanaLedger.Mint(
            decimals: holdings.decimals,
            authority: SolanaAddress.pumpMintAuthority,
            program: holdings.program,
            extensions: extensions
        )
        draft.openMint(mint, opened)
    }

    /// `Initialize` of the token metadata interface.
    private var metadataCall: [UInt8] {
        var data: [UInt8] = [0xd2, 0xe1, 0x1e, 0xa2, 0x58, 0xb8, 0x4d, 0x8d]
        for text in [name, symbol, uri] { data.appendBorsh(text) }
        return data
    }

    /// A pointer to the mint itself, and there name, symbol and address of the document.
    private var extensions: [UInt8] {
        var pointer: [UInt8] = []
        pointer.append(SolanaKey.zero)
        pointer.append(mint)
        var text: [UInt8] = []
        text.append(SolanaKey.zero)
        text.append(mint)
        for part in [name, symbol, uri] { text.appendBorsh(part) }
        text.appendLittleEndian(UInt32(0))
        var extensions: [UInt8] = []
        for (kind, content) in [(UInt16(18), pointer), (UInt16(19), text)] {
            extensions.appendLittleEndian(kind)
            extensions.appendLittleEndian(UInt16(clamping: content.count))
            extensions += content
        }
        return extensions
    }

    private func writeMetadata(
        _ wallet: SolanaWallet,
        draft: inout SolanaTransactionDraft
    ) {
        var data: [UInt8] = [33]
        for text in [name, symbol, uri] { data.appendBorsh(text) }
        data.appendLittleEndian(UInt16(0))
        data += [0, 0, 0, 0, 0]
        let roles: [SolanaTransactionDraft.Role] = [
            .writable(metadata), .readonly(mint), .readonly(SolanaAddress.pumpMintAuthority),
            .signer(wallet.key), .readonly(SolanaAddress.pumpMintAuthority),
            .readonly(SolanaAddress.system),
        ]
        draft.begin(SolanaAddress.metadata, roles, data)
        draft.log("IX: Create Metadata Accounts v3")
        draft.createAccount(
            metadata,
            payer: wallet.key,
            lamports: SolanaLedger.rent(607),
            bytes: 607,
            owner: SolanaAddress.metadata
        )
        draft.end(units: 38_000)
    }
}
