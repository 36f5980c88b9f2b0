import HoldfastClient
import HoldfastNode
import LogModel
import SegmentLog

/// What `verify` says about one directory or file; the names are those of its JSON and stay as they are.
struct VerifyDocument: Encodable {
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
        var end: Int
        var severity: String
        var isDamage: Bool
        var meaning: String
        var firstLost: UInt64?
        var lastLost: UInt64?
        var next: String?

        private enum CodingKeys: String, CodingKey {
            case file, offset, end, severity, meaning, next
            case isDamage = "damage"
            case firstLost = "first_lost"
            case lastLost = "last_lost"
        }
    }

    var directory: String
    /// Holds its lock, if anybody does.
    var openedBy: String?
    var node: UInt32?
    /// `nil` when DURABLE cannot be read.
    var durable: String?
    var commit: String?
    var clean: Bool?
    var segments: [Segment]
    var findings: [Finding]
    var damaged: Bool
    /// The first segment that was not read because a later release has written it.
    var laterFormat: LaterFormatDocument?
    var bytes: Int
    var seconds: Double

    private enum CodingKeys: String, CodingKey {
        case directory, node, durable, commit, clean, segments, findings, damaged, bytes, seconds
        case openedBy = "opened_by"
        case laterFormat = "later_format"
    }

    /// - Parameter repairable: The directory that a repair would be about, if it is not `directory`.
    init(
        _ directory: String, _ report: AuditReport, openedBy: String?, seconds: Double, repairable: String? = nil
    ) {
        self.directory = directory
        self.openedBy = openedBy
        self.node = report.identity?.node.rawValue
        self.durable = report.durable?.point.position.description
        self.commit = report.durable?.commit.description
        self.clean = report.durable?.isClean
        self.segments = report.segments.map { segment in
            Segment(
                file: segment.id.fileName, frames: segment.frameCount, records: segment.recordCount,
                firstIndex: segment.firstIndex?.rawValue, bytes: segment.byteCount, state: segment.condition.words)
        }
        self.findings = report.findings.map { finding in
            Finding(
                file: finding.file, offset: finding.range.lowerBound, end: finding.range.upperBound,
                severity: finding.severity.rawValue,
                isDamage: finding.severity == .damage || finding.severity == .unclear, meaning: finding.words,
                firstLost: finding.lostRecords?.lowerBound.rawValue,
                lastLost: finding.lostRecords.map { $0.upperBound.rawValue - 1 },
                next: Self.next(finding, directory, report, isOpen: openedBy != nil, whole: repairable))
        }
        self.damaged = report.isDamaged
        self.laterFormat = report.findings.laterFormat.map { LaterFormatDocument($0.file, version: $0.version) }
        self.bytes = report.byteCount
        self.seconds = seconds
    }

    /// What to do about it.
    private static func next(
        _ finding: AuditFinding, _ repairable: String, _ report: AuditReport, isOpen: Bool, whole: String?
    ) -> String? {
        switch finding.severity {
        case .note: return nil
        case .laterFormat: return "use the release that wrote it, or a later one"
        case .tail where report.findings.laterFormat != nil:
            return
                "nothing, until the release that wrote \(report.findings.laterFormat?.file ?? "the rest") starts here"
        case .tail:
            if case .unreachable = finding.fault { return "nothing: the next start sets it aside" }
            return isOpen ? "nothing: it is being written" : "nothing: the next start cuts it"
        case .damage, .unclear: break
        }
        // Of a directory that it cannot read as a whole this release repairs nothing.
        if let later = report.findings.laterFormat { return "repair it with the release that wrote \(later.file)" }
        // Of one file nobody knows what can be done about it.
        if let whole { return Invocation.command("verify", whole) }
        let plan = Invocation.command("repair", repairable, "--plan")
        switch finding.file {
        case "IDENTITY": return "\(plan) --node N   (N: this node's number)"
        case "VOTE":
            return "nothing offline: started, it stores the log and counts for nothing until it is replaced "
                + "(holdfast member replace N)"
        case "DURABLE": return plan
        default: return self.next(plan, report, isOpen: isOpen)
        }
    }

    /// What to do about a segment: a member that has peers need not be helped; nobody ships to one that is no member.
    private static func next(_ plan: String, _ report: AuditReport, isOpen: Bool) -> String {
        guard report.isCluster else { return plan }
        let offline = "\(plan) --peer DIR   (DIR: another node's data directory)"
        guard let membership = report.membership, membership.voters.count > 1,
            let node = report.identity?.node, membership.nodes.contains(node)
        else { return offline }
        return isOpen
            ? "nothing: it gets a good copy from its peers while it runs"
            : "start the node: it gets a good copy from its peers; or, while it is stopped: \(offline)"
    }
}

extension AuditReport.Segment.Condition {
    var words: String {
        switch self {
        case .good: "good"
        case .active: "active"
        case .damaged: "DAMAGED"
        case .tail: "unsynced tail"
        case .missing: "MISSING"
        case .laterFormat: "later format"
        case .trimmed: "trimmed"
        }
    }
}

extension VerifyDocument {
    func print(_ console: Console) {
        let rows = self.segments.map { segment in
            let colour: Console.Colour =
                switch segment.state {
                case "DAMAGED", "MISSING": .red
                case "good", "active": .green
                default: .yellow
                }
            return [
                segment.file, "\(segment.frames)", "\(segment.records)", segment.firstIndex.map { "\($0)" } ?? "-",
                "\(segment.bytes)", console.coloured(segment.state, colour),
            ]
        }
        console.out(Console.table(["SEGMENT", "FRAMES", "RECORDS", "FIRST INDEX", "BYTES", "STATE"], rows))
        for finding in self.findings {
            let place = finding.end > finding.offset ? " bytes \(finding.offset)..<\(finding.end)" : ""
            let colour: Console.Colour =
                finding.isDamage ? .red : finding.severity == "note" ? .dim : .yellow
            let severity = finding.severity.replacing("_", with: " ")
            console.out("\(console.coloured("\(severity): \(finding.file)\(place)", colour)): \(finding.meaning)")
            if let next = finding.next { console.out("  next: \(next)") }
        }
    }

    /// `12.3 GiB in 5.1 s, 2.4 GB/s`
    var speed: String {
        let rate = Double(self.bytes) / max(self.seconds, 1e-9) / 1e9
        return
            "\(Units.described(byteCount: UInt64(self.bytes))) in \(self.seconds.rounded(2)) s, \(rate.rounded(2)) GB/s"
    }
}
