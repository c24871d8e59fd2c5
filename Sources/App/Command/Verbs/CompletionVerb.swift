/// `tapedeck completion SHELL`
let completionVerb = Verb(
    name: "completion",
    summary: "write a script that completes verbs and flags in a shell",
    operands: [
        Operand(
            placeholder: "SHELL",
            kind: .choice(Shell.allCases.map(\.rawValue)),
            help: "bash, zsh or fish"
        )
    ],
    examples: [
        .init(purpose: "in ~/.bashrc", line: "source <(tapedeck completion bash)"),
        .init(purpose: "in ~/.zshrc, behind compinit", line: "source <(tapedeck completion zsh)"),
        .init(
            purpose: "in ~/.config/fish/config.fish",
            line: "tapedeck completion fish | source"
        ),
    ],
    run: { arguments in
        guard let shell = arguments.operands.first.flatMap(Shell.init) else {
            preconditionFailure("the parser lets only the names of shells pass")
        }
        try Console().write(shell.completionScript(verbs: allVerbs))
        return .ok
    }
)
