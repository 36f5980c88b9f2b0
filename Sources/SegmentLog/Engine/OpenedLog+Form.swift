import DiskIO
import LogModel
import SegmentFormat

extension OpenedLog {
    /// Makes the directory one of another generation of its cluster, before anything is said in it.
    ///
    /// - Throws: ``LogError/noSpace``, ``LogError/storage(_:)``; it is of the old one or of the new one then.
    package mutating func changeGeneration(to generation: UInt32) throws(LogError) {
        guard self.identity.generation != generation else { return }
        var identity = self.identity
        identity.generation = generation
        try self.files.replace(LogFiles.identity, with: identity.encoded())
        self.identity = identity
    }

    /// Keeps IDENTITY and VOTE beside themselves, as they were in this generation.
    ///
    /// - Returns: The names of the copies; what is kept already stays as it is.
    package func keepGeneration() throws(LogError) -> [String] {
        var kept: [String] = []
        for (name, byteCount) in [(LogFiles.identity, NodeIdentity.byteCountMax), (LogFiles.vote, VoteFile.byteCount)] {
            let copy = LogFiles.name(of: name, keptFrom: self.identity.generation)
            kept.append(copy)
            guard try self.files.contents(copy, byteCountMax: 1) == nil,
                let bytes = try self.files.contents(name, byteCountMax: byteCount)
            else { continue }
            try self.files.replace(copy, with: bytes)
        }
        return kept
    }

    /// Makes segment 0 of a blank directory and names the cluster in IDENTITY, in this order: a crash before the last
    /// step leaves a blank directory.
    ///
    /// - Parameter bytes: Segment 0's header and checkpoint, see ``FrameChain/foundingBytes(cluster:checkpoint:)``.
    /// - Throws: ``LogError/rejected(_:at:)`` when they are not, ``LogError/noSpace``, ``LogError/storage(_:)``;
    ///   the directory is blank then.
    package mutating func form(cluster: ClusterID, founding bytes: Bytes) throws(LogError) {
        precondition(self.writer == nil, "a log is formed once")
        if let expected = self.configuration.cluster, expected != cluster {
            throw .foreignDirectory(.cluster(found: cluster, expected: expected))
        }
        var chain = FrameChain(empty: cluster)
        var index = SegmentIndex(segmentByteCountMax: self.configuration.segmentByteCountMax)
        do throws(FrameDefect) {
            try chain.accept(range: bytes, at: .zero) { header, _, position in
                index.note(header, at: position.offset)
            }
        } catch {
            throw .rejected(FrameFault(error), at: chain.tail)
        }
        guard !chain.isAtSegmentStart, !chain.isEmpty else {
            throw .rejected(FrameFault(.endOfData), at: chain.tail)
        }
        try self.files.replace(SegmentID.first.fileName, with: Array(bytes))
        let founded = chain
        let boot = self.vouchingBoot
        try self.durableFile.reset {
            $0 = DurableRecord(
                durable: founded.point, commit: founded.tail, first: .first, isClean: false, boot: boot)
        }
        var identity = self.identity
        identity.cluster = cluster
        try self.files.replace(LogFiles.identity, with: identity.encoded())
        self.identity = identity
        self.commit = chain.tail
        let segment = LogLayout.Segment(
            id: .first, firstIndex: .first, byteCount: chain.tail.offset, index: index)
        try self.start(LogLayout(segments: [segment], tail: chain.point, nextIndex: chain.nextIndex), chain)
    }

    /// Goes over to normal work on a recovered or formed log.
    mutating func start(_ layout: sending LogLayout, _ chain: FrameChain) throws(LogError) {
        self.report.segmentCount = layout.segments.count
        self.report.byteCount = layout.segments.reduce(0) { $0 + Int($1.byteCount) }
        self.report.first = layout.first
        self.report.tail = chain.tail
        self.report.nextIndex = chain.nextIndex
        let hasPeers = self.configuration.recovery == .quarantineDamage
        let store = LogStore(
            self.files, cluster: chain.cluster, segmentByteCountMax: self.configuration.segmentByteCountMax,
            openFilesMax: self.configuration.openFilesMax, layout: layout,
            quarantine: Quarantine(hasPeers ? self.report.damage : []), hasPeers: hasPeers
        )
        self.writer = try LogWriter(
            files: self.files, segmentByteCountMax: self.configuration.segmentByteCountMax, lock: self.lock,
            store: store, durableFile: self.durableFile, chain: chain, keepsReserve: self.votes != nil,
            framePath: self.configuration.framePath
        )
    }
}
