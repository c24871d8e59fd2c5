import Platform

/// `tapedeck config check`
let configCheckVerb = Verb(
    name: "config check",
    summary: "check a configuration file and say what it means",
    operands: [
        Operand(placeholder: "FILE", kind: .file, help: "A JSON5 configuration file")
    ],
    examples: [.init(purpose: "before a restart", line: "tapedeck config check deck.json5")],
    run: { arguments in
        let inputs = PlanInputs(disk: LinuxFileSystem(), environment: Environment.value)
        var plan = RecordPlan()
        do {
            try plan.read(config: arguments.operands[0], inputs)
            try plan.settle()
        } catch let error as PlanError {
            // As `record` answers the same file.
            throw UsageError(verb: "config check", message: error.message)
        }
        try Console().write(plan.description)
        return .ok
    }
)
