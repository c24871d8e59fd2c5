import Testing

@testable import Command

/// The real table, as if every verb had a body.
let completeTable: [Verb] = allVerbs.map { verb in
    var verb = verb
    verb.run = verb.run ?? { _ in .ok }
    return verb
}

private func parse(
    _ line: String,
    environment: [String: String] = [:]
) throws(UsageError) -> ParsedArguments? {
    let parser = ArgumentParser(verbs: completeTable, environment: { environment[$0] })
    let words = line.split(separator: " ").map(String.init)
    guard case .run(let arguments) = try parser.parse(words) else { return nil }
    return arguments
}

private func mistake(_ line: String, environment: [String: String] = [:]) -> String? {
    do {
        _ = try parse(line, environment: environment)
        return nil
    } catch { return error.message }
}

@Suite struct ArgumentParserTests {
    @Test func `flags are read in every spelling`() throws {
        for line in [
            "import a b -o deck --format solana-le", "import a b -odeck --format=solana-le",
            "import --output deck a --format solana-le b", "import -o=deck --format=solana-le a b",
            "import -o deck --format=solana-le -- a b",
        ] {
            let arguments = try #require(try parse(line))
            #expect(arguments.operands == ["a", "b"])
            #expect(arguments.text("output") == "deck")
            #expect(arguments.text("format") == "solana-le")
            #expect(!arguments.has("force"))
        }
    }

    @Test func `two dashes end the flags`() throws {
        let arguments = try #require(try parse("verify --format json -- --force -h"))
        #expect(arguments.operands == ["--force", "-h"])
        #expect(try parse("cat -")?.operands == ["-"])
    }

    @Test func `a value may hold an equals sign and begin with one dash`() throws {
        #expect(try parse("serve d --ws=127.0.0.1:1=a,b")?.text("ws") == "127.0.0.1:1=a,b")
        #expect(try parse("serve d --ws 127.0.0.1:1 --control -x")?.text("control") == "-x")
    }

