import DiskIO
import LogModel
import SegmentFormat

/// The segment that is written to.
///
///     0 ............ tail ............... ready ................ mapped = allocated
///     | frames       | present, zeros     | reserved on disk     |
///
/// Frames are copied into a shared mapping where reserved room stays reserved (``File/keepsReservations``): no system
/// call, nothing that can be refused, and the kernel keeps them when the process dies. Elsewhere, and when the disk had
/// no room to reserve, they are written; zeros go ahead of them then, since a sync is cheaper when no new block has to
/// be entered in the file.
///
/// Where every append waits for its sync, they are staged (``StagedFrames``) instead of mapped: the kernel protects each
/// mapped page again before it writes it, which costs as much as all the rest of a shared sync.
struct ActiveSegment: Sendable {
    let file: any File
    let segment: SegmentID
    private let mapping: (any Mapping)?
    /// `nil` when frames are stored or written at once.
    private var staged: StagedFrames?
    /// Offsets below are reserved on disk.
    private var allocated: Int
    /// Offsets below hold frames, or zeros whose pages are present.
    private(set) var ready: Int

    private var mappedByteCount: Int { self.mapping?.byteCount ?? 0 }

    /// - Parameters:
    ///   - placement: Stored or staged only when all of `allocated` is reserved.
    ///   - written: The tail's offset.
    ///   - ready: Offsets below hold frames, or zeros whose pages are present.
    init(file: any File, segment: SegmentID, placement: Placement, written: Int, allocated: Int, ready: Int) {
        self.file = file
        self.segment = segment
        self.mapping = if case .mapped(let mapping) = placement { mapping } else { nil }
        self.staged = placement.isStaged ? StagedFrames(file: file, offset: written) : nil
        self.allocated = allocated
        self.ready = ready
    }

    /// Opens a segment to be written on behind `tail`, and reserves the rest of it.
    ///
    /// A full disk must not keep a log from being read: then nothing is reserved, and the first append says so.
    init(_ tail: Position, files: LogFiles, byteCount: Int, path: FramePath) throws(LogError) {
        let file = try files.open(tail.segment, .write)
        let written = Int(tail.offset)
        let length = max(byteCount, written)
        var isReserved = true
        do throws(DiskError) {
            try file.allocate(byteCount: length)
        } catch {
            guard error.isNoSpace else { throw LogError(error) }
            isReserved = false
        }
        self.init(
            file: file, segment: tail.segment,
            placement: isReserved ? Placement(file, byteCount: length, path: path) : .written,
            written: written, allocated: isReserved ? length : written, ready: written)
    }

    /// How frames come into the file.
    enum Placement: Sendable {
        case mapped(any Mapping)
        case staged
        case written

        /// The best way for a file of which so many bytes are reserved. Where stores could fail, or when the system
        /// refuses to map, writes do as well.
        init(_ file: any File, byteCount: Int, path: FramePath) {
            if !file.keepsReservations || path == .written {
                self = .written
            } else if path == .staged {
                self = .staged
            } else if let mapping = try? file.map(byteCount: byteCount) {
                self = .mapped(mapping)
            } else {
                self = .written
            }
        }

        var isStaged: Bool { if case .staged = self { true } else { false } }
    }

    /// Stores frames behind those that are there.
    ///
    /// - Throws: ``LogError``; nothing of them is left. When not even that could be made sure, `isBroken` is set.
    mutating func put(_ bytes: RawSpan, at offset: Int, isBroken: inout Bool) throws(LogError) {
        let end = offset + bytes.byteCount
        if let mapping = self.mapping, end <= mapping.byteCount {
            mapping.store(bytes, at: offset)
            return
        }
        // Not a copy of what is staged: a second holder would make each append copy all of it.
        if let stagedEnd = self.staged?.end {
            precondition(offset == stagedEnd && end <= self.allocated, "staged behind a gap, or the reserved room")
            self.staged?.append(bytes)
            return
        }
        do throws(DiskError) {
            try self.file.write(bytes, at: offset)
        } catch {
            do throws(DiskError) {
                try self.takeBack(to: offset)
            } catch {
                // Also for want of space: part of it may be there, so nobody may be told that nothing is.
                isBroken = true
                throw .storage(StorageFailure(error))
            }
            throw LogError(error)
        }
        self.ready = max(self.ready, end)
        self.allocated = max(self.allocated, end)
        if self.mapping == nil { self.zeroAhead(of: end) }
    }

    /// Removes what a refused write may have left. Shortening the file needs no space.
    private mutating func takeBack(to offset: Int) throws(DiskError) {
        guard let mapping = self.mapping else {
            try self.file.truncate(to: offset)
            self.allocated = offset
            self.ready = offset
            return
        }
        // What is mapped stays as long as it is: a store behind the end of the file would end the process. Frames that
        // were written behind the mapping stay, too.
        let kept = max(self.mappedByteCount, offset)
        try self.file.truncate(to: kept)
        let zeros = [UInt8](repeating: 0, count: max(0, self.mappedByteCount - offset))
        mapping.store(zeros.span.bytes, at: min(offset, self.mappedByteCount))
        self.allocated = kept
    }

    // MARK: Staged frames

    /// Bytes that wait in memory.
    var stagedByteCount: Int { self.staged?.bytes.count ?? 0 }

    /// What is to be written before the next sync, zeros ahead of the tail with it.
    mutating func takeStaged() -> StagedFrames? {
        guard let end = self.staged?.end else { return nil }
        let step = EngineLimits.zeroAheadByteCount
        let zerosUpTo = end > self.ready ? min((end / step + 1) * step, self.allocated) : end
        self.ready = max(self.ready, zerosUpTo)
        return self.staged?.take(zerosUpTo: zerosUpTo)
    }

    // MARK: Ahead of the tail

    /// The pages that are to be made present next, if it is time; counts them as present.
    mutating func takePopulation(tail: Int) -> SegmentPopulation? {
        guard let mapping = self.mapping, self.isPopulationDue(tail: tail) else { return nil }
        let start = max(self.ready, tail)
        let end = min(start + EngineLimits.populationByteCount, self.mappedByteCount)
        guard start < end else { return nil }
        self.ready = end
        return SegmentPopulation(mapping: mapping, range: start..<end)
    }

    func isPopulationDue(tail: Int) -> Bool { tail >= self.populationDueOffset }

    /// The tail's offset from which on pages are to be made present.
    var populationDueOffset: Int {
        self.ready < self.mappedByteCount ? self.ready - EngineLimits.populateAheadByteCount : .max
    }

    private mutating func zeroAhead(of tail: Int) {
        let step = EngineLimits.zeroAheadByteCount
        guard tail + step / 2 > self.ready, self.ready < self.allocated else { return }
        let start = max(tail, self.ready)
        let end = min((start / step + 1) * step, self.allocated)
        guard end > start else { return }
        let zeros = [UInt8](repeating: 0, count: end - start)
        // Only an economy: a disk that refuses will say so to the append that needs the place.
        if (try? self.file.write(zeros.span.bytes, at: start)) != nil { self.ready = end }
    }
}

/// Pages of the active segment to be made present before appends come by; any thread.
package struct SegmentPopulation: Sendable {
    let mapping: any Mapping
    let range: Range<Int>

    package func perform() { self.mapping.populate(self.range) }
}
