import GeyserDecoding

let geyserTargets = [
    FuzzTarget("geyser-update") { bytes in
        takeUpdate(RawSpan(_unsafeBytes: bytes), filters: preparedFilters)
    },
    FuzzTarget("geyser-request") { bytes in
        let span = RawSpan(_unsafeBytes: bytes)
        _ = attempt { try UpdateJSON.json(ofRequest: span) }
        guard let request = attempt({ try SubscribeRequest(decoding: span) }) else { return }
        takeRequest(request)
        // Of a message that repeats a field one is left, so the bytes need not be the same.
        let again = request.encoded()
        check(
            attempt { try SubscribeRequest(decoding: again) } == request,
            "a request is read as it was written"
        )
    },
    FuzzTarget("geyser-request-json") { bytes in
        guard let request = attempt({ try SubscribeRequest(json: Array(bytes)) }) else { return }
        takeRequest(request)
        let text = attempt(request.json)
        check(text != nil, "a request out of JSON has a JSON form")
        let again = text.flatMap { text in attempt { try SubscribeRequest(json: text) } }
        check(again == request, "a request keeps its meaning in JSON")
    },
    FuzzTarget("geyser-filter") { bytes in
        // A request and an update that it may select.
        var input = FuzzInput(bytes)
        let first = RawSpan(_unsafeBytes: input.take(input.short()))
        guard let request = attempt({ try SubscribeRequest(decoding: first) }),
            let filter = attempt({ try SubscriptionFilter(request) })
        else { return }
        takeUpdate(RawSpan(_unsafeBytes: input.all()), filters: [filter])
    },
]

/// Filters that select much, so that most of the matching is reached.
private let preparedFilters: [SubscriptionFilter] = [
    #"{"accounts":{"a":{}},"slots":{"s":{"interslot_updates":true}},"entry":{"e":{}}}"#,
    """
    {"transactions":{"t":{"vote":false}},"transactions_status":{"u":{"failed":false}},
    "blocks":{"b":{"include_transactions":true,"include_accounts":true,"include_entries":true}},
    "blocks_meta":{"m":{}}}
    """,
    """
    {"accounts":{"d":{"filters":[{"datasize":4},{"token_account_state":true},
    {"memcmp":{"offset":1,"bytes":"AQI="}},{"lamports":{"gt":1}}]},
    "n":{"nonempty_txn_signature":true}},
    "accounts_data_slice":[{"offset":1,"length":2},{"offset":8,"length":8}],
    "blocks":{"c":{"account_include":["11111111111111111111111111111111"]}},
    "transactions":{"x":{"account_include":["11111111111111111111111111111111"],
    "account_exclude":["Vote111111111111111111111111111111111111111"]}}}
    """,
].map { text in
    do {
        return try SubscriptionFilter(SubscribeRequest(json: Array(text.utf8)))
    } catch { fatalError("a prepared filter is refused: \(error)") }
}

private func takeRequest(_ request: SubscribeRequest) {
    _ = attempt { try SubscriptionFilter(request) }
    guard case .covered = StreamCoverage.of(request, recorded: [request]) else { return }
    _ = StreamCoverage.of(request, recorded: [SubscribeRequest(), request])
}

private func takeUpdate(_ update: RawSpan, filters: [SubscriptionFilter]) {
    _ = attempt { try UpdateJSON.json(of: update) }
    _ = UpdateSummary.slot(of: update)
    if let summary = attempt({ try UpdateSummary(of: update) }) {
        _ = attempt { try summary.key(in: update) }
    }
    var output = FilteredUpdates()
    for filter in filters {
        for dataIsCut in [false, true] {
            let isMatched =
                attempt { try filter.match(update, dataIsCut: dataIsCut, into: &output) } != nil
            guard isMatched else { continue }
            for message in output.messages {
                check(
                    message.range.upperBound <= output.bytes.count,
                    "a message lies within the output"
                )
                let bytes = Array(output.bytes[message.range])
                let summary = attempt { try UpdateSummary(of: bytes.span.bytes) }
                check(summary?.kind == message.kind, "a filtered update can be read")
            }
        }
    }
}
