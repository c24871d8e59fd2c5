import MarketModel

/// What stored state was made with. State of another key is not read: it is rebuilt.
package struct StateKey: Hashable, Sendable {
    /// One thing that decides what state comes of a log.
    package struct Part: Hashable, Sendable {
        /// Such as `assembler` or `projector lifecycle`.
        package let name: String
        /// A version, or a text that stands for a configuration.
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// All parts, in the order in which they are hashed.
    package let parts: [Part]
    /// The digest of the parts.
    package let digest: StateDigest

    package init(_ parts: [Part]) {
        self.parts = parts
        var writer = RowWriter()
        for part in parts {
            writer.add(part.name)
            writer.add(part.value)
        }
        digest = writer.digest
    }

    /// A key as it was found somewhere.
    ///
    /// - Parameters:
    ///   - parts: in any order.
    ///   - digest: as it was written beside them.
    package init(parts: [Part], digest: StateDigest) {
        self.parts = parts
        self.digest = digest
    }
}

extension ProjectionEngine {
    /// The version of the engine itself: of canonical forms and digests, and of what a checkpoint
    /// says.
    package static let formatVersion: UInt32 = 2

    /// What this engine's state is made with.
    ///
    /// - Parameter others: what stands before the engine: assembler, decoders, their options.
    /// - Returns: those, the engine's own version, the projectors and the shapes of their tables.
    package func key(with others: [StateKey.Part]) -> StateKey {
        var parts = [
            StateKey.Part("chain", store.chain.description),
            StateKey.Part("engine", String(ProjectionEngine.formatVersion)),
        ]
        parts += others
        for projector in projectors {
            let name = type(of: projector).name
            let version = type(of: projector).version
            parts.append(StateKey.Part("projector \(name)", String(version)))
            parts.append(StateKey.Part("configuration \(name)", projector.configuration))
        }
        var writer = RowWriter()
        for schema in store.schemas { writer.add(schema) }
        parts.append(StateKey.Part("tables", writer.digest.description))
        return StateKey(parts)
    }
}

extension RowWriter {
    /// The shape of a table, as far as rows depend on it; what meanings say is left out.
    mutating func add(_ schema: TableSchema) {
        add(schema.name)
        add(schema.isOrdered)
        add(schema.isOutsideDigest)
        for columns in [schema.key, schema.columns] {
            add(UInt32(columns.count))
            for column in columns {
                add(column.name)
                add(column.type.rawValue)
                add(column.isOptional)
            }
        }
    }
}
