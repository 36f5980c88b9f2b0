import LogModel

/// Finds the first record at or after a moment, by halves: times never go back along the log.
///
/// A value: whoever has it asks which record to look at, looks, and says what it saw. Cost: one look for each doubling of
/// the range, 40 for 10^12 records.
package struct TimeSearch: Hashable, Sendable {
    /// All below come before the moment; none from the upper bound on does.
    private var range: Range<LogIndex>

    /// - Parameter range: The records that there are.
    package init(_ range: Range<LogIndex>) { self.range = range }

    /// The record to look at next; `nil` when ``answer`` is certain.
    package var probe: LogIndex? {
        guard !self.range.isEmpty else { return nil }
        return self.range.lowerBound.advanced(by: self.distance / 2)
    }

    package mutating func saw(_ index: LogIndex, isBefore: Bool) {
        precondition(self.range.contains(index), "record \(index) was not asked for")
        self.range =
            isBefore ? index.advanced(by: 1)..<self.range.upperBound : self.range.lowerBound..<index
    }

    /// Where the moment is; the end of the log when all comes before it.
    package var answer: LogIndex { self.range.lowerBound }

    private var distance: UInt64 { self.range.upperBound.rawValue - self.range.lowerBound.rawValue }
}

extension HoldfastClient {
    /// The first record at or after a moment; the end of the log when there is none.
    ///
    /// - Parameter consistency: With `committed` the asked node's part of the log is searched.
    /// - Throws: As ``read(from:limit:waitMilliseconds:minIndex:consistency:at:)``.
    /// - Complexity: One small read for each doubling of the log, 30 for a thousand million records.
    public func index(
        at moment: Timestamp, consistency: Consistency = .linearizable, at server: ServerAddress? = nil
    ) async throws(ClientError) -> LogIndex {
        let tail = try await self.read(from: .tail, limit: 1, consistency: consistency, at: server)
        var search = TimeSearch(min(tail.firstIndex, tail.next)..<tail.next)
        while let probe = search.probe {
            do throws(ClientError) {
                let page = try await self.read(from: .index(probe), limit: 1, consistency: consistency, at: server)
                // A node that knows of none there, knows of none behind it.
                search.saw(probe, isBefore: page.records.first.map { $0.timestamp < moment } ?? false)
            } catch {
                guard case .trimmed = error else { throw error }
                // What was trimmed meanwhile lies before all that there is.
                search.saw(probe, isBefore: true)
            }
        }
        return search.answer
    }
}
