import DiskIO
import LogModel
import Simulation

@testable import SegmentLog

/// The engine doing everything it can do, on a disk that records each step, with what it promised meanwhile.
struct CrashWorkload {
    let disk = SimulatedFileSystem()
    private(set) var promises: CrashPromises
    private var log: EngineHarness
    private var now = MonotonicTime.zero
    /// The tail after so many values.
    private var ends: [Int: Position] = [:]

    init(isMapped: Bool = true) throws(LogError) {
        self.disk.setKeepsReservations(isMapped)
        self.disk.startRecording()
        self.promises = CrashPromises(self.disk)
        self.log = try EngineHarness(self.disk)
        self.opened()
    }

    private mutating func opened() {
        let starts = self.log.opened.identity.starts
        self.promises.note { $0.starts = starts }
        self.ends[self.promises.current.values.count] = self.log.tail
    }

    /// Rotations, prepared segments or not, votes, a truncation over a segment's border and one within a segment, trims,
    /// a clean stop, and a death of the process with unsynced records.
    mutating func run() throws(LogError) {
        try self.vote(1)
        try self.append(through: 9)
        try self.truncate(to: 5)
        try self.append(through: 8)
        try self.truncate(to: 7)
        try self.vote(2)
        try self.append(through: 18)
        try self.sync()
        try self.trim()
        try self.append(through: 21)
        try self.close()
        self.log = try EngineHarness(self.disk)
        self.opened()
        try self.append(through: 24)
        // Opening makes durable what the dead process had written.
        self.disk.killProcess()
        self.log = try EngineHarness(self.disk)
        self.promises.synced()
        self.opened()
        try self.append(through: 27)
        try self.trim()
        try self.append(through: 28)
    }

    /// Of sizes that end everywhere in sectors, a batch now and then.
    private static func batch(from number: Int) -> [String] {
        let value = "v\(number)-" + String(repeating: "x", count: number * 397 % 1100)
        return number % 4 == 1 ? [value, "second of \(number)"] : [value]
    }

    private mutating func append(through count: Int) throws(LogError) {
        while self.promises.current.values.count < count {
            let number = self.promises.current.values.count
            let batch = Self.batch(from: number)
            self.promises.attempts(batch)
            let (bytes, position) = self.log.nextFrame(batch)
            try self.log.writer.append(bytes[...], at: position)
            self.promises.returned()
            self.ends[number + batch.count] = self.log.tail
            self.now = self.now.advanced(byMilliseconds: 300)
            if number % 5 == 3 { try self.sync() }
            if number % 5 == 0 { try self.log.writer.prepareNextSegment() }
            if number % 7 == 6 { self.log.writer.recordCommit(self.log.writer.durable.position) }
        }
    }

    private mutating func sync() throws(LogError) {
        try self.log.writer.sync(now: self.now)
        self.promises.synced()
    }

    private mutating func truncate(to count: Int) throws(LogError) {
        guard let end = self.ends[count] else { preconditionFailure("no frame ends at \(count)") }
        self.promises.beginsTruncation(to: count)
        try self.log.writer.truncate(from: end)
        self.promises.truncated(to: count)
    }

    private mutating func trim() throws(LogError) {
        let target = self.log.writer.durable.position.segment
        guard let segment = self.log.store.segments.first(where: { $0.id == target }) else { return }
        self.promises.beginsTrim(to: segment.firstIndex)
        try self.log.writer.trim(before: Position(segment: target, offset: 0))
        self.promises.trimmed(to: segment.firstIndex)
    }

    private mutating func vote(_ term: UInt64) throws(LogError) {
        self.promises.note { $0.votes = $0.votes.lowerBound...term }
        let member = Member(node: NodeID(2), incarnation: Incarnation(7))
        try self.log.opened.votes?.store(term: Term(term), vote: member)
        self.promises.note { $0.votes = term...term }
    }

    private mutating func close() throws(LogError) {
        try self.log.writer.close(now: self.now)
        self.promises.synced()
    }
}
