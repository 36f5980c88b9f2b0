import LogModel

/// What the core knows of the log: where its last terms begin, and where it ends.
///
///     starts   t1@0:64        t4@0:900      t5@2:500
///              |- frames of 1 -|- frames of 4 -|- frames of 5 -| tail
///
/// A frame that ends at a position belongs to the last term that begins before that position.
package struct TermHistory: Hashable, Sendable {
    /// Ascending in term and in position; the oldest leave first.
    package private(set) var starts: [TermStart]
    package private(set) var tail: LogPoint
    private let countMax: Int

    package init(starts: [TermStart], tail: LogPoint, countMax: Int) {
        self.starts = Array(starts.suffix(countMax))
        self.tail = tail
        self.countMax = countMax
    }

    /// The term of the frame that ends at `position`; `nil` behind the tail and before what is remembered.
    package func term(ofFrameEndingAt position: Position) -> Term? {
        guard position <= self.tail.position else { return nil }
        return self.starts.last { $0.position < position }?.term
    }

    /// Whether the frame that ends there is the one meant: a point of a log that was replaced is not.
    package func contains(_ point: LogPoint) -> Bool {
        self.term(ofFrameEndingAt: point.position) == point.term
    }

    package mutating func append(_ newTerms: [TermStart], through point: LogPoint) {
        precondition(point.position >= self.tail.position, "append through \(point) behind the tail \(self.tail)")
        for start in newTerms where self.starts.last.map({ $0.term < start.term }) ?? true {
            precondition(start.position >= self.tail.position, "term begins at \(start.position) before \(self.tail)")
            self.starts.append(start)
        }
        self.starts.removeFirst(max(0, self.starts.count - self.countMax))
        self.tail = point
        precondition(self.contains(point), "the frame that ends at \(point) is of another term")
    }

    /// - Parameter terms: The log's last terms as they are then, of which this history may have let the oldest go.
    package mutating func truncate(to point: LogPoint, terms: [TermStart]? = nil) {
        if let terms { self.starts = Array(terms.suffix(self.countMax)) }
        precondition(self.contains(point), "truncate to \(point), which is not in this log")
        while let last = self.starts.last, last.position >= point.position { self.starts.removeLast() }
        self.tail = point
    }

    func validate() {
        for (earlier, later) in zip(self.starts, self.starts.dropFirst()) {
            precondition(earlier.term < later.term, "terms \(earlier.term), \(later.term) out of order")
            precondition(earlier.position < later.position, "term \(later.term) begins before \(earlier.term)")
        }
        guard let last = self.starts.last else { return }
        precondition(last.term == self.tail.term, "the tail \(self.tail) is not of the last term \(last.term)")
        precondition(last.position < self.tail.position, "term \(last.term) has no frame")
    }
}
