/// What a client takes, as its `Accept` says (RFC 9110 §12.5.1); no such field, or an empty one, takes everything.
struct Acceptance {
    private struct MediaRange {
        var type: String
        /// Thousandths; 0 is not taken.
        var quality: Int

        /// How exactly it names `type`; `nil` when it does not.
        func exactness(for type: String) -> Int? {
            if self.type == type { return 2 }
            if self.type.hasSuffix("/*"), type.hasPrefix(self.type.dropLast()) { return 1 }
            return self.type == "*/*" ? 0 : nil
        }
    }

    private let ranges: [MediaRange]

    init(_ field: String?) {
        self.ranges = (field ?? "").split(separator: ",").compactMap { Self.range($0) }
    }

    private static func range(_ text: Substring) -> MediaRange? {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
        guard let type = parts.first, !type.isEmpty else { return nil }
        var quality = 1_000
        if let weight = parts.dropFirst().first(where: { $0.lowercased().hasPrefix("q=") }) {
            // A weight that is none takes nothing.
            quality = Double(weight.dropFirst(2)).flatMap { (0...1).contains($0) ? Int(1_000 * $0) : nil } ?? 0
        }
        return MediaRange(type: type.lowercased(), quality: quality)
    }

    /// - Parameter offers: Media types, the usual one first.
    /// - Returns: Which of them is liked best: by its weight, then by how exactly it is named; `nil` when none is taken.
    func best(of offers: [String]) -> String? {
        guard !self.ranges.isEmpty else { return offers.first }
        var best: (offer: String, quality: Int, exactness: Int)?
        for offer in offers {
            let matches = self.ranges.compactMap { range in range.exactness(for: offer).map { ($0, range.quality) } }
            guard let (exactness, quality) = matches.max(by: { $0 < $1 }), quality > 0 else { continue }
            if let best, (best.quality, best.exactness) >= (quality, exactness) { continue }
            best = (offer, quality, exactness)
        }
        return best?.offer
    }
}
