import HoldfastNode
import LogModel
import SegmentLog

extension RepairPlan {
    /// For people.
    var lines: [String] {
        guard !self.findings.isEmpty else { return ["nothing is wrong: there is nothing to repair"] }
        var lines = ["what is wrong:"] + self.findings.map { "  \($0)" }
        if self.isApplying { lines.append("this plan was begun to be applied, and was not finished: --apply goes on") }
        if self.actions.isEmpty, self.unresolved.isEmpty, self.unknown.isEmpty {
            lines.append("nothing of it needs a repair: the next start cuts what was never synced")
        }
        if !self.actions.isEmpty {
            lines.append("what would be done, in this order:")
            for (number, action) in self.actions.enumerated() {
                let words = action.lines(isDone: false)
                lines += words.enumerated().map { $0 == 0 ? "  \(number + 1). \($1)" : "     \($1)" }
            }
        }
        if !self.unknown.isEmpty { lines += ["what stays unknown:"] + self.unknown.map { "  \($0)" } }
        if !self.unresolved.isEmpty { lines += ["what cannot be repaired:"] + self.unresolved.map { "  \($0)" } }
        if self.needsAcceptance {
            lines.append("records that were acknowledged would go: --apply asks for --accept-loss")
        }
        return lines
    }
}

extension RepairPlan.Action {
    func lines(isDone: Bool) -> [String] {
        switch self {
        case .replace(let segment, let source, let byteCount, _, let keptAs):
            let name = SegmentID(segment).fileName
            return [
                "\(isDone ? "took" : "take") \(name) from \(source), \(byteCount) bytes, verified whole between its neighbours",
                keptAs.map { "the damaged file \(isDone ? "is" : "stays") as \($0)" } ?? "there was no such file here",
            ]
        case .shorten(let piece):
            return [
                "\(isDone ? "cut" : "cut") \(piece.name) to its \(piece.offset) bytes; no record goes",
                "the \(piece.byteCount) bytes behind \(isDone ? "are" : "stay") in \(piece.keptAs)",
            ]
        case .cut(let cut): return Self.lines(cut, isDone: isDone)
        case .bar:
            return [
                "\(isDone ? "barred" : "bar") the node from voting until it holds what a leader has committed: what it vouched "
                    + "for may be gone"
            ]
        case .writeDurable(let new, let keptAs):
            return [
                "\(isDone ? "wrote" : "write") DURABLE: synced up to \(new.segment):\(new.offset), committed up to "
                    + "\(new.commitSegment):\(new.commitOffset)"
            ] + (keptAs.map { ["the file as it was \(isDone ? "is" : "stays") in \($0)"] } ?? [])
        case .writeIdentity(let new, let keptAs):
            return [
                "\(isDone ? "wrote" : "write") IDENTITY: node \(new.node) of cluster \(new.cluster), incarnation "
                    + String(new.incarnation, radix: 16)
            ] + (keptAs.map { ["the file as it was \(isDone ? "is" : "stays") in \($0)"] } ?? [])
        }
    }

    private static func lines(_ cut: RepairPlan.Cut, isDone: Bool) -> [String] {
        let verb = isDone ? "ended" : "end"
        var lines = [
            "\(verb) the log at \(cut.segment):\(cut.offset), before record \(cut.firstIndex)",
            "what \(isDone ? "went" : "goes"): \(Units.described(byteCount: UInt64(cut.byteCount))), "
                + "\(cut.frameCount.counted("whole frame")), "
                + (cut.lastIndex.map {
                    $0 == cut.firstIndex
                        ? "record \($0)" : "records \(cut.firstIndex) to \($0) (\($0 - cut.firstIndex + 1))"
                }
                    ?? "records from \(cut.firstIndex) on; how many, nobody can tell from here"),
        ]
        if cut.wasCommitted { lines.append("of these, some were acknowledged, or may have been") }
        if let piece = cut.piece {
            lines.append("\(piece.name) from byte \(piece.offset) on \(isDone ? "is" : "stays") in \(piece.keptAs)")
        }
        for moved in cut.segments { lines.append("\(moved.name) \(isDone ? "is" : "becomes") \(moved.keptAs)") }
        return lines
    }
}
