/// Most elements that are read into the lists of one transaction. A message beyond them is refused,
/// so that memory follows what Solana can do and not what a stranger writes: an empty submessage
/// takes two bytes on the wire and a list element up to 56 in memory.
package enum UpdateLimits {
    /// Keys of a transaction, loaded ones included. Instructions and balances name a key by one
    /// byte.
    package static let keysMax = 256

    /// Top-level instructions of a transaction. Each takes at least three bytes of its message
    /// (program, two lengths), which has at most 1,232 bytes, or 4,096 in the form to come.
    package static let instructionsMax = 4096 / 3

    /// Calls below all instructions of a transaction together. A call costs about a thousand of at
    /// most 1.4 million compute units; newer runtimes allow 64.
    package static let callsMax = 4096

    /// Log lines of a transaction. A line costs at least a hundred of 1.4 million compute units;
    /// the lines around a call are paid for by the call.
    package static let logsMax = 16_384

    /// Balances of one list. There is one for each key.
    package static let balancesMax = keysMax
}
