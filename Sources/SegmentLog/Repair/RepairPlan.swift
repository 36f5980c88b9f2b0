import LogModel
import SegmentFormat

/// What is wrong with a directory and what would be done about it: made first, stored, shown, and only then applied.
package struct RepairPlan: Hashable, Sendable, Codable {
    /// Names in the directory.
    package static let fileName = "repair-plan.json"
    /// While it is being applied: nobody opens the log meanwhile.
    package static let begunFileName = "repair-plan.begun.json"
    package static let appliedFileName = "repair-plan.applied.json"
    package static let version = 3

    /// What the plan was made from; another directory is another plan.
    package struct Seen: Hashable, Sendable, Codable {
        package var name: String
        package var byteCount: Int
        /// CRC-32C of small files, and of the damaged places of segments.
        package var checksum: UInt32?
    }

    /// Some bytes of a file that are set aside.
    package struct Piece: Hashable, Sendable, Codable {
        package var name: String
        package var offset: Int
        package var byteCount: Int
        /// `nil` when the disk does not deliver them: then the whole file is kept.
        package var checksum: UInt32?
        /// The file that keeps them; did not exist when the plan was made.
        package var keptAs: String
    }

    package struct Moved: Hashable, Sendable, Codable {
        package var name: String
        package var keptAs: String
    }

    package enum Action: Hashable, Sendable, Codable {
        /// Takes a segment from another node's directory.
        case replace(segment: UInt32, from: String, byteCount: Int, checksum: UInt32, keptAs: String?)
        /// Removes what is behind a segment's end.
        case shorten(Piece)
        /// Ends the log earlier: moves whole segments away, and the rest of the last one.
        case cut(to: Cut)
        /// The node never votes again as this incarnation: what it vouched for may be gone.
        case bar
        case writeDurable(NewDurable, keptAs: String?)
        case writeIdentity(NewIdentity, keptAs: String?)
    }

    package struct Cut: Hashable, Sendable, Codable {
        package var segment: UInt32
        package var offset: Int
        package var piece: Piece?
        package var segments: [Moved]
        package var frameCount: Int
        package var byteCount: Int
        /// Of the first record that goes, and of the last one that is known.
        package var firstIndex: UInt64
        package var lastIndex: UInt64?
        /// Some of it was acknowledged, or may have been.
        package var wasCommitted: Bool
    }

    package struct NewDurable: Hashable, Sendable, Codable {
        package var term: UInt64
        package var segment: UInt32
        package var offset: UInt32
        package var commitSegment: UInt32
        package var commitOffset: UInt32
        package var first: UInt32
    }

    package struct NewIdentity: Hashable, Sendable, Codable {
        package var cluster: String
        package var node: UInt32
        package var incarnation: UInt64
        package var generation: UInt32
        package var starts: UInt64
    }

    package var version = RepairPlan.version
    /// What was asked for.
    package var options: Options
    /// How often the directory had been opened; `nil` when IDENTITY cannot be read.
    package var starts: UInt64?
    package var isCluster: Bool
    package var seen: [Seen]
    /// What the audit found, in words.
    package var findings: [String]
    package var actions: [Action]
    /// Damage that no action mends, and why.
    package var unresolved: [String]
    /// What nobody can know any more.
    package var unknown: [String]
    /// Records that were committed, or may have been, would go.
    package var needsAcceptance: Bool
    /// ``LogRepair/apply(acceptsLoss:)`` has begun, and was not finished.
    package var isApplying = false

    /// Nothing is wrong any more.
    var isNothingLeft: Bool { self.findings.isEmpty && self.unresolved.isEmpty }

    /// Of the segments that come from a peer, whose last one may be longer by now.
    var takenByteCounts: [UInt32: Int] {
        self.actions.reduce(into: [:]) { counts, action in
            if case .replace(let segment, _, let byteCount, _, _) = action { counts[segment] = byteCount }
        }
    }

    /// Whether it names nothing but files that a plan may touch: it was read from a file that anybody may have written.
    var isWellFormed: Bool {
        func isKept(_ name: String?) -> Bool { name.map(LogFiles.isKept) ?? true }
        func isRight(_ piece: Piece) -> Bool {
            LogFiles.isSegment(piece.name) && LogFiles.isKept(piece.keptAs) && piece.offset >= 0 && piece.byteCount >= 0
        }
        return self.actions.allSatisfy { action in
            switch action {
            case .replace(_, _, let byteCount, _, let keptAs): byteCount >= 0 && isKept(keptAs)
            case .shorten(let piece): isRight(piece)
            case .cut(let cut):
                cut.piece.map(isRight) ?? true
                    && cut.segments.allSatisfy { LogFiles.isSegment($0.name) && LogFiles.isKept($0.keptAs) }
            case .bar: true
            case .writeDurable(_, let keptAs): isKept(keptAs)
            case .writeIdentity(let new, let keptAs): isKept(keptAs) && ClusterID(new.cluster) != nil
            }
        }
    }

    package struct Options: Hashable, Sendable, Codable {
        /// Another node's directory.
        package var peer: String?
        /// For an IDENTITY that is to be written anew.
        package var node: UInt32?
        /// For the same, when the log does not name one.
        package var incarnation: UInt64
        /// For the same, when the old one does not say how often the directory was opened: above any count that it ever
        /// reached, so that no two starts have one number. Milliseconds since 1970 rise faster than starts do.
        package var startsAfterLoss: UInt64

        package init(
            peer: String? = nil, node: UInt32? = nil, incarnation: UInt64, startsAfterLoss: UInt64 = 1_000_000_000
        ) {
            self.peer = peer
            self.node = node
            self.incarnation = incarnation
            self.startsAfterLoss = startsAfterLoss
        }
    }
}

/// Why a repair did not begin, or stopped. What was set aside stays set aside; applying again goes on.
package enum RepairError: Error, Hashable, Sendable {
    case log(LogError)
    /// Nothing was planned.
    case noPlan
    /// A repair was begun, and what it was to do cannot be read.
    case begunUnreadable
    /// What is to be taken from a peer is not there any more, or is something else.
    case sourceChanged(String)
    /// The directory, or the peer's, is not what the plan was made from.
    case stale
    /// Somebody opened the log after a repair that was not finished had begun.
    case openedSince
    case needsAcceptance
    /// Nothing can be done, for these reasons.
    case unresolved([String])
    /// A file that is to be made exists already, and is another one.
    case inTheWay(String)
}
