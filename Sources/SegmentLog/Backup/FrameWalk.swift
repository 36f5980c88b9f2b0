import DiskIO
import LogModel
import SegmentFormat

/// Goes through a log's files frame by frame, from segment to segment, and checks all of it: both checksums, the chain,
/// indexes, terms.
///
/// One window of one file is in memory, or one frame that is larger.
struct FrameWalk {
    enum Step {
        case header(SegmentHeader, Bytes)
        case frame(FrameHeader, Bytes, at: Position)
    }

    let files: LogFiles
    /// Ends behind what was passed.
    private(set) var chain: FrameChain
    /// Nothing at and behind it is looked at.
    let limit: Position
    private var window: FrameWindow?
    private var segment: SegmentID

    /// - Parameters:
    ///   - chain: Where the walk begins.
    ///   - limit: Where it ends; it must be reached, unless it is ``Position/max``.
    init(_ files: LogFiles, from chain: FrameChain, through limit: Position) {
        self.files = files
        self.chain = chain
        self.limit = limit
        self.segment = chain.tail.segment
    }

    /// A walk from the beginning of `first`, about whose predecessor its own header tells.
    static func from(
        _ first: SegmentID, in files: LogFiles, through limit: Position
    ) throws(LogError) -> FrameWalk {
        let file = try files.open(first, .read)
        let bytes = try disk { () throws(DiskError) in try file.read(at: 0, count: SegmentHeader.byteCount) }
        do throws(FormatError) {
            let header = try SegmentHeader.decode(bytes.span.bytes)
            return FrameWalk(files, from: SegmentScan.chain(before: header), through: limit)
        } catch {
            throw LogError(header: .format(error), of: first)
        }
    }

    /// Passes the next header or frame.
    ///
    /// - Returns: `nil` at the limit; without one, where the files end.
    /// - Throws: ``LogError/damaged(_:)`` with what does not fit, ``LogError/laterFormat(file:version:)``,
    ///   ``LogError/storage(_:)``.
    mutating func next() throws(LogError) -> Step? {
        guard self.chain.tail < self.limit else { return nil }
        if !self.chain.isEmpty, self.segment == self.chain.tail.segment, let step = try self.nextFrame() { return step }
        return try self.nextSegment()
    }

    private mutating func nextFrame() throws(LogError) -> Step? {
        if self.window == nil {
            guard self.chain.tail.offset > 0, let window = try self.open(self.segment) else { return nil }
            self.window = window
        }
        guard var window = self.window else { return nil }
        let place = self.chain.tail
        let offset = Int(place.offset)
        var needed = FrameHeader.producerByteCount
        while offset < window.end {
            let bytes = try disk { () throws(DiskError) in try window.bytes(at: offset, count: needed) }
            self.window = window
            do throws(FrameDefect) {
                guard let header = try self.chain.accept(bytes.span.bytes) else { return nil }
                return .frame(header, bytes.prefix(Int(header.length)), at: place)
            } catch {
                if case .format(.truncated(let count, _)) = error, count > needed, offset + count <= window.end {
                    needed = count
                    continue
                }
                throw .damaged(Damage(self.segment, offset..<window.end, .fault(FrameFault(error))))
            }
        }
        return nil
    }

    /// The frames of a segment have ended, at zeros or with the file: its successor's header says whether rightly.
    private mutating func nextSegment() throws(LogError) -> Step? {
        // No number is left for another.
        guard self.chain.tail.segment.rawValue < .max else { return nil }
        let next = self.chain.nextSegmentHeader.segment
        guard next <= self.limit.segment, var window = try self.open(next) else {
            guard self.limit == .max else {
                let offset = Int(self.chain.tail.offset)
                let isHere = self.limit.segment == self.chain.tail.segment
                throw .damaged(
                    isHere
                        ? Damage(self.limit.segment, offset..<Int(self.limit.offset), .lost)
                        : Damage(next, 0..<SegmentHeader.byteCount, .missing))
            }
            return nil
        }
        let bytes = try disk { () throws(DiskError) in try window.bytes(at: 0, count: SegmentHeader.byteCount) }
        self.window = window
        self.segment = next
        do throws(FrameDefect) {
            let header = try self.chain.acceptSegmentHeader(bytes.span.bytes)
            return .header(header, bytes.prefix(SegmentHeader.byteCount))
        } catch {
            throw LogError(header: error, of: next)
        }
    }

    /// - Returns: `nil` when there is no such file.
    private func open(_ segment: SegmentID) throws(LogError) -> FrameWindow? {
        do throws(DiskError) {
            let file = try self.files.fileSystem.open(self.files.path(of: segment), .read)
            let end = try file.byteCount()
            return FrameWindow(file, end: segment == self.limit.segment ? min(end, Int(self.limit.offset)) : end)
        } catch {
            if error.isNotFound { return nil }
            throw LogError(error)
        }
    }
}
