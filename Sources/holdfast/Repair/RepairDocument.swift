import HoldfastClient
import LogModel
import SegmentLog

/// What `repair` says to programs; the names are those of its JSON and stay as they are.
struct RepairDocument: Encodable {
    /// One step of a plan; what a kind of step does not have is not there.
    struct Step: Encodable {
        var action: String
        var file: String?
        var from: String?
        var offset: Int?
        var bytes: Int?
        var keptAs: String?
        var moved: [Moved]?
        var frames: Int?
        var firstLost: UInt64?
        var lastLost: UInt64?
        var acknowledged: Bool?
        var durable: String?
        var commit: String?
        var node: UInt32?
        var cluster: String?
        var incarnation: String?

        private enum CodingKeys: String, CodingKey {
            case action, file, from, offset, bytes, moved, frames, acknowledged, durable, commit, node, cluster,
                incarnation
            case keptAs = "kept_as"
            case firstLost = "first_lost"
            case lastLost = "last_lost"
        }
    }

    struct Moved: Encodable {
        var file: String
        var keptAs: String

        private enum CodingKeys: String, CodingKey {
            case file
            case keptAs = "kept_as"
        }
    }

    var directory: String
    var findings: [String]
    var steps: [Step]
    var unresolved: [String]
    var unknown: [String]
    /// `--apply` asks for `--accept-loss`.
    var needsAcceptance: Bool
    /// `--apply` was begun, and not finished.
    var isBegun: Bool
    /// What this run did, and how the directory is then.
    var applied: Bool
    var verify: VerifyDocument?

    private enum CodingKeys: String, CodingKey {
        case directory, findings, steps, unresolved, unknown, applied, verify
        case needsAcceptance = "needs_acceptance"
        case isBegun = "begun"
    }

    init(_ directory: String, _ plan: RepairPlan, applied verify: VerifyDocument? = nil) {
        self.directory = directory
        self.findings = plan.findings
        self.steps = plan.actions.map(Step.init)
        self.unresolved = plan.unresolved
        self.unknown = plan.unknown
        self.needsAcceptance = plan.needsAcceptance
        self.isBegun = plan.isApplying && verify == nil
        self.applied = verify != nil
        self.verify = verify
    }
}

extension RepairDocument.Step {
    init(_ action: RepairPlan.Action) {
        switch action {
        case .replace(let segment, let source, let byteCount, _, let keptAs):
            self.init(
                action: "take", file: SegmentID(segment).fileName, from: source, bytes: byteCount, keptAs: keptAs)
        case .shorten(let piece):
            self.init(
                action: "shorten", file: piece.name, offset: piece.offset, bytes: piece.byteCount, keptAs: piece.keptAs)
        case .cut(let cut):
            self.init(
                action: "cut", file: SegmentID(cut.segment).fileName, offset: cut.offset, bytes: cut.byteCount,
                keptAs: cut.piece?.keptAs, moved: cut.segments.map { .init(file: $0.name, keptAs: $0.keptAs) },
                frames: cut.frameCount, firstLost: cut.firstIndex, lastLost: cut.lastIndex,
                acknowledged: cut.wasCommitted)
        case .bar: self.init(action: "bar", file: "VOTE")
        case .writeDurable(let new, let keptAs):
            self.init(
                action: "write", file: "DURABLE", keptAs: keptAs, durable: "\(new.segment):\(new.offset)",
                commit: "\(new.commitSegment):\(new.commitOffset)")
        case .writeIdentity(let new, let keptAs):
            self.init(
                action: "write", file: "IDENTITY", keptAs: keptAs, node: new.node, cluster: new.cluster,
                incarnation: Incarnation(new.incarnation).description)
        }
    }
}
