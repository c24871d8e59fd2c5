import Platform

/// Does what a command line asks for.
///
/// - Parameter words: the words behind the program's name.
/// - Returns: the code to exit with, 0 to 5 (see `ExitCode`).
package func runTapedeck(_ words: [String]) -> Int32 {
    FileModes.keepPrivate()
    return go(words).rawValue
}
