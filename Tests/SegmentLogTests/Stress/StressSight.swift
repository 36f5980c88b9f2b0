import LogModel
import SegmentLog

/// What one reader saw. Each record is checked as it comes; the rest when all is known.
struct StressSight: Sendable {
    struct Wrong: Error, CustomStringConvertible {
        var description: String
        init(_ description: String) { self.description = description }
    }

    private(set) var first: LogIndex?
    /// At consecutive indexes.
    private(set) var values: [StressValue] = []
    private(set) var timestamps: [Timestamp] = []

    var nextIndex: LogIndex? { self.first?.advanced(by: UInt64(self.values.count)) }

    mutating func see(_ record: IndexedRecord) throws {
        if let expected = self.nextIndex, record.index != expected {
            throw Wrong("index \(record.index) instead of \(expected)")
        }
        guard let value = StressValue(record.record.value) else {
            throw Wrong("index \(record.index) holds what nobody appended")
        }
        if let last = self.timestamps.last, record.timestamp < last { throw Wrong("time went back at \(record.index)") }
        self.first = self.first ?? record.index
        self.values.append(value)
        self.timestamps.append(record.timestamp)
    }

    /// Reads from `start` to the end of what is visible, or until the log is closed.
    static func read(_ log: SegmentLog, from start: ReadStart, following: Bool = false) async throws -> StressSight {
        var sight = StressSight()
        for try await record in try log.read(from: start, following: following) { try sight.see(record) }
        return sight
    }

    subscript(_ index: LogIndex) -> StressValue? {
        guard let first = self.first, index >= first, index.rawValue - first.rawValue < UInt64(self.values.count) else {
            return nil
        }
        return self.values[Int(index.rawValue - first.rawValue)]
    }

    /// Every value stands once, and each writer's stand in the order in which they were appended.
    func checkOrder() throws {
        var last: [UInt32: UInt32] = [:]
        for (offset, value) in self.values.enumerated() {
            if let before = last[value.writer], before >= value.number {
                throw Wrong("writer \(value.writer): \(value.number) after \(before), at the \(offset)th record")
            }
            last[value.writer] = value.number
        }
    }

    /// Both logs hold the same where both hold anything.
    func checkAgrees(with other: StressSight) throws {
        guard let first = self.first, let start = other.first else { return }
        let from = max(first, start)
        let through = min(self.nextIndex ?? first, other.nextIndex ?? start)
        guard from < through else { return }
        for number in from.rawValue..<through.rawValue where self[LogIndex(number)] != other[LogIndex(number)] {
            throw Wrong("two readers differ at index \(number)")
        }
    }
}
