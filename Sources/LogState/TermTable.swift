import LogModel

/// Where the newest terms of a log begin, ascending; two logs compare by it without reading either.
package struct TermTable: Hashable, Sendable {
    package private(set) var starts: [TermStart]

    package init(starts: [TermStart] = []) {
        self.starts = starts
        self.validate()
    }

    /// Enters the first frame of a term; nothing happens when the term is the last already.
    ///
    /// - Returns: The oldest term when it had to leave for this one.
    @discardableResult
    package mutating func append(term: Term, firstIndex: LogIndex, position: Position) -> TermStart? {
        if let last = self.starts.last {
            guard last.term != term else { return nil }
            precondition(last.term < term && last.position < position, "term \(term) at \(position) after \(last)")
        }
        self.starts.append(TermStart(term: term, firstIndex: firstIndex, position: position))
        return self.starts.count > LogStateLimits.termStartsMax ? self.starts.removeFirst() : nil
    }

    /// Forgets terms that began at `position` or later. What had left on the old side stays gone.
    package mutating func truncate(from position: Position) {
        while let last = self.starts.last, last.position >= position { self.starts.removeLast() }
    }

    /// Takes back the newest ``append(term:firstIndex:position:)``; `oldest` is what it returned.
    mutating func undoAppend(oldest: TermStart?) {
        self.starts.removeLast()
        if let oldest { self.starts.insert(oldest, at: 0) }
    }

    /// - Parameter position: A tail-form position within this log.
    /// - Returns: `nil` when the frame is older than the table.
    package func term(ofFrameEndingAt position: Position) -> Term? {
        var low = 0
        var high = self.starts.count
        while low < high {
            let middle = (low + high) / 2
            if self.starts[middle].position < position { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : self.starts[low - 1].term
    }

    package func validate() {
        precondition(self.starts.count <= LogStateLimits.termStartsMax, "too many terms")
        for (before, after) in zip(self.starts, self.starts.dropFirst()) {
            precondition(before.term < after.term && before.position < after.position, "terms out of order")
            precondition(before.firstIndex <= after.firstIndex, "terms out of order")
        }
    }
}
