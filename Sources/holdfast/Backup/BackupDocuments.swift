import HoldfastClient
import HoldfastNode
import LogModel
import SegmentLog

/// What a backup holds; the names are those of the JSON of `backup ...`, and stay as they are.
struct BackupContents: Encodable {
    var cluster: String
    var generation: UInt32
    /// That gave the last bytes.
    var node: UInt32
    var taken: String
    var firstIndex: UInt64
    var lastIndex: UInt64
    var commit: String
    var term: UInt64
    /// Of the last frame.
    var time: String
    var segments: Int
    var bytes: Int

    private enum CodingKeys: String, CodingKey {
        case cluster, generation, node, taken, commit, term, time, segments, bytes
        case firstIndex = "first_index"
        case lastIndex = "last_index"
    }

    init(_ manifest: BackupManifest) {
        self.cluster = manifest.cluster.description
        self.generation = manifest.generation
        self.node = manifest.node.rawValue
        self.taken = RFC3339.text(manifest.taken)
        self.firstIndex = manifest.firstIndex.rawValue
        self.lastIndex = manifest.end.nextIndex.rawValue - 1
        self.commit = manifest.end.tail.description
        self.term = manifest.end.term.rawValue
        self.time = RFC3339.text(manifest.end.timestamp)
        self.segments = manifest.segments.count
        self.bytes = manifest.byteCount
    }

    var lines: [String] {
        let records = self.lastIndex < self.firstIndex ? "no record" : "records \(self.firstIndex) to \(self.lastIndex)"
        return [
            "holds    \(records), committed at \(self.commit) in term \(self.term)",
            "last     \(self.time)",
            "taken    \(self.taken) of node \(self.node), cluster \(self.cluster), generation \(self.generation)",
            "size     \(Units.described(byteCount: UInt64(self.bytes))) in \(self.segments.counted("segment"))",
        ]
    }
}

/// `holdfast backup create -o json`.
struct BackupCreateDocument: Encodable {
    var directory: String
    var backup: BackupContents
    var copiedBytes: Int
    /// Copied by a run that was cut off, and found to be good.
    var keptBytes: Int
    var newSegments: Int
    var seconds: Double

    private enum CodingKeys: String, CodingKey {
        case directory, backup, seconds
        case copiedBytes = "copied_bytes"
        case keptBytes = "kept_bytes"
        case newSegments = "new_segments"
    }

    init(_ directory: String, _ made: BackupRun.Made, seconds: Double) {
        self.directory = directory
        self.backup = BackupContents(made.manifest)
        self.copiedBytes = made.copiedByteCount
        self.keptBytes = made.keptByteCount
        self.newSegments = made.newSegmentCount
        self.seconds = seconds
    }

    var lines: [String] {
        let kept =
            self.keptBytes > 0
            ? ", went on with \(Units.described(byteCount: UInt64(self.keptBytes))) of a run that was cut off" : ""
        let copied = Units.described(byteCount: UInt64(self.copiedBytes))
        return self.backup.lines + [
            "copied   \(copied) and \(self.newSegments.counted("new segment"))\(kept), in \(self.seconds.rounded(2)) s"
        ]
    }
}

/// `holdfast backup verify -o json`.
struct BackupVerifyDocument: Encodable {
    struct Finding: Encodable {
        var file: String
        var offset: Int
        var end: Int
        var meaning: String
        var firstLost: UInt64?
        var lastLost: UInt64?

        private enum CodingKeys: String, CodingKey {
            case file, offset, end, meaning
            case firstLost = "first_lost"
            case lastLost = "last_lost"
        }
    }

    var directory: String
    var backup: BackupContents
    var records: Int
    var findings: [Finding]
    var damaged: Bool
    /// The first segment that was not read because a later release has written it.
    var laterFormat: LaterFormatDocument?
    var seconds: Double

    private enum CodingKeys: String, CodingKey {
        case directory, backup, records, findings, damaged, seconds
        case laterFormat = "later_format"
    }

    init(_ directory: String, _ audit: BackupAudit, seconds: Double) {
        self.directory = directory
        self.backup = BackupContents(audit.manifest)
        self.records = audit.recordCount
        self.findings = audit.findings.filter { $0.severity != .laterFormat }.map { finding in
            Finding(
                file: finding.file, offset: finding.range.lowerBound, end: finding.range.upperBound,
                meaning: finding.words, firstLost: finding.lostRecords?.lowerBound.rawValue,
                lastLost: finding.lostRecords.map { $0.upperBound.rawValue - 1 })
        }
        self.damaged = audit.isDamaged
        self.laterFormat = audit.findings.laterFormat.map { LaterFormatDocument($0.file, version: $0.version) }
        self.seconds = seconds
    }

    func lines(_ console: Console) -> [String] {
        self.backup.lines
            + self.findings.map { finding in
                let place = finding.end > finding.offset ? " bytes \(finding.offset)..<\(finding.end)" : ""
                return "\(console.coloured("damage: \(finding.file)\(place)", .red)): \(finding.meaning)"
            }
    }
}

/// `holdfast backup restore -o json`.
struct BackupRestoreDocument: Encodable {
    var directory: String
    var node: UInt32
    var cluster: String
    /// Where its bytes are from.
    var fromCluster: String
    var generation: UInt32
    var firstIndex: UInt64
    var lastIndex: UInt64
    /// Where the new cluster goes on.
    var position: String
    var bytes: Int
    var seconds: Double

    private enum CodingKeys: String, CodingKey {
        case directory, node, cluster, generation, position, bytes, seconds
        case fromCluster = "from_cluster"
        case firstIndex = "first_index"
        case lastIndex = "last_index"
    }

    init(_ directory: String, _ restored: BackupRestore.Restored, seconds: Double) {
        self.directory = directory
        self.node = restored.identity.node.rawValue
        self.cluster = restored.cluster.description
        self.fromCluster = restored.manifest.cluster.description
        self.generation = restored.identity.generation
        self.firstIndex = restored.firstIndex.rawValue
        self.lastIndex = restored.recovery.nextIndex.rawValue - 1
        self.position = restored.recovery.position.description
        self.bytes = restored.byteCount
        self.seconds = seconds
    }

    var lines: [String] {
        let records = self.lastIndex < self.firstIndex ? "no record" : "records \(self.firstIndex) to \(self.lastIndex)"
        return [
            "restored \(records), \(Units.described(byteCount: UInt64(self.bytes))) in \(self.seconds.rounded(2)) s",
            "node     \(self.node), the only voter of a new cluster, \(self.cluster), generation \(self.generation)",
            "from     cluster \(self.fromCluster), up to \(self.position): indexes, terms and positions are the same",
        ]
    }
}
