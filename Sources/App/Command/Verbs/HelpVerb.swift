/// `tapedeck help [VERB]`
let helpVerb = Verb(
    name: "help",
    summary: "explain the program or a verb",
    operands: [
        Operand(placeholder: "VERB", kind: .text, number: .optional, help: "The verb to explain"),
        Operand(placeholder: "WORD", kind: .text, number: .optional, help: "Its second word"),
    ],
    examples: [.init(purpose: "all flags of a verb", line: "tapedeck help completion")],
    run: { arguments in
        var text = helpText(verbs: allVerbs)
        if !arguments.operands.isEmpty {
            let parser = ArgumentParser(verbs: allVerbs, environment: { _ in nil })
            guard case .help(let verb?) = try parser.parse(arguments.operands + ["--help"]) else {
                preconditionFailure("a verb with --help behind it is a request for help")
            }
            text = helpText(verb: verb)
        }
        try Console().write(text)
        return .ok
    }
)