    @Test func `group flags belong to the nearest opener before them`() throws {
        let arguments = try #require(
            try parse(
                "record -o d --geyser https://a --subscribe 1 --token-env T --ws ws://w --call x "
                    + "--geyser http://b --call y --subscribe 2 --ws wss://v --call z"
            )
        )
        let geyser = arguments.groups("geyser")
        #expect(geyser.map(\.value) == ["https://a", "http://b"])
        #expect(geyser.map { $0.text("subscribe") } == ["1", "2"])
        #expect(geyser.map { $0.text("token-env") } == ["T", nil])
        #expect(geyser.map(\.order) == [0, 2])
        let ws = arguments.groups("ws")
        #expect(ws.map(\.value) == ["ws://w", "wss://v"])
        #expect(ws.map { $0.texts("call") } == [["x", "y"], ["z"]])
        #expect(ws.map(\.order) == [1, 3])
    }

    @Test func `an incomplete or misplaced group is refused`() {
        let before = "record -o d "
        #expect(
            mistake(before + "--subscribe f --geyser https://a")
                == "--subscribe must stand behind the --geyser it belongs to"
        )
        #expect(
            mistake(before + "--geyser https://a --geyser https://b --subscribe f")
                == "--geyser https://a needs --subscribe FILE behind it"
        )
        #expect(
            mistake(before + "--geyser https://a --subscribe f --subscribe g")
                == "--subscribe is given twice for one --geyser"
        )
        #expect(mistake(before + "--ws ws://a") == "--ws ws://a needs --call JSON behind it")
    }

    @Test(arguments: [
        ("info", "REC is missing: The directory of a recording"),
        ("info a b", "'b' is one word too many"),
        ("info a --fromat json", "--fromat is no flag of this verb (did you mean --format?)"),
        ("info a -x", "-x is no flag of this verb"),
        ("info a --format", "--format FORMAT needs a value: How to write the result"),
        ("info a --format --x", "--format FORMAT needs a value: How to write the result"),
        ("info a --format=", "--format '': expected one of text, json"),
        ("info a --format jsn", "--format 'jsn': expected one of text, json (did you mean json?)"),
        ("info a --format text --format json", "--format is given twice"),
        ("cat a --follow=yes", "--follow takes no value, but 'yes' was given"),
        ("import a", "--output REC is missing: The directory of the recording to write"),
        ("synth -o d --slots 0", "--slots '0': expected a whole number, 1 to 10000000"),
        ("synth -o d --seed -1", "--seed '-1': expected a whole number, 0 or more"),
        (
            "synth -o d --seed 18446744073709551616",
            "--seed '18446744073709551616': expected a whole number, 0 or more"
        ),
        ("record -o d", "one of --geyser, --ws, --config is needed"),
        (
            "record -o d --config f --for 1s --until-end",
            "--for and --until-end exclude each other; give one of them"
        ),
        (
            "record -o d --config f --for 1",
            "--for '1': expected a length of time such as 250ms, 90s, 5m or 1h30m"
        ),
        (
            "record -o d --geyser ftp://x",
            "--geyser 'ftp://x': expected an address that begins with https:// or http://"
        ),
        (
            "record -o d --geyser https://",
            "--geyser 'https://': expected an address that begins with https:// or http://"
        ),
        ("serve d", "one of --geyser, --ws is needed"),
        (
            "serve d --ws :1",
            "--ws ':1': expected ADDRESS:PORT such as 127.0.0.1:0, with =SOURCE,... to choose sources"
        ),
        (
            "replay d --rate fast",
            "--rate 'fast': expected a speed such as 1, 10 or 0.5 (0.000001 to 1000000), or max"
        ),
        (
            "cat d --from 5",
            "--from '5': expected a range such as seq:100..200 (a range begins with its unit, one of seq:, slot:, block:, time:)"
        ),
        ("verfy d", "'verfy' is no verb (did you mean verify?)"),
        ("--force info", "'--force' stands before the verb; write the verb first"),
        ("config", "'config' needs a second word; write config check"),
        ("config chekc f", "'config' needs a second word; write config check"),
        ("xyzzy", "'xyzzy' is no verb"),
    ])
    func `a mistake is named with what was expected`(line: String, message: String) {
        #expect(mistake(line) == message)
    }

    @Test func `the environment stands in for a flag, which goes before it`() throws {
        let environment = ["TAPEDECK_CONFIG": "e.json5"]
        #expect(try parse("record -o d", environment: environment)?.text("config") == "e.json5")
        #expect(
            try parse("record -o d --config f", environment: environment)?.texts("config") == ["f"]
        )
        #expect(mistake("record -o d", environment: ["TAPEDECK_CONFIG": ""]) != nil)
    }

    @Test func `help is found wherever it stands`() throws {
        let parser = ArgumentParser(verbs: completeTable, environment: { _ in nil })
        for words in [["record", "--help"], ["record", "-h"], ["record", "-o", "d", "--help"]] {
            guard case .help(let verb?) = try parser.parse(words) else {
                Issue.record("\(words) is no request for help")
                continue
            }
            #expect(verb.name == "record")
        }
        guard case .help(nil) = try parser.parse(["--help"]) else {
            Issue.record("--help is no request for help")
            return
        }
    }

    @Test func `a verb of two words is read`() throws {
        #expect(try parse("config check f")?.verb.name == "config check")
        #expect(try parse("config check f")?.operands == ["f"])
    }

    @Test func `a verb without a body does not exist`() {
        let bodiless = Verb(name: "dream", summary: "x", examples: [], run: nil)
        let parser = ArgumentParser(verbs: [bodiless], environment: { _ in nil })
        #expect(throws: UsageError(verb: nil, message: "'dream' is no verb")) {
            try parser.parse(["dream"])
        }
        #expect(!helpText(verbs: [bodiless]).contains("dream"))
        #expect(!Shell.bash.completionScript(verbs: [bodiless]).contains("dream"))
    }

    @Test func `typed values are what was written`() throws {
        let record = try #require(
            try parse("record -o d --config f --for 1h30m --durability none")
        )
        #expect(record.duration("for") == 5_400_000_000_000)
        #expect(record.text("durability") == "none")
        let frames = try #require(try parse("record -o d --config f --frames 12"))
        #expect(frames.count("frames") == 12)
        #expect(try parse("replay d --rate 0.5")?.rate("rate") == .times(millionths: 500_000))
    }

    @Test func `from and to make one range`() throws {
        let arguments = try #require(try parse("cat d --from seq:5 --to seq:+10"))
        #expect(
            try arguments.range()
                == RecordRange(start: .sequence(5), end: .length(.sequence, count: 10))
        )
        #expect(try parse("cat d")?.range() == RecordRange())
        let backwards = try #require(try parse("cat d --from seq:5 --to seq:4"))
        #expect(
            throws: UsageError(
                verb: "cat",
                message: "--to seq:4: the range ends before it begins"
            )
        ) { try backwards.range() }
    }

    @Test func `no words make it trap`() {
        // Every line of up to three words out of these, with and without a verb before.
        let words = [
            "", "-", "--", "-o", "-h", "--output", "--=", "--output=", "-=", "=", "é", "--geyser",
            "https://x", "--rate", "seq:", "..", "record", "config", "\u{0}",
        ]
        let parser = ArgumentParser(verbs: completeTable, environment: { _ in "" })
        var refused = 0
        for verb in ["", "record", "serve", "config check"] {
            for a in words {
                for b in words {
                    for c in words {
                        let head = verb.split(separator: " ").map(String.init)
                        do { _ = try parser.parse(head + [a, b, c]) } catch { refused += 1 }
                    }
                }
            }
        }
        #expect(refused > 10_000)
    }
}

