/// What somebody may have meant.
package enum EditDistance {
    /// The candidate whose name differs least, when it differs by little.
    package static func closest<Candidate>(
        to name: String, among candidates: [Candidate], name nameOf: (Candidate) -> String
    ) -> Candidate? {
        candidates.map { (candidate: $0, distance: self.between(name, nameOf($0))) }
            .min { $0.distance < $1.distance }
            .flatMap { $0.distance <= max(2, name.count / 4) ? $0.candidate : nil }
    }

    /// Levenshtein's distance: insertions, deletions and replacements that make `a` into `b`.
    package static func between(_ a: String, _ b: String) -> Int {
        let b = Array(b)
        var row = Array(0...b.count)
        for (i, letter) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let replaced = diagonal + (letter == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}
