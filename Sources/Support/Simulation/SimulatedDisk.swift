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
                    target += [UInt8](repeating: 0, count: end - target.count)
                }
                target.replaceSubrange(offset..<end, with: bytes)
            case .resize(let size):
                if size < target.count {
                    target.removeLast(target.count - size)
                } else {
                    target += [UInt8](repeating: 0, count: size - target.count)
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

    /// Releases every lock, as the end of a process does.
    mutating func releaseLocks() {
        for number in inodes.keys { inodes[number]?.isLocked = false }
    }

    /// The disk after a power cut.
    ///
    /// - Parameters:
    ///   - percent: how likely each unsynced name and sector is kept.
    ///   - tears: the last unsynced write of each file arrives up to some byte, and no sector of
    ///     it behind that.
    ///   - leavesGarbage: space that a file was given and whose bytes never came may read as
    ///     what somebody else had there, not as zeros.
    ///   - random: decides for every unsynced name and sector.
    /// - Returns: a disk on which everything is durable.
    func afterPowerCut(
        percent: UInt64,
        tears: Bool,
        leavesGarbage: Bool,
        random: inout SeededRandom
    ) -> SimulatedDisk {
        var disk = SimulatedDisk()
        disk.nextInode = nextInode
        var names = durableNodes
        for directory in pendingNames.keys.sorted() {
            for change in pendingNames[directory, default: []]
            where random.next(below: 100) < percent {
                for (path, node) in change { names[path] = node }
            }
        }
        for path in names.keys.sorted() {
            // A name whose directory was lost is lost with it.
            var folder = Self.parent(of: path)
            while folder != "/", names[folder] == .directory { folder = Self.parent(of: folder) }
            guard folder == "/", let node = names[path] else { continue }
            disk.nodes[path] = node
            if case .file(let number) = node, let inode = inodes[number] {
                let left = inode.arrived(
                    percent: percent,
                    tears: tears,
                    leavesGarbage: leavesGarbage,
                    random: &random
                )
                disk.inodes[number] = Inode(contents: left, durable: left)
            }
        }
        disk.durableNodes = disk.nodes
        return disk
    }
}

extension SimulatedDisk.Inode {
    /// Drops what is unsynced as a failed sync does: some sectors have reached the disk, the rest
    /// never will, and no later sync knows of them. Processes go on seeing all of it. The size
    /// is the file system's own affair and is not dropped.
    mutating func failSync(random: inout SeededRandom) {
        durable = arrived(percent: 50, tears: false, leavesGarbage: false, random: &random)
        pending = pending.filter { if case .resize = $0 { true } else { false } }
    }

    /// What the disk holds when some of the unsynced changes have arrived.
    func arrived(
        percent: UInt64,
        tears: Bool,
        leavesGarbage: Bool,
        random: inout SeededRandom
    ) -> [UInt8] {
        var left = durable
        let lastWrite = pending.lastIndex { if case .write = $0 { true } else { false } }
        for (index, change) in pending.enumerated() {
            guard case .write(let offset, let bytes) = change else {
                if random.next(below: 100) < percent { Self.apply(change, to: &left) }
                continue
            }
            if tears, index == lastWrite {
                let count = Int(random.next(below: UInt64(bytes.count) + 1))
                Self.apply(.write(offset: offset, bytes: Array(bytes.prefix(count))), to: &left)
                continue
            }
            var place = offset
            let end = offset + bytes.count
            // The size may reach the disk before the data: the rest then reads as zeros, or as
            // what was there before.
            if end > left.count, random.next(below: 100) < percent {
                Self.apply(.resize(end), to: &left)
            }
            while place < end {
                let next = min(end, (place / 512 + 1) * 512)
                if random.next(below: 100) < percent {
                    let piece = Array(bytes[(place - offset)..<(next - offset)])
                    Self.apply(.write(offset: place, bytes: piece), to: &left)
                } else if leavesGarbage, place >= durable.count, next <= left.count {
                    let piece = (place..<next).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                    Self.apply(.write(offset: place, bytes: piece), to: &left)
                }
                place = next
            }
        }
        return left
    }
}
