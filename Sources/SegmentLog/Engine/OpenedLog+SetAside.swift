import DiskIO
import LogModel
import SegmentFormat

extension OpenedLog {
    /// Keeps everything from the damage on beside the log, and recovers the part before it as if it were all.
    ///
    /// That part is looked at first: what is damaged in it ends the log even earlier. Then the copy of the segment in which
    /// the log ends, the only step that needs space; then the segments behind it, highest first; only then is DURABLE
    /// lowered. A crash before that finds the damage again, and one after it finds a log that ends before it.
    mutating func setAside(
        _ damage: Damage, cluster: ClusterID, segments: [SegmentID], first: SegmentID, isSyncedKnown: Bool
    ) throws(LogError) -> LogRecovery {
        guard damage.segment > first || damage.range.lowerBound > 0 else { throw .damaged(damage) }
        let isCut = damage.range.lowerBound > 0
        let kept = segments.filter { $0 < damage.segment || isCut && $0 == damage.segment }
        let passesDamage = self.configuration.givenUp != nil
        var recovery = LogRecovery(
            files: self.files, cluster: cluster, segmentByteCountMax: self.configuration.segmentByteCountMax,
            record: nil, followsState: self.votes == nil, passesDamage: passesDamage,
            limit: passesDamage ? Position(segment: damage.segment, offset: UInt32(damage.range.lowerBound)) : nil
        )
        try recovery.run(kept, first: first)
        if let damage = passesDamage ? recovery.blocking : recovery.damage.first { throw .damaged(damage) }
        guard !recovery.isEmpty else { throw .damaged(damage) }
        if let earlier = recovery.unknownTail(kept), !self.report.damage.contains(where: { $0.touches(earlier) }) {
            self.report.damage.insert(earlier, at: 0)
        }
        try self.keepAside(recovery, segments: segments)
        // Where nobody knows what was synced, DURABLE goes on saying nothing until all that is kept is.
        guard isSyncedKnown else { return recovery }
        let tail = recovery.chain.point
        try self.durableFile.reset { record in
            record.durable = tail
            record.commit = min(record.commit, tail.position)
            record.isClean = false
            record.first = first
        }
        return recovery
    }

    /// A node does without a part of its log, and may not vote before it has it again.
    ///
    /// - Returns: `nil` when it does without all of it: the directory is blank.
    mutating func recover(
        without givenUp: GivenUpPart, _ segments: inout [SegmentID], first: SegmentID, cluster: ClusterID,
        isSyncedKnown: Bool
    ) throws(LogError) -> LogRecovery? {
        // Before anything is gone that this node may have vouched for.
        try self.votes?.barUntilLevel(vouched: self.vouched)
        guard case .from(let damage) = givenUp else {
            try self.giveUpEverything(segments)
            return nil
        }
        let recovery = try self.setAside(
            damage, cluster: cluster, segments: segments, first: first, isSyncedKnown: isSyncedKnown)
        segments.removeAll { $0 > recovery.chain.tail.segment }
        self.report.givenUp = damage
        self.report.damage = recovery.damage
        return recovery
    }

    /// A node's log of which nothing can be made use of: it is kept beside, and the directory is blank again but for
    /// who the node is and what it voted for. Each step may be cut off: the next opening finds damage, and begins again.
    private mutating func giveUpEverything(_ segments: [SegmentID]) throws(LogError) {
        for segment in segments.reversed() { self.report.setAside.append(try self.setAside(segment)) }
        self.report.setAside.sort()
        try self.files.syncDirectory()
        try self.durableFile.reset {
            $0 = DurableRecord(durable: .zero, commit: .zero, first: .first, isClean: false)
        }
        var identity = self.identity
        identity.cluster = nil
        try self.files.replace(LogFiles.identity, with: identity.encoded())
        self.identity = identity
    }

    /// Keeps what lies behind the tail: a copy of the segment in which that is, and the segments behind it.
    mutating func keepAside(_ recovery: LogRecovery, segments: [SegmentID]) throws(LogError) {
        let tail = recovery.chain.tail
        if recovery.loose.byteCount > 0 {
            let name = try self.freeName(for: tail.segment)
            try self.copy(tail.segment.fileName, to: name)
            self.report.setAside.append(name)
        }
        for segment in segments.reversed() where segment > tail.segment {
            self.report.setAside.append(try self.setAside(segment))
        }
        self.report.setAside.sort()
        try self.files.syncDirectory()
    }

    /// - Returns: The name that it has now.
    func setAside(_ segment: SegmentID) throws(LogError) -> String {
        let name = try self.freeName(for: segment)
        try self.files.rename(segment.fileName, to: name)
        return name
    }

    /// `000003.wal.damaged`, or with a number behind it when that is taken: nothing kept is ever replaced.
    private func freeName(for segment: SegmentID) throws(LogError) -> String {
        let names = Set(try self.files.list())
        let name = segment.fileName + ".damaged"
        if !names.contains(name) { return name }
        var number = 2
        while names.contains("\(name)-\(number)") { number += 1 }
        return "\(name)-\(number)"
    }

    /// Under a temporary name first: a copy is whole or not there. What the disk does not deliver is zeros in it.
    private func copy(_ name: String, to copy: String) throws(LogError) {
        let temporary = copy + ".tmp"
        let source = try self.files.open(name, .read)
        let target = try self.files.open(temporary, .create)
        do throws(LogError) {
            try disk { () throws(DiskError) in
                var offset = 0
                let end = try source.byteCount()
                while offset < end {
                    let part = try Self.part(of: source, offset..<min(end, offset + EngineLimits.scanWindowByteCount))
                    if part.isEmpty { break }
                    try target.write(part.span.bytes, at: offset)
                    offset += part.count
                }
                try target.sync()
            }
            try self.files.rename(temporary, to: copy)
        } catch {
            // What cannot be removed now goes at the next start.
            try? self.files.remove(temporary)
            throw error
        }
    }

    private static func part(of file: any File, _ range: Range<Int>) throws(DiskError) -> [UInt8] {
        do throws(DiskError) {
            return try file.read(at: range.lowerBound, count: range.count)
        } catch {
            guard StorageFailure(ofUnreadable: error) != nil else { throw error }
            let sector = EngineLimits.sectorByteCount
            guard range.count > sector else { return [UInt8](repeating: 0, count: range.count) }
            let middle = (range.lowerBound + range.count / 2) / sector * sector
            guard middle > range.lowerBound else { return [UInt8](repeating: 0, count: range.count) }
            return try Self.part(of: file, range.lowerBound..<middle) + Self.part(of: file, middle..<range.upperBound)
        }
    }
}
