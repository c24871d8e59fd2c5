import Command
import Glibc

/// Where the program begins.
@main
enum EntryPoint {
    static func main() { exit(runTapedeck()) }
}
