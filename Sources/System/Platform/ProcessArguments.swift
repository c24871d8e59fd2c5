/// The words that the process was started with, its name first.
///
/// The standard library looks for them in memory beside the environment. A library that is loaded
/// first and changes the environment moves that away, as libfaketime does; then it finds none, and
/// the kernel is asked.
package enum ProcessArguments {
    /// All words; bytes that are not UTF-8 are replaced.
    package static var all: [String] {
        let known = CommandLine.arguments
        return known.isEmpty ? told : known
    }

    /// Longest command line that the kernel gives by default, in bytes.
    private static let bytesMax = 2 << 20

    /// What the kernel says; nothing when it does not.
    static var told: [String] {
        let bytes: [UInt8]
        do throws(SystemError) {
            let file = try LinuxFileSystem().open("/proc/self/cmdline", .readOnly)
            bytes = try file.read(bytesMax, at: 0)
            try file.close()
        } catch { return [] }
        // Each word ends with a zero.
        return bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
