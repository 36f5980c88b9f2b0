import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

/// Damages every bit, every length and every file of a small log.
@Suite struct `Bit rot` {
    /// Three small segments: two sealed, and one with records above DURABLE.
    private struct Sample {
        let disk: SimulatedFileSystem
        let values: [String]
        /// Of these, so many lie below DURABLE.
        let durableCount: Int
        let durable: Position
        let tail: Position
        /// Of the loose records, in the last segment.
        let frameEnds: Set<Int>

        init(isClean: Bool) throws(LogError) {
            let log = try EngineHarness()
            var values: [String] = []
            for segment in 0..<3 {
                for number in 0..<3 {
                    let value = "rot \(segment).\(number)"
                    values.append(value)
                    if segment > 0, number == 0 {
                        try Self.rotate(log, value)
                    } else {
                        try log.append(value)
                    }
                }
            }
            if isClean {
                try log.writer.close()
            } else {
                try log.writer.sync()
            }
            self.durableCount = values.count
            self.durable = log.tail
            var frameEnds = [Int(log.tail.offset)]
            if !isClean {
                for value in ["loose 1", "loose 2"] {
                    try log.append(value)
                    values.append(value)
                    frameEnds.append(Int(log.tail.offset))
                }
            }
            self.frameEnds = Set(frameEnds)
            self.values = values
            self.tail = log.tail
            self.disk = log.disk.copy()
        }

        /// Begins a segment although the one before has room.
        private static func rotate(_ log: EngineHarness, _ value: String) throws(LogError) {
            var chain = log.writer.chain
            var bytes = chain.startSegment()
            let position = Position(segment: chain.tail.segment, offset: 0)
            let checkpoint = FrameDraft.control(.checkpoint, payload: EngineHarness.checkpointPayload)
            bytes += chain.place(checkpoint, term: log.term, node: NodeID(1), timestamp: chain.timestamp).bytes
            bytes += log.nextFrame([value], chain: chain).bytes
            try log.writer.append(bytes[...], at: position)
        }
    }

    /// What became of a damaged log.
    private enum Fate: Hashable {
        /// Opening was refused.
        case refused
        /// It opened, and some read was refused.
        case found
        /// It opened, a loose tail was cut and reported.
        case cut
        /// Everything is there: what was damaged says nothing, or says it twice.
        case harmless
    }

    /// Damages copies of a log, and collects what should never happen.
    private struct Trial {
        private(set) var faults: [String] = []

        mutating func expect(_ isRight: Bool, _ what: @autoclosure () -> String) {
            if !isRight { self.faults.append(what()) }
        }

        mutating func damage(
            _ sample: Sample, _ name: String, _ what: String, _ change: (inout [UInt8]) -> Void
        ) throws -> Fate {
            let disk = sample.disk.copy()
            let path = EngineHarness.path(name)
            var bytes = try #require(disk.contents(of: path))
            change(&bytes)
            disk.replaceContents(of: path, with: bytes)
            let (fate, fault) = try `Bit rot`.fate(of: disk, sample)
            if let fault { self.faults.append("\(name), \(what): \(fault)") }
            return fate
        }
    }

    private static func fate(of disk: SimulatedFileSystem, _ sample: Sample) throws(LogError) -> (Fate, fault: String?)
    {
        let log: EngineHarness
        do throws(LogError) {
            log = try EngineHarness(disk)
        } catch {
            switch error {
            case .damaged, .foreignDirectory, .sidecarDamaged: return (.refused, nil)
            default: return (.refused, "opening fails with \(error)")
            }
        }
        var isFound = false
        // Every way to read, from every segment's start.
        for segment in log.store.segments {
            let start = Position(segment: segment.id, offset: 0)
            do throws(LogError) {
                let served = try Self.values(log.store, from: start)
                let first = Int(segment.firstIndex.rawValue) - 1
                guard first <= sample.values.count, sample.values.dropFirst(first).starts(with: served) else {
                    return (.found, "served \(served) from segment \(segment.id)")
                }
                _ = try log.store.checkpoint(of: segment.id)
                _ = try log.store.chain(at: Position(segment: segment.id, offset: UInt32(segment.byteCount)))
            } catch {
                guard case .damaged = error else { return (.found, "reading fails with \(error)") }
                isFound = true
            }
        }
        if isFound { return (.found, nil) }
        let values = try log.values()
        if values == sample.values { return (.harmless, nil) }
        if values.count < sample.durableCount { return (.cut, "cut below DURABLE: \(values.count) left") }
        // A file that ends with a frame tells of nothing behind it.
        let length = Int(log.tail.offset)
        let isReported = log.opened.report.cut != nil || sample.frameEnds.contains(length)
        return (.cut, isReported ? nil : "cut without a report")
    }

