import HoldfastClient
import LogModel
import SegmentFormat

/// Checks every byte of a data directory against the format and against DURABLE; only reads.
///
/// What stops below DURABLE is damage: those bytes had been synced. What stops at or above it is a tail that was
/// never synced: the node cuts it when it starts, and nobody was promised it.
struct DirectoryVerification {
    struct Segment: Encodable {
        var file: String
        var frames: Int
        var records: Int
        var firstIndex: UInt64?
        var bytes: Int
        var state: String

        private enum CodingKeys: String, CodingKey {
            case file, frames, records, bytes, state
            case firstIndex = "first_index"
        }
    }

    struct Finding: Encodable {
        var file: String
        var offset: Int
        var meaning: String
        var isDamage: Bool

        private enum CodingKeys: String, CodingKey {
            case file, offset, meaning
            case isDamage = "damage"
        }
    }

    struct Report: Encodable {
        var directory: String
        /// `nil` when DURABLE cannot be read.
        var durable: String?
        var clean: Bool?
        var segments: [Segment] = []
        var findings: [Finding] = []
        var isDamaged: Bool { self.findings.contains { $0.isDamage } }
    }

    let directory: String
    private var report: Report
    private let durable: Position?

    init(_ directory: String) throws(CommandFailure) {
        self.directory = directory
        let durable = try Sidecar.durable(in: directory)
        self.durable = durable?.position
        self.report = Report(
            directory: directory, durable: durable?.position.description, clean: durable?.isClean)
    }

    mutating func run(_ progress: (String) -> Void) throws(CommandFailure) -> Report {
        let names = Files.names(in: self.directory).filter { $0.hasSuffix(".wal") }
        let segments = names.compactMap { name in UInt32(name.dropLast(4)).map { SegmentID($0) } }.sorted()
        guard !segments.isEmpty else {
            throw CommandFailure(.refused, "\(self.directory) holds no segment (*.wal)")
        }
        if self.durable == nil {
            self.note("DURABLE", 0, "both slots are unreadable: how far the log was synced is unknown", isDamage: true)
        }
        var chain: FrameChain?
        var isInTail = false
        for (offset, segment) in segments.enumerated() {
            progress("checking \(segment.fileName), \(offset + 1) of \(segments.count)")
            if offset > 0, segment != segments[offset - 1].next {
                self.note(segments[offset - 1].next.fileName, 0, "the file is missing", isDamage: true)
                chain = nil
            }
            if isInTail {
                self.add(segment, nil, state: "unsynced tail")
                continue
            }
            let isLast = segment == segments.last
            (chain, isInTail) = try self.check(segment, after: offset == 0 ? nil : chain, isLast: isLast)
        }
        return self.report
    }

    /// - Returns: The chain for the next segment, `nil` after damage; and whether the synced part has ended.
    private mutating func check(
        _ segment: SegmentID, after chain: FrameChain?, isLast: Bool
    ) throws(CommandFailure) -> (FrameChain?, Bool) {
        var walk = try SegmentWalk("\(self.directory)/\(segment.fileName)", after: chain)
        let stop = try walk.run()
        let end = walk.header == nil ? 0 : walk.offset
        let isBelowDurable =
            self.durable.map { Position(segment: segment, offset: UInt32(clamping: end)) < $0 } ?? !isLast
        let isActive = self.durable.map { segment >= $0.segment } ?? isLast
        let meaning: String? =
            switch stop {
            case .endOfFile where isBelowDurable && isActive: "the file ends before what had been synced"
            case .endOfFile: nil
            case .zeros where isBelowDurable: "zeros where there had been synced frames"
            case .zeros(let loose) where loose > 0: "\(loose) bytes behind the end of the data: never synced"
            case .zeros: nil
            case .defect(let defect): defect.words
            }
        guard let meaning else {
            self.add(segment, walk, state: isActive ? "active" : "good")
            return (walk.chain, false)
        }
        self.note(segment.fileName, end, meaning, isDamage: isBelowDurable)
        self.add(segment, walk, state: isBelowDurable ? "DAMAGED" : "unsynced tail")
        return isBelowDurable ? (nil, false) : (walk.chain, true)
    }

    private mutating func add(_ segment: SegmentID, _ walk: SegmentWalk?, state: String) {
        self.report.segments.append(
            Segment(
                file: segment.fileName, frames: walk?.frameCount ?? 0, records: walk?.recordCount ?? 0,
                firstIndex: walk?.header?.firstIndex.rawValue,
                bytes: walk.map { $0.header == nil ? 0 : $0.offset } ?? 0,
                state: state))
    }

    private mutating func note(_ file: String, _ offset: Int, _ meaning: String, isDamage: Bool) {
        self.report.findings.append(Finding(file: file, offset: offset, meaning: meaning, isDamage: isDamage))
    }
}