@Suite struct VerbTableTests {
    @Test func `the table is well formed`() {
        #expect(Set(allVerbs.map(\.name)).count == allVerbs.count)
        for verb in allVerbs {
            let names = verb.flags.map(\.name)
            #expect(Set(names).count == names.count, "\(verb.name)")
            let letters = verb.flags.compactMap(\.short)
            #expect(Set(letters).count == letters.count, "\(verb.name)")
            #expect(!verb.examples.isEmpty, "\(verb.name)")
            #expect(!verb.summary.hasSuffix("."), "\(verb.name)")
            #expect(!names.contains("help"), "\(verb.name)")
            let mentioned = (verb.exclusive + verb.oneOf).flatMap { $0 }
            #expect(Set(mentioned + verb.flags.compactMap(\.opener)).isSubset(of: names))
            for flag in verb.flags where flag.opener != nil {
                #expect(verb.flag(named: flag.opener ?? "")?.isRepeatable == true)
            }
        }
    }

    @Test func `every example is a command line that parses`() throws {
        let parser = ArgumentParser(verbs: completeTable, environment: { _ in nil })
        for verb in allVerbs {
            for example in verb.examples where !example.line.contains("source") {
                // What stands behind a pipe belongs to another program.
                var words = Array(shellWords(example.line).prefix { $0 != "|" })
                #expect(words.removeFirst() == "tapedeck")
                guard case .run(let arguments) = try parser.parse(words) else {
                    Issue.record("\(example.line) runs nothing")
                    continue
                }
                #expect(arguments.verb.name == verb.name)
                _ = try arguments.range()
            }
        }
    }

    /// Words as a shell parts them, with single quotes only.
    private func shellWords(_ line: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        for character in line {
            if character == "'" {
                isQuoted.toggle()
            } else if character == " ", !isQuoted {
                words.append(word)
                word = ""
            } else {
                word.append(character)
            }
        }
        return words + [word]
    }
}

@Suite struct AddressMaskTests {
    @Test(arguments: [
        ("--ws 'wss://h.example/v2/key': expected", "--ws 'wss://h.example/***': expected"),
        ("--ws 'wss://u:p/w@h:8?k=v' needs", "--ws 'wss://***@h:8/***' needs"),
        ("open https://u@h: No such file", "open https://***@h: No such file"),
        ("begins with https:// or http://", "begins with https:// or http://"),
        ("two ws://a/b ws://c/d.", "two ws://a/*** ws://c/***."),
        ("'ws://a?b'", "'ws://a/***'"), ("ws://h:1/", "ws://h:1/"), ("://", "://"), ("", ""),
        ("  a\tb: c:/d\n", "  a\tb: c:/d\n"), ("x://'", "x://'"), ("--://u:p@h", "--://***@h"),
        ("ws://a'b'c@h/k", "ws://***@h/***"),
    ])
    func `an address is said without its keys`(text: String, masked: String) {
        #expect(AddressMask.text(text) == masked)
    }
}
