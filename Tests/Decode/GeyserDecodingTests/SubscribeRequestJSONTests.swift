import GeyserDecoding
import Testing

@Suite struct SubscribeRequestJSONTests {
    private static let text = #"""
        {
          "accounts": {
            "pump": {
              "account": [
                "A"
              ],
              "owner": [
                "B",
                "C"
              ],
              "filters": [
                {
                  "memcmp": {
                    "offset": "8",
                    "base58": "abc"
                  }
                },
                {
                  "memcmp": {
                    "bytes": "AQID"
                  }
                },
                {
                  "datasize": "165"
                },
                {
                  "tokenAccountState": true
                },
                {
                  "lamports": {
                    "gt": "18446744073709551615"
                  }
                }
              ],
              "nonemptyTxnSignature": false,
              "cuckooAccountsFilter": {
                "data": "/+8=",
                "bucketCount": 7,
                "hashSeed": "9"
              }
            }
          },
          "slots": {
            "s": {
              "filterByCommitment": true,
              "interslotUpdates": false
            }
          },
          "transactions": {
            "t": {
              "vote": false,
              "failed": true,
              "accountInclude": [
                "x"
              ],
              "accountExclude": [
                "y"
              ],
              "signature": "sig",
              "accountRequired": [
                "z"
              ],
              "tokenAccounts": "BALANCE_CHANGED"
            }
          },
          "blocks": {
            "b": {
              "accountInclude": [
                "q"
              ],
              "includeTransactions": false,
              "includeAccounts": true,
              "includeEntries": true
            }
          },
          "blocksMeta": {
            "\u00e9": {}
          },
          "commitment": "CONFIRMED",
          "accountsDataSlice": [
            {
              "length": "40"
            },
            {
              "offset": "50",
              "length": "1"
            }
          ],
          "entry": {
            "e": {}
          },
          "ping": {
            "id": -7
          },
          "transactionsStatus": {
            "": {}
          },
          "fromSlot": "0"
        }
        """#

    /// What Python's protobuf runtime (json_format, deterministic serialisation) makes of the text,
    /// with the same fields declared in proto3 syntax and real maps.
    private static let wire = """
        0a490a0470756d7012411201411a01421a014322090a0708081a0361626322070a051203010203220310a501\
        22021801220d220b20ffffffffffffffffff01280032080a02ffef1007280912090a01731204080110001a1a\
        0a01741215080010011a01782201792a0373696732017af00101220e0a016212090a01711000180120012a06\
        0a02c3a9120030013a0210283a040832100142050a016512004a0b08f9ffffffffffffffff0152040a001200\
        5800
        """

    /// The text in the form that we write: fields in the order of their numbers, zero scalars
    /// without presence left out.
    private static let canonical = #"""
        {"accounts":{"pump":{"account":["A"],"owner":["B","C"],"filters":[{"memcmp":{"of\#
        fset":"8","base58":"abc"}},{"memcmp":{"bytes":"AQID"}},{"datasize":"165"},{"toke\#
        nAccountState":true},{"lamports":{"gt":"18446744073709551615"}}],"nonemptyTxnSig\#
        nature":false,"cuckooAccountsFilter":{"data":"/+8=","bucketCount":7,"hashSeed":"\#
        9"}}},"slots":{"s":{"filterByCommitment":true,"interslotUpdates":false}},"transa\#
        ctions":{"t":{"vote":false,"failed":true,"accountInclude":["x"],"accountExclude"\#
        :["y"],"signature":"sig","accountRequired":["z"],"tokenAccounts":"BALANCE_CHANGE\#
        D"}},"blocks":{"b":{"accountInclude":["q"],"includeTransactions":false,"includeA\#
        ccounts":true,"includeEntries":true}},"blocksMeta":{"é":{}},"commitment":"CONFIR\#
        MED","accountsDataSlice":[{"length":"40"},{"offset":"50","length":"1"}],"entry":\#
        {"e":{}},"ping":{"id":-7},"transactionsStatus":{"":{}},"fromSlot":"0"}
        """#

    private func bytes(hex: String) throws -> [UInt8] {
        let digits = Array(hex)
        return try stride(from: 0, to: digits.count, by: 2).map {
            try #require(UInt8(String(digits[$0..<$0 + 2]), radix: 16))
        }
    }

    private func read(_ json: String) throws -> SubscribeRequest {
        try SubscribeRequest(json: [UInt8](json.utf8))
    }

    @Test func `a text with every form gives the wire bytes of another runtime`() throws {
        let request = try read(SubscribeRequestJSONTests.text)
        #expect(request.encoded() == (try bytes(hex: SubscribeRequestJSONTests.wire)))
        let written = String(decoding: try request.json(), as: UTF8.self)
        #expect(written == SubscribeRequestJSONTests.canonical)
        #expect(try read(written) == request)
    }

    @Test func `names as declared, numbers as strings or not, and null are accepted`() throws {
        var request = SubscribeRequest()
        request.fromSlot = 500
        for spelling in [
            #"{"fromSlot": 500}"#, #"{"from_slot": "500"}"#, #"{"from_slot": "5e2"}"#,
            #"{"fromSlot": 500.0}"#, #"{"fromSlot": 50.0e1}"#, #"{"fromSlot": 5000e-1}"#,
            #"{"fromSlot": 500, "slots": null, "commitment": null}"#,
        ] {
            #expect(try read(spelling) == request, "\(spelling)")
        }
        request.fromSlot = .max
        #expect(try read(#"{"fromSlot": 18446744073709551615}"#) == request)
        request = SubscribeRequest()
        request.commitment = 1
        for spelling in ["1", #""CONFIRMED""#, #""1""#] {
            #expect(try read("{\"commitment\": \(spelling)}") == request)
        }
        request.commitment = 7
        #expect(try read(#"{"commitment": 7}"#) == request)
        #expect(String(decoding: try request.json(), as: UTF8.self) == #"{"commitment":7}"#)
        #expect(try read("{}") == SubscribeRequest())
        for spelling in ["_-8", "_-8=", "/+8", "/+8="] {
            let request = try read(
                #"{"blocks":{"b":{"cuckooAccountInclude":{"data":"\#(spelling)"}}}}"#
            )
            #expect(request.blocks["b"]?.cuckoo?.data == [0xff, 0xef])
        }
    }

    @Test(arguments: [
        (#"{"nope":1}"#, "nope", "there is no such field"),
        (#"{"accounts":{"a":{"ownr":[]}}}"#, "accounts.a.ownr", "there is no such field"),
        (
            #"{"accounts":{"a":{"filters":[{},{"memcmp":{"bytez":""}}]}}}"#,
            "accounts.a.filters[1].memcmp.bytez", "there is no such field"
        ),
        (#"{"fromSlot":1,"from_slot":2}"#, "from_slot", "stands twice"),
        (#"{"accounts":{"a":{},"a":{}}}"#, "accounts.a", "stands twice"),
        (
            #"{"accounts":{"a":{"filters":[{"datasize":1,"tokenAccountState":true}]}}}"#,
            "accounts.a.filters[0].tokenAccountState",
            "another choice of the same group is set already"
        ),
        (#"{"fromSlot":-1}"#, "from_slot", "not an integer of 0...18446744073709551615"),
        (
            #"{"fromSlot":18446744073709551616}"#, "from_slot",
            "not an integer of 0...18446744073709551615"
        ),
        (
            #"{"fromSlot":1e999999999999}"#, "from_slot",
            "not an integer of 0...18446744073709551615"
        ),
        (#"{"fromSlot":""}"#, "from_slot", "not an integer of 0...18446744073709551615"),
        (#"{"fromSlot":true}"#, "from_slot", "an integer is needed"),
        (#"{"ping":{"id":1.5}}"#, "ping.id", "not an integer of -2147483648...2147483647"),
        (#"{"ping":{"id":2147483648}}"#, "ping.id", "not an integer of -2147483648...2147483647"),
        (#"{"slots":[]}"#, "slots", "an object is needed"),
        (#"{"slots":{"a":null}}"#, "slots.a", "an object is needed"),
        (
            #"{"slots":{"a":{"filterByCommitment":"true"}}}"#, "slots.a.filter_by_commitment",
            "true or false is needed"
        ),
        (#"{"accounts":{"a":{"owner":"x"}}}"#, "accounts.a.owner", "an array is needed"),
        (#"{"accounts":{"a":{"owner":[null]}}}"#, "accounts.a.owner[0]", "a string is needed"),
        (
            #"{"accounts":{"a":{"cuckooAccountsFilter":{"data":"A"}}}}"#,
            "accounts.a.cuckoo_accounts_filter.data", "not Base64"
        ),
        (#"{"commitment":"NOPE"}"#, "commitment", #"there is no value "NOPE""#),
        ("[]", "", "an object is needed"),
    ])
    func `what does not fit is an error with its path`(
        json: String,
        path: String,
        problem: String
    ) {
        #expect(throws: ProtobufJSONError.mismatch(path: path, problem: problem)) {
            try read(json)
        }
    }

    @Test func `a request with a field that has no name has no JSON`() throws {
        var request = SubscribeRequest()
        request.unknownFields = [0x60, 1]
        #expect(
            throws: ProtobufJSONError.mismatch(path: "", problem: "field 12 has no name here")
        ) {
            try request.json()
        }
    }

    @Test func `every field survives JSON`() throws {
        let request = SubscribeRequestTests.full
        #expect(try SubscribeRequest(json: try request.json()) == request)
    }

    @Test func `mutated texts end in a request or an error`() {
        var generator = SeededGenerator(state: 7)
        var accepted = 0
        for _ in 0..<3_000 {
            var text = [UInt8](SubscribeRequestJSONTests.canonical.utf8)
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                let place = Int.random(in: 0..<text.count, using: &generator)
                text[place] = UInt8.random(in: 0x20..<0x7f, using: &generator)
            }
            do throws(ProtobufJSONError) {
                _ = try SubscribeRequest(json: text)
                accepted += 1
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
        #expect(accepted > 10)
    }
}
