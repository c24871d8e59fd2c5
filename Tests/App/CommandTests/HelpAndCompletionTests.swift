import Foundation
import Testing

@testable import Command

private func path(of program: String) -> String? {
    ["/usr/bin/", "/bin/", "/usr/local/bin/"].map { $0 + program }
        .first { FileManager.default.isExecutableFile(atPath: $0) }
}

/// Runs a shell with a script on its standard input and gives what it prints.
private func run(_ shell: String, _ arguments: [String], script: String) throws -> (Int32, String) {
    let process = Process()
    process.executableURL = URL(filePath: try #require(path(of: shell)))
    process.arguments = arguments
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try script.write(to: file, atomically: true, encoding: .utf8)
    defer {
        do { try FileManager.default.removeItem(at: file) } catch {
            Issue.record("cannot remove \(file.path): \(error)")
        }
    }
    process.standardInput = try FileHandle(forReadingFrom: file)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: bytes ?? Data(), as: UTF8.self))
}

@Suite struct HelpTests {
    @Test func `every verb's help fits 80 columns and shows an example`() {
        for verb in completeTable {
            let lines = helpText(verb: verb).split(
                separator: "\n",
                omittingEmptySubsequences: false
            )
            // An example is one line whatever its length, so that it can be copied.
            for line in lines where !line.hasPrefix("  tapedeck \(verb.name) ") {
                #expect(line.count <= 80, "\(verb.name): \(line)")
                #expect(!line.hasSuffix(" "), "\(verb.name): \(line)")
            }
            #expect(lines.contains { $0.hasPrefix("  # ") })
            #expect(lines.contains("Exit codes"))
            for flag in verb.flags {
                #expect(lines.contains { $0.contains("--\(flag.name)") }, "\(flag.name)")
            }
        }
    }

    @Test func `groups, repetition and defaults can be seen`() throws {
        let record = helpText(verb: try #require(completeTable.first { $0.name == "record" }))
        let usage = record.split(separator: "\n").map(String.init).joined(separator: " ")
            .split(separator: " ").joined(separator: " ")
        #expect(
            usage.contains(
                "tapedeck record -o REC [--config FILE] [--geyser URL --subscribe FILE "
                    + "[--token-env NAME]]... [--ws URL --call JSON...]... [--for TIME]"
            )
        )
        #expect(usage.contains("every-block, interval, none (default: interval, 20 ms)"))
        #expect(usage.contains("environment: TAPEDECK_CONFIG"))
        #expect(usage.contains("belongs to the --geyser before it; required"))
    }

    @Test func `the program's help lists what there is`() {
        let text = helpText(verbs: completeTable)
        for verb in completeTable { #expect(text.contains("  \(verb.name) ")) }
        #expect(text.contains("  5  the recording does not hold the range"))
    }
}

@Suite struct CompletionTests {
    @Test(arguments: [
        ("requ", "requests"), ("config ", "check"), ("info --fo", "--format"),
        ("info --format j", "json"), ("synth --se", "--seed"), ("completion f", "fish"),
        ("config check --h", "--help"), ("cat d --from s", "seq: slot:"), ("synth --seed ", ""),
    ])
    func `bash completes`(typed: String, offered: String) throws {
        let typedWords = typed.split(separator: " ", omittingEmptySubsequences: false)
        let words = ["tapedeck"] + typedWords.map(String.init)
        let quoted = words.map { "'\($0)'" }.joined(separator: " ")
        let script = """
            \(Shell.bash.completionScript(verbs: completeTable))
            COMP_WORDS=(\(quoted)) COMP_CWORD=\(words.count - 1)
            _tapedeck
            printf '%s' "${COMPREPLY[*]}"
            """
        let (code, text) = try run("bash", ["--norc", "-eu"], script: script)
        #expect(code == 0)
        #expect(text == offered)
    }

    @Test(.enabled(if: path(of: "zsh") != nil)) func `zsh reads its script`() throws {
        let script = Shell.zsh.completionScript(verbs: completeTable)
        #expect(try run("zsh", ["-n"], script: script) == (0, ""))
    }

    @Test(.enabled(if: path(of: "fish") != nil)) func `fish completes`() throws {
        let script = """
            \(Shell.fish.completionScript(verbs: completeTable))
            complete -C 'tapedeck requ' | cut -f1 | sort | string join ' '
            complete -C 'tapedeck config ' | cut -f1 | sort | string join ' '
            complete -C 'tapedeck info --format ' | cut -f1 | sort | string join ' '
            """
        let (code, text) = try run("fish", ["--no-config"], script: script)
        #expect(code == 0)
        #expect(text == "requests\ncheck\njson text\n")
    }
}

@Suite struct SuggestionTests {
    @Test func `the distance counts single mistakes`() {
        #expect(editDistance("verify", "verify") == 0)
        #expect(editDistance("verfy", "verify") == 1)
        #expect(editDistance("vreify", "verify") == 1)
        #expect(editDistance("", "abc") == 3)
        #expect(editDistance("kitten", "sitting") == 3)
    }

    @Test func `only what is near is suggested`() {
        #expect(
            suggestion(for: "fro", among: ["from", "to"], prefix: "--") == " (did you mean --from?)"
        )
        #expect(suggestion(for: "completionscript", among: ["info"], prefix: "").isEmpty)
        #expect(
            suggestion(for: "until", among: ["until-end"], prefix: "--")
                == " (did you mean --until-end?)"
        )
    }
}
