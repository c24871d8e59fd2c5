import Platform

/// How the writer keeps room on its disk: the reserve, and what it retires.
extension SegmentWriter {
    /// Retires what the policy asks for. A failure costs nothing: the segments are still there, or
    /// the next retirement, or the next opening, removes the files that are left.
    ///
    /// - Returns: why the disk refused, if it did.
    @discardableResult
    func retire() -> SystemError? {
        // A reserve that was given up is to come back.
        let reserve = hasReserve ? 0 : options.reserveBytes
        guard
            let result = retirement?.attempt(
                &manifest,
                epoch: writerEpoch,
                growth: options.rotateBytes &+ reserve,
                now: clock.wallNanoseconds()
            )
        else { return nil }
        options.onRetention?(result)
        guard case .failure(.system(let error)) = result else { return nil }
        return error
    }

    /// Retires on a full disk. The statement that frees space needs a little itself: the reserve
    /// gives it.
    func retireOnFullDisk() {
        guard retirement != nil else { return }
        let failure = retire()
        do throws(SystemError) {
            if failure?.isOutOfSpace == true, hasReserve {
                try removeReserve()
                retire()
            }
            if !hasReserve { try makeReserve() }
        } catch {
            // Tried again with the next retirement; without a reserve the closing records take
            // what space there is.
        }
    }

    /// Keeps space allocated for the closing records.
    func makeReserve() throws(SystemError) {
        guard options.reserveBytes > 0 else { return }
        let file = try disk.open(layout.reserve, .createIfMissing)
        try file.allocate(options.reserveBytes)
        try file.close()
        hasReserve = true
    }

    /// Gives the reserve up.
    func removeReserve() throws(SystemError) {
        guard hasReserve else { return }
        hasReserve = false
        try disk.remove(layout.reserve)
    }
}
