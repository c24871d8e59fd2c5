package import MarketModel

/// All tables of one chain.
package final class StateStore {
    /// Whose state it is.
    package let chain: Chain

    package init(_ chain: Chain) {
        self.chain = chain
    }

    /// Makes the table of a row type; once for each type, when projectors are made.
    package func table<Row: TableRow>(_ type: Row.Type) -> Table<Row> { Table() }
}
