import Platform

/// What a disk in memory holds: what processes see, and what a power cut would leave.
///
/// The model is harsher than any real file system: every name and every 512-byte sector that was
/// not synced is kept or lost on its own, in any order.
struct SimulatedDisk {
    /// A file's contents and the changes that no sync has covered.
    struct Inode {
        enum Change {
            case write(offset: Int, bytes: [UInt8])
            case resize(Int)
        }

        var contents: [UInt8] = []
        /// What a power cut leaves at least.
        var durable: [UInt8] = []
        var pending: [Change] = []
        var isLocked = false

        mutating func apply(_ change: Change) {
            pending.append(change)
            Self.apply(change, to: &contents)
        }

        static func apply(_ change: Change, to target: inout [UInt8]) {
            switch change {
            case .write(let offset, let bytes):
                let end = offset + bytes.count
                if target.count < end {
                    target.append(contentsOf: repeatElement(0, count: end - target.count))
                }
                target.replaceSubrange(offset..<end, with: bytes)
            case .resize(let size):
                if size < target.count {
                    target.removeLast(target.count - size)
                } else {
                    target.append(contentsOf: repeatElement(0, count: size - target.count))
                }
            }
        }

        mutating func sync() {
            for change in pending { Self.apply(change, to: &durable) }
            pending = []
        }
    }

    enum Node: Equatable {
        case directory
        case file(Int)
    }

    /// A change of names: each path takes the node, or loses what it had.
    typealias NameChange = [(path: String, node: Node?)]

    var nodes: [String: Node]
    var durableNodes: [String: Node]
    /// Changes of names by directory, oldest first.
    var pendingNames: [String: [NameChange]] = [:]
    var inodes: [Int: Inode] = [:]
    var nextInode = 1

    /// The size of a file as processes see it; 0 without one.
    func size(of inode: Int) -> Int { inodes[inode].map(\.contents.count) ?? 0 }  // no file

    init() {
        nodes = ["/": .directory]
        durableNodes = nodes
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    mutating func change(_ names: NameChange) {
        for (path, node) in names { nodes[path] = node }
        guard let first = names.first else { return }
        pendingNames[Self.parent(of: first.path), default: []].append(names)
    }

    mutating func syncDirectory(_ path: String) {
        for names in pendingNames[path, default: []] {
            for (path, node) in names { durableNodes[path] = node }
        }
        pendingNames[path] = nil
    }

    /// The disk as a process finds it that starts after this one was killed.
    func afterKill() -> SimulatedDisk {
        var disk = self
        for number in disk.inodes.keys { disk.inodes[number]?.isLocked = false }
        return disk
    }

    /// The disk after a power cut.
    ///
    /// - Parameter keep: asked for every unsynced name and sector whether it reached the disk.
    /// - Returns: a disk on which everything is durable.
    func afterPowerCut(keep: () -> Bool) -> SimulatedDisk {
        var disk = SimulatedDisk()
        disk.nextInode = nextInode
        var names = durableNodes
        for directory in pendingNames.keys.sorted() {
            for change in pendingNames[directory, default: []] where keep() {
                for (path, node) in change { names[path] = node }
            }
        }
        for (path, node) in names {
            // A name whose directory was lost is lost with it.
            var folder = Self.parent(of: path)
            while folder != "/", names[folder] == .directory { folder = Self.parent(of: folder) }
            guard folder == "/" else { continue }
            disk.nodes[path] = node
            if case .file(let number) = node {
                disk.inodes[number] = inodes[number].map { Self.cut($0, keep: keep) }
            }
        }
        disk.durableNodes = disk.nodes
        return disk
    }

    private static func cut(_ inode: Inode, keep: () -> Bool) -> Inode {
        var durable = inode.durable
        for change in inode.pending {
            guard case .write(let offset, let bytes) = change else {
                if keep() { Inode.apply(change, to: &durable) }
                continue
            }
            var place = offset
            let end = offset + bytes.count
            // The size may reach the disk before the data: the rest then reads as zeros.
            if end > durable.count, keep() { Inode.apply(.resize(end), to: &durable) }
            while place < end {
                let next = min(end, (place / 512 + 1) * 512)
                if keep() {
                    let piece = Array(bytes[(place - offset)..<(next - offset)])
                    Inode.apply(.write(offset: place, bytes: piece), to: &durable)
                }
                place = next
            }
        }
        var fresh = Inode()
        fresh.contents = durable
        fresh.durable = durable
        return fresh
    }
}