    private static func values(_ store: LogStore, from start: Position) throws(LogError) -> [String] {
        var values: [String] = []
        var position = start
        let tail = store.written.position
        while position < tail {
            let range = try store.read(from: position, through: tail, byteCountMax: 100)
            for frame in FrameSequence(range) where frame.header.kind == .records {
                var reader = RecordReader(payload: frame.payload, of: frame.header)
                while let record = try? reader.next() { values.append(String(decoding: record.value, as: UTF8.self)) }
            }
            position = range.end
        }
        return values
    }

    @Test(arguments: [true, false])
    func `every flipped bit of every segment is found, and never taken for a tail below DURABLE`(
        _ isClean: Bool
    ) async throws {
        let faults = try await HeavyWork.run { try Self.flipSegments(isClean: isClean) }
        #expect(faults == [])
    }

    private static func flipSegments(isClean: Bool) throws -> [String] {
        var trial = Trial()
        let sample = try Sample(isClean: isClean)
        for number in 0...2 as ClosedRange<UInt32> {
            let name = SegmentID(number).fileName
            let length =
                number == 2
                ? Int(sample.tail.offset) : try #require(sample.disk.contents(of: EngineHarness.path(name))).count
            for bit in stride(from: 0, to: length * 8, by: Crashes.isFull ? 1 : 11) {
                let fate = try trial.damage(sample, name, "bit \(bit)") { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
                let isLoose = number == 2 && bit / 8 >= Int(sample.durable.offset)
                trial.expect(fate == .refused || fate == (isLoose ? .cut : .found), "\(name), bit \(bit): \(fate)")
            }
        }
        return trial.faults
    }

    @Test func `a segment of any other length is found, or cut above DURABLE`() async throws {
        let faults = try await HeavyWork.run { try Self.changeLengths() }
        #expect(faults == [])
    }

    private static func changeLengths() throws -> [String] {
        var trial = Trial()
        for isClean in [true, false] {
            let sample = try Sample(isClean: isClean)
            for number in 0...2 as ClosedRange<UInt32> {
                let name = SegmentID(number).fileName
                let length =
                    number == 2
                    ? Int(sample.tail.offset) : try #require(sample.disk.contents(of: EngineHarness.path(name))).count
                for count in stride(from: 0, to: length, by: isClean && !Crashes.isFull ? 7 : 1) {
                    let fate = try trial.damage(sample, name, "\(count) bytes") { $0.removeSubrange(count...) }
                    let isLoose = number == 2 && count >= Int(sample.durable.offset)
                    trial.expect(fate == (isLoose ? .cut : .refused), "\(name) of \(count): \(fate)")
                }
                for extra in [[0], [1], [UInt8](repeating: 0, count: 600), [UInt8](repeating: 0xa5, count: 600)] {
                    let fate = try trial.damage(sample, name, "\(extra.count) more") {
                        $0.insert(contentsOf: extra, at: number == 2 ? length : $0.count)
                    }
                    // Behind the tail, nothing but what was never synced can stand.
                    trial.expect(fate == .refused || number == 2, "\(name) with \(extra.count) more: \(fate)")
                }
            }
        }
        return trial.faults
    }

    @Test func `a flipped bit of a sidecar is refused, or says what the other slot says`() async throws {
        let faults = try await HeavyWork.run { try Self.flipSidecars() }
        #expect(faults == [])
    }

    private static func flipSidecars() throws -> [String] {
        var trial = Trial()
        for isClean in Crashes.isFull ? [true, false] : [false] {
            let sample = try Sample(isClean: isClean)
            for name in [LogFiles.identity, LogFiles.vote, LogFiles.durable] {
                let length = try #require(sample.disk.contents(of: EngineHarness.path(name))).count
                for bit in stride(from: 0, to: length * 8, by: Crashes.isFull ? 1 : 3) {
                    // Between the slots there is nothing to damage.
                    let isPadding = name != LogFiles.identity && bit / 8 % 2048 >= 64
                    if isPadding, !Crashes.isFull, bit % 1021 != 0 { continue }
                    let fate = try trial.damage(sample, name, "bit \(bit)") { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
                    trial.expect(
                        fate == (name == LogFiles.identity ? .refused : .harmless), "\(name), bit \(bit): \(fate)")
                }
            }
        }
        return trial.faults
    }

    @Test func `a sidecar of any other length is refused, or bars from voting`() throws {
        let sample = try Sample(isClean: true)
        for name in [LogFiles.identity, LogFiles.vote, LogFiles.durable] {
            let length = try #require(sample.disk.contents(of: EngineHarness.path(name))).count
            for count in stride(from: 0, to: length, by: name == LogFiles.identity ? 1 : 61) {
                let disk = sample.disk.copy()
                let path = EngineHarness.path(name)
                disk.replaceContents(of: path, with: Array(try #require(disk.contents(of: path))[..<count]))
                guard let log = try? EngineHarness(disk) else { continue }
                #expect(name != LogFiles.identity, "\(count) bytes of IDENTITY")
                #expect(try log.values() == sample.values, "\(name) of \(count)")
                let oneSlotIsLeft = count >= (name == LogFiles.vote ? 64 : 2048 + 64)
                #expect(log.opened.mayVote == false || oneSlotIsLeft || name == LogFiles.durable, "\(name) of \(count)")
            }
        }
    }

    @Test func `segments swapped, doubled, missing or of another log are found`() throws {
        let sample = try Sample(isClean: true)
        let other = try EngineHarness(SimulatedFileSystem(seed: 2))
        try other.fill(60)
        try other.writer.close()
        let bytes = try (0...2).map { number in
            try #require(sample.disk.contents(of: EngineHarness.path(SegmentID(UInt32(number)).fileName)))
        }
        for target in 0...2 as ClosedRange<UInt32> {
            let path = EngineHarness.path(SegmentID(target).fileName)
            let foreign = try #require(other.disk.contents(of: EngineHarness.path(SegmentID(0).fileName)))
            for (what, replacement) in [
                ("missing", nil), ("segment 0", bytes[0]), ("segment 1", bytes[1]), ("segment 2", bytes[2]),
                ("of another log", foreign), ("empty", []),
            ] where replacement != bytes[Int(target)] {
                let disk = sample.disk.copy()
                disk.replaceContents(of: path, with: replacement)
                let (fate, fault) = try Self.fate(of: disk, sample)
                #expect(fault == nil, "\(target) replaced by \(what)")
                #expect(fate == .refused || fate == .found, "\(target) replaced by \(what): \(fate)")
            }
        }
    }

    @Test func `older copies of files are found, or say what is still true`() throws {
        let log = try EngineHarness()
        try log.append("a")
        try log.append("b")
        try log.writer.sync()
        let active = try #require(log.disk.contents(of: EngineHarness.path(SegmentID(0).fileName)))
        let durable = try #require(log.disk.contents(of: EngineHarness.path(LogFiles.durable)))
        try log.append("c")
        try log.writer.close()

        let olderSegment = log.disk.copy()
        olderSegment.replaceContents(of: EngineHarness.path(SegmentID(0).fileName), with: active)
        #expect(throws: LogError.self) { try EngineHarness(olderSegment) }
        // What DURABLE does not vouch for is read and found to be whole.
        let olderDurable = log.disk.copy()
        olderDurable.replaceContents(of: EngineHarness.path(LogFiles.durable), with: durable)
        #expect(try EngineHarness(olderDurable).values() == ["a", "b", "c"])
    }

    @Test func `a sealed segment of a past that was truncated is found`() throws {
        let log = try EngineHarness()
        try log.append("kept")
        let fork = log.tail
        func fill(_ letter: String) throws {
            for number in 0..<60 { try log.append("\(letter)\(number)-" + String(repeating: letter, count: 100)) }
            try log.writer.sync()
        }
        try fill("o")
        let old = try #require(log.disk.contents(of: EngineHarness.path(SegmentID(0).fileName)))
        try log.writer.truncate(from: fork)
        try fill("n")
        try log.writer.close()
        let disk = log.disk.copy()
        disk.replaceContents(of: EngineHarness.path(SegmentID(0).fileName), with: old)
        // Of the same length, and whole in itself: only the chain over the border of the segments tells.
        let read = try EngineHarness(disk.copy())
        #expect(throws: LogError.self) { try Self.readOn(read.store) }
        let again = try EngineHarness(disk)
        var scrubber = Scrubber(again.store)
        var now = MonotonicTime.zero
        while scrubber.progress.passCount == 0 {
            now = try scrubber.step(now: now, durable: again.tail).due ?? now
        }
        #expect(scrubber.progress.damageCount > 0)
    }

    /// Reads everything as a reader does, who knows what came before.
    private static func readOn(_ store: LogStore) throws(LogError) {
        var cursor = store.cursor(at: store.first)
        var bytes: [UInt8] = []
        let tail = store.written.position
        while cursor.position < tail {
            _ = try store.read(&cursor, byteCountMax: 1000, into: &bytes) { tail }
        }
    }
}
