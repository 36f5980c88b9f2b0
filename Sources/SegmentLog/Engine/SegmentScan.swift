import DiskIO
import LogModel
import SegmentFormat

/// Checks a segment frame by frame, both checksums and the chain, from its header to the first that does not fit.
///
/// Each frame's header is decoded once. One window of the file is in memory; of a frame of records that is larger, a
/// window after the other.
struct SegmentScan {
    /// Where the good part ends, and what comes next there.
    private(set) var chain: FrameChain
    private(set) var frameCount = 0
    /// Of these, the frames that begin at `countsFrom` or later.
    private(set) var laterFrameCount = 0
    private(set) var index: SegmentIndex
    /// Why the scan stopped; `nil` at zeros and at the end of the file.
    private(set) var defect: FrameDefect?
    /// Follows the log's own state through the frames, when there is one.
    private(set) var tracker: StateTracker?
    /// Frames of which the header is good and the records are not, which were passed over: see ``run(through:)``.
    private(set) var badPayloads: [(range: Range<Int>, defect: FrameDefect)] = []
    private var window: FrameWindow
    private let windowByteCount: Int
    /// Frames that end at or below are passed over when only their records are bad.
    private let passesBadPayloadsBelow: Int
    private let countsFrom: Int

    /// - Parameters:
    ///   - chain: Ends with the segment before.
    ///   - end: Nothing at and behind this offset is looked at.
    ///   - tracker: Follows the log's own state from this segment's checkpoint on.
    ///   - passesBadPayloadsBelow: Frames that end at or below this offset and of which only the records are bad do
    ///     not end the scan; they are listed in ``badPayloads``.
    init(
        _ file: any File, end: Int, chain: FrameChain, index: SegmentIndex, tracker: StateTracker? = nil,
        windowByteCount: Int = EngineLimits.scanWindowByteCount, passesBadPayloadsBelow: Int = 0, countsFrom: Int = 0
    ) {
        self.window = FrameWindow(file, end: end, windowByteCount: windowByteCount)
        self.windowByteCount = windowByteCount
        self.chain = chain
        self.index = index
        self.tracker = tracker
        self.passesBadPayloadsBelow = passesBadPayloadsBelow
        self.countsFrom = countsFrom
    }

    /// The header of a segment says all about the log before it that its frames are checked against, except term
    /// and timestamp: these begin at 0 again.
    static func chain(before header: SegmentHeader) -> FrameChain {
        guard header.segment != .first else { return FrameChain(empty: header.cluster) }
        let before = Position(header.segment.rawValue - 1, header.previousLength)
        return FrameChain(
            cluster: header.cluster, tail: before, previousChecksum: header.previousChecksum,
            nextIndex: header.firstIndex, term: .zero, timestamp: .zero
        )
    }

    /// Checks the segment's header, then frames until one does not fit, ends behind `limit`, or `frameCountMax` are
    /// checked.
    mutating func run(through limit: Int = .max, frameCountMax: Int = .max) throws(DiskError) {
        let start = try self.window.bytes(at: 0, count: SegmentHeader.byteCount)
        do throws(FrameDefect) {
            _ = try self.chain.acceptSegmentHeader(start.span.bytes)
        } catch {
            self.defect = error
            return
        }
        var needed = FrameHeader.producerByteCount
        while Int(self.chain.tail.offset) < limit, self.frameCount < frameCountMax {
            let offset = Int(self.chain.tail.offset)
            let bytes = try self.window.bytes(at: offset, count: needed)
            // Fewer than asked for: the file ends there, whatever its length was said to be.
            let isAll = bytes.count < needed || offset + bytes.count >= self.window.end
            switch self.walk(bytes, isAll: isAll, limit: limit, frameCountMax: frameCountMax) {
            case .goesOn(let count):
                needed = count
                if count > self.windowByteCount, try self.acceptLarge() { needed = FrameHeader.producerByteCount }
            case .stopped: return
            }
        }
    }

