extension ParsedArguments {
    /// The flags as they were given.
    ///
    /// - Parameter names: flags to leave out.
    /// - Returns: words for a shell.
    func flagWords(without names: Set<String> = []) -> [String] {
        occurrences.filter { !names.contains($0.flag) }.flatMap { occurrence in
            let name = "--\(occurrence.flag)"
            guard verb.flag(named: occurrence.flag)?.value != nil else { return [name] }
            return [name, shellWord(occurrence.value)]
        }
    }

    /// The command as it was given: what it stands for may depend on every flag.
    ///
    /// - Parameter names: flags to leave out.
    /// - Returns: a line for a shell.
    func commandLine(without names: Set<String> = []) -> String {
        commandLine(of: operands[...], without: names)
    }

    /// The same with other operands.
    func commandLine(
        of operands: ArraySlice<String>,
        without names: Set<String> = []
    ) -> String {
        (["tapedeck", verb.name] + operands.map(shellWord) + flagWords(without: names))
            .joined(separator: " ")
    }
}

/// A word as a POSIX shell reads it back.
func shellWord(_ word: String) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=+,@")
    if !word.isEmpty, word.allSatisfy(plain.contains) { return word }
    return "'"
        + word.split(separator: "'", omittingEmptySubsequences: false)
        .joined(separator: "'\\''") + "'"
}
