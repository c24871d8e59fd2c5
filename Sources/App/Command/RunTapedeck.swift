import Platform

/// Does what the command line of the process asks for.
///
/// - Returns: the code to exit with, 0 to 5 (see `ExitCode`).
package func runTapedeck() -> Int32 {
    FileModes.keepPrivate()
    Signals.ignoreBrokenPipes()
    return go(Array(ProcessArguments.all.dropFirst())).rawValue
}