    /// Whether anything but zeros follows; what ends the last such byte.
    mutating func endOfNonZero() throws(DiskError) -> Int {
        try self.window.endOfNonZero(from: self.goodByteCount)
    }

    /// Bytes of the segment that are good; 0 when not even its header is.
    var goodByteCount: Int {
        self.defect != nil && self.frameCount == 0 ? 0 : Int(self.chain.tail.offset)
    }

    private enum Walk {
        /// So many bytes from the tail on are needed.
        case goesOn(Int)
        case stopped
    }

    /// Checks the whole frames in `bytes`, which begin at the tail.
    private mutating func walk(_ bytes: Bytes, isAll: Bool, limit: Int, frameCountMax: Int) -> Walk {
        let span = bytes.span.bytes
        let base = Int(self.chain.tail.offset)
        while Int(self.chain.tail.offset) < limit, self.frameCount < frameCountMax {
            let start = self.chain.tail
            let offset = Int(start.offset) - base
            let rest = span.extracting(droppingFirst: offset)
            do throws(FrameDefect) {
                guard let header = try self.chain.accept(rest) else { return .stopped }
                self.count(header, at: start.offset)
                if self.tracker?.isAffected(by: header) == true {
                    let place = bytes.startIndex + offset
                    self.tracker?.apply(header, frame: bytes[place..<(place + Int(header.length))], at: start)
                }
            } catch {
                if !isAll, case .format(.truncated(let needed, _)) = error { return .goesOn(needed) }
                if self.pass(error, rest) { continue }
                return self.stop(at: rest, error)
            }
        }
        return .goesOn(FrameHeader.producerByteCount)
    }

    private mutating func count(_ header: FrameHeader, at offset: UInt32) {
        self.frameCount += 1
        if Int(offset) >= self.countsFrom { self.laterFrameCount += 1 }
        self.index.note(header, at: offset)
    }

    /// Checks the frame at the tail, which is larger than a window, without ever holding all of it.
    ///
    /// - Returns: `false` when it does not fit, or is no frame of records: it is then to be looked at as a whole.
    private mutating func acceptLarge() throws(DiskError) -> Bool {
        let offset = Int(self.chain.tail.offset)
        let start = try self.window.bytes(at: offset, count: FrameHeader.producerByteCount)
        // The state needs the payload of control frames, which are small.
        guard let header = try? FrameHeader.decode(start.span.bytes), case .records = header.kind else { return false }
        var next = self.chain
        guard (try? next.accept(header: header)) != nil else { return false }
        let end = offset + Int(header.length)
        var place = offset + header.headerByteCount
        var checksum: UInt32 = 0
        while place < end {
            let part = try self.window.bytes(at: place, count: 1).prefix(end - place)
            guard !part.isEmpty else { return false }
            checksum = CRC32C.checksum(part.span.bytes, extending: checksum)
            place += part.count
        }
        guard checksum == header.payloadChecksum else { return false }
        let position = self.chain.tail
        if self.tracker?.isAffected(by: header) == true { self.tracker?.apply(header, frame: [], at: position) }
        self.chain = next
        self.count(header, at: position.offset)
        return true
    }

    /// Too short for a frame: the end of the file, unless something was written there.
    private mutating func stop(at rest: RawSpan, _ defect: FrameDefect) -> Walk {
        let isEnd = rest.byteCount < FrameHeader.byteCount && rest.isZero(0..<rest.byteCount)
        if !isEnd { self.defect = defect }
        return .stopped
    }

    private mutating func pass(_ defect: FrameDefect, _ rest: RawSpan) -> Bool {
        guard case .payloadChecksum = defect, let header = try? FrameHeader.decode(rest) else { return false }
        let start = Int(self.chain.tail.offset)
        let end = start + Int(header.length)
        guard end <= self.passesBadPayloadsBelow, (try? self.chain.accept(header: header)) != nil else { return false }
        self.badPayloads.append((start..<end, defect))
        self.frameCount += 1
        // What a control frame would have changed is unknown.
        if self.tracker?.isAffected(by: header) == true { self.tracker = nil }
        return true
    }
}
