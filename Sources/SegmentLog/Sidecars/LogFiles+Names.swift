import LogModel

/// Which names in a directory are the engine's: nothing else is ever removed or replaced.
extension LogFiles {
    /// Files that are being made, of which nothing is part of the log: the next start removes what is left of them.
    static func isTemporary(_ name: String) -> Bool {
        guard name.hasSuffix(".tmp") else { return false }
        if [Self.next, Self.reserve, Self.spare, Self.restoring].contains(name) { return true }
        let target = String(name.dropLast(4))
        if target.hasSuffix(".repair") { return Self.isSegment(String(target.dropLast(7))) }
        return Self.isSidecar(target) || Self.isSegment(target) || Self.isIndex(target) || Self.isKept(target)
            || Self.isOfEarlierGeneration(target) || Self.beginning(in: [target]) != nil
            || [RepairPlan.fileName, RepairPlan.begunFileName].contains(target)
    }

    /// `000007.wal`
    static func isSegment(_ name: String) -> Bool { !Self.segments(in: [name]).isEmpty }

    /// `000007.idx`
    static func isIndex(_ name: String) -> Bool {
        name.hasSuffix(SegmentID.indexFileSuffix) && Self.isSegment(name.dropLast(4) + ".wal")
    }

    static func isSidecar(_ name: String) -> Bool {
        [Self.identity, Self.durable, Self.vote, Self.starts].contains(name)
    }

    /// `VOTE.generation-1`: a sidecar as it was before a recovery of the quorum.
    static func name(of sidecar: String, keptFrom generation: UInt32) -> String {
        "\(sidecar).generation-\(generation)"
    }

    static func isOfEarlierGeneration(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 && Self.isSidecar(String(parts[0]))
            && Self.hasNumber(parts[1], after: "generation", isOptional: false)
    }

    /// What a repair or a recovery set aside: `000007.wal.damaged`, `000007.wal.from-4096.damaged-2`.
    static func isKept(_ name: String) -> Bool {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let last = parts.popLast(), Self.hasNumber(last, after: "damaged", isOptional: true) else { return false }
        if let piece = parts.last, piece.hasPrefix("from-") {
            guard Self.hasNumber(piece, after: "from", isOptional: false) else { return false }
            parts.removeLast()
        }
        let original = parts.joined(separator: ".")
        return Self.isSegment(original) || Self.isSidecar(original)
    }

    /// `word`, or `word-12`.
    private static func hasNumber(_ text: Substring, after word: String, isOptional: Bool) -> Bool {
        if isOptional, text == word { return true }
        guard text.hasPrefix(word + "-") else { return false }
        let digits = text.dropFirst(word.count + 1)
        return !digits.isEmpty && digits.allSatisfy { $0.isASCII && $0.isNumber }
    }
}
