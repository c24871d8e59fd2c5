import Platform
import SegmentLog

/// The whole program: understands the words behind its name, does what they ask, and gives the
/// code to exit with. Apart from `EntryPoint`, so that tests can call it.
func go(_ words: [String]) -> ExitCode {
    let console = Console()
    let parser = ArgumentParser(verbs: allVerbs, environment: Environment.value)
    var name = "tapedeck"
    if words.isEmpty {
        console.talk(helpText(verbs: allVerbs))
        return .usage
    }
    do {
        switch try parser.parse(words) {
        case .help(let verb):
            try console.write(verb.map { helpText(verb: $0) } ?? helpText(verbs: allVerbs))
            return .ok
        case .run(let arguments):
            name += " " + arguments.verb.name
            guard let run = arguments.verb.run else {
                preconditionFailure("the parser gave a verb without a body: \(name)")
            }
            return try run(arguments)
        }
    } catch let error as UsageError {
        let full = error.verb.map { "tapedeck \($0)" } ?? "tapedeck"
        console.complain(full, AddressMask.text(error.message))
        console.say("'\(full) --help' explains it.")
        return .usage
    } catch let error as VerbFailure {
        console.complain(name, AddressMask.text(error.message))
        return error.code
    } catch LogError.rangeNotAvailable(let detail) {
        console.complain(name, "range not available: \(detail)")
        return .rangeNotAvailable
    } catch {
        // Printing record by record, which ends early when its reader has had enough.
        if let error = error as? SystemError, error.isReaderGone { return .ok }
        console.complain(name, AddressMask.text("\(error)"))
        return .failed
    }
}
