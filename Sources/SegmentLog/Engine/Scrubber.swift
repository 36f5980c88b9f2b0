import DiskIO
import LogModel
import SegmentFormat

/// Rereads the sealed segments of a log in order, again and again, at a bounded rate, and checks every byte.
///
/// Both checksums of each frame, the chain, the length of each file, and what the next segment's header says of it.
/// What it finds goes into the quarantine. There is no thread and no clock in here; whoever owns it calls
/// ``step(now:durable:)`` when that is due. It may be called while the log is appended to, trimmed and truncated.
///
/// What the kernel holds in memory is not read from the disk again: rot is found once the pages were given up.
package struct Scrubber: Sendable {
    /// How far it is.
    package struct Progress: Hashable, Sendable {
        /// Where it reads on; `nil` between two passes.
        package var position: Position?
        package var segmentCount = 0
        package var byteCount = 0
        /// Passes over all sealed segments that are finished.
        package var passCount = 0
        /// Damaged ranges found that were not known before.
        package var damageCount = 0

        package init() {}
    }

    package struct Step: Sendable {
        /// When to call again; `nil` while paused.
        package var due: MonotonicTime?
        /// What was found, and is quarantined now.
        package var found: [Damage] = []
    }

    /// Bytes to read in a second.
    package private(set) var bytesPerSecond: Int
    /// While set, ``step(now:durable:)`` does nothing.
    package var isPaused = false
    package private(set) var progress = Progress()

    private let store: LogStore
    private let passIntervalMilliseconds: UInt64
    private var walk: SegmentWalk?
    private var next = SegmentID.first
    /// Where the segment before ended, when all of that was good.
    private var chain: FrameChain?
    private var due = MonotonicTime.zero
    private var passBegan: MonotonicTime?

    package init(
        _ store: LogStore, bytesPerSecond: Int = EngineLimits.scrubBytesPerSecond,
        passIntervalMilliseconds: UInt64 = EngineLimits.scrubPassIntervalMilliseconds
    ) {
        self.store = store
        self.bytesPerSecond = bytesPerSecond
        self.passIntervalMilliseconds = passIntervalMilliseconds
    }

    /// Goes on at another pace: within a pass, at once.
    package mutating func pace(bytesPerSecond: Int) {
        self.bytesPerSecond = bytesPerSecond
        if self.passBegan != nil { self.due = .zero }
    }

    /// Reads one slice if that is due.
    ///
    /// - Parameter durable: Segments below its own are sealed and have their final length. Asked for once it is known which
    ///   truncations there were: one from before a truncation could lie behind what was appended since and is not in the
    ///   files yet.
    /// - Throws: ``LogError/storage(_:)`` when a file cannot be opened; the next step tries the next segment.
    /// - Complexity: At most one read of 256 KiB and two of a header.
    package mutating func step(now: MonotonicTime, durable: @autoclosure () -> Position) throws(LogError) -> Step {
        guard !self.isPaused else { return Step() }
        guard now >= self.due else { return Step(due: self.due) }
        var found: [Damage] = []
        var byteCount = 0
        if self.walk == nil { found += try self.begin(now: now, durable) }
        if var walk = self.walk {
            self.walk = nil
            byteCount = walk.advance()
            found += walk.takeFindings()
            self.progress.byteCount += byteCount
            self.progress.position = Position(segment: walk.segment, offset: UInt32(clamping: walk.offset))
            if !self.isCurrent(walk) {
                // Cut or trimmed meanwhile: what was read means nothing.
                found = []
                self.restart(at: walk.segment)
            } else if walk.isFinished {
                if let damage = self.checkSuccessor(of: walk) { found.append(damage) }
                self.chain = walk.chainBehind
                self.next = walk.segment.next
                self.progress.segmentCount += 1
            } else {
                self.walk = walk
            }
            self.due = MonotonicTime(
                nanoseconds: now.nanoseconds
                    + UInt64(byteCount) * 1_000_000_000 / UInt64(max(1, self.bytesPerSecond)))
        }
        let new = found.filter { self.store.noteDamage($0) }
        self.progress.damageCount += new.count
        return Step(due: self.due, found: new)
    }

    /// Opens the next segment, or ends the pass.
    private mutating func begin(now: MonotonicTime, _ durable: () -> Position) throws(LogError) -> [Damage] {
        let (segments, truncations) = self.store.withLayout { ($0.segments, $0.truncations) }
        let durable = durable()
        let sealed = segments.dropLast().prefix { $0.id < durable.segment }
        guard let segment = sealed.first(where: { $0.id >= self.next }) else {
            if self.passBegan != nil { self.progress.passCount += 1 }
            self.progress.position = nil
            self.due = max(
                now, (self.passBegan ?? now).advanced(byMilliseconds: max(1, self.passIntervalMilliseconds)))
            self.passBegan = nil
            self.restart(at: .first)
            return []
        }
        self.passBegan = self.passBegan ?? now
        if segment.id != self.next { self.chain = nil }
        self.next = segment.id.next
        let before = self.chain
        self.chain = nil
        do throws(DiskError) {
            let file = try self.store.files.fileSystem.open(self.store.files.path(of: segment.id), .read)
            self.walk = SegmentWalk(
                file, of: segment, cluster: self.store.cluster, after: before, truncations: truncations,
                fileByteCount: try file.byteCount())
        } catch {
            let isThere = self.store.withLayout { $0.segment(segment.id) != nil && $0.truncations == truncations }
            guard isThere else { return [] }
            guard error.isNotFound else { throw LogError(error) }
            return [Damage(segment.id, 0..<Int(segment.byteCount), .missing)]
        }
        return []
    }

    private func isCurrent(_ walk: SegmentWalk) -> Bool {
        self.store.withLayout { $0.truncations == walk.truncations && $0.segment(walk.segment) != nil }
    }

    private mutating func restart(at segment: SegmentID) {
        self.chain = nil
        self.next = segment
    }

    /// The next segment's header tells length and last checksum of the one that was read.
    private func checkSuccessor(of walk: SegmentWalk) -> Damage? {
        guard var chain = walk.chainBehind else { return nil }
        let id = walk.segment.next
        guard let file = try? self.store.files.open(id, .read),
            let bytes = try? file.read(at: 0, count: SegmentHeader.byteCount)
        else { return nil }
        do throws(FrameDefect) {
            _ = try chain.acceptSegmentHeader(bytes.span.bytes)
            return nil
        } catch {
            guard self.isCurrent(walk) else { return nil }
            return Damage(id, 0..<SegmentHeader.byteCount, .fault(FrameFault(error)))
        }
    }
}
