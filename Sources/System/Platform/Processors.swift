import CLinux

/// How many processors this process may use.
package enum Processors {
    /// Processors in the affinity mask of the process, at least 1.
    ///
    /// - Parameter limit: the most that the answer may be.
    /// - Returns: 1 up to `limit`.
    package static func available(atMost limit: Int) -> Int {
        max(1, min(limit, Int(clinux_available_processors())))
    }
}
