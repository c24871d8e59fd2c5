import Platform

/// The two streams of the process: data goes to standard output, talk to standard error.
struct Console: Sendable {
    /// Whether talk may be coloured: a person watches and has not asked for plain text.
    let colours: Bool

    init() {
        // https://no-color.org: any value but an empty one switches colours off.
        let noColour = Environment.value("NO_COLOR").map { !$0.isEmpty } ?? false
        let isDumb = Environment.value("TERM") == "dumb"
        colours = Terminal.isTerminal(.error) && !noColour && !isDumb
    }

    /// How a progress line is to be drawn on this process's standard error.
    var progressStyle: ProgressLine.Style {
        guard Terminal.isTerminal(.error), Environment.value("TERM") != "dumb" else { return .log }
        return .terminal(columns: Terminal.columns(.error) ?? 80)
    }

    /// Writes what a verb has found out. When the reader has had enough, as `head` has, the rest is
    /// for nobody; what was found out stays, and so does the exit code.
    ///
    /// - Throws: the error of `write`.
    func write(_ text: String) throws(SystemError) {
        do throws(SystemError) { try Terminal.write(text, to: .output) } catch {
            if !error.isReaderGone { throw error }
        }
    }

    /// Says something to the person, on a line of its own.
    func say(_ text: String) { talk(text + "\n") }

    /// Says what is wrong; `name` is the program, with the verb if there is one.
    func complain(_ name: String, _ text: String) {
        let label = colours ? "\u{1B}[31m\(name):\u{1B}[0m" : "\(name):"
        talk("\(label) \(text)\n")
    }

    /// Writes talk as it is, line ends included.
    func talk(_ text: String) {
        do throws(SystemError) {
            try Terminal.write(text, to: .error)
        } catch {
            // Nobody can be told that nobody listens; the work and its exit code stay right.
        }
    }
}
