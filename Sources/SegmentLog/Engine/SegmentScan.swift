import DiskIO
import LogModel
import SegmentFormat

/// Checks a segment frame by frame, both checksums and the chain, from its header to the first that does not fit.
struct SegmentScan {
    /// Where the good part ends, and what comes next there.
    private(set) var chain: FrameChain
    private(set) var frameCount = 0
    private(set) var index: SegmentIndex
    /// Why the scan stopped; `nil` at zeros and at the end of the file.
    private(set) var defect: FrameDefect?
    private var window: FrameWindow

    /// - Parameters:
    ///   - chain: Ends with the segment before.
    ///   - end: Nothing at and behind this offset is looked at.
    init(_ file: any File, end: Int, chain: FrameChain, index: SegmentIndex) {
        self.window = FrameWindow(file, end: end)
        self.chain = chain
        self.index = index
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

    /// Checks the segment's header, then frames until one does not fit or ends behind `limit`.
    mutating func run(through limit: Int = .max) throws(DiskError) {
        let start = try self.window.bytes(at: 0, count: SegmentHeader.byteCount)
        do throws(FrameDefect) {
            _ = try self.chain.acceptSegmentHeader(start.span.bytes)
        } catch {
            self.defect = error
            return
        }
        while Int(self.chain.tail.offset) < limit, try self.step() {}
    }

    /// Whether anything but zeros follows; what ends the last such byte.
    mutating func endOfNonZero() throws(DiskError) -> Int {
        try self.window.endOfNonZero(from: self.goodByteCount)
    }

    /// Bytes of the segment that are good; 0 when not even its header is.
    var goodByteCount: Int {
        self.defect != nil && self.frameCount == 0 ? 0 : Int(self.chain.tail.offset)
    }

    private mutating func step() throws(DiskError) -> Bool {
        let offset = Int(self.chain.tail.offset)
        var bytes = try self.window.bytes(at: offset, count: FrameHeader.producerByteCount)
        if bytes.count < FrameHeader.byteCount {
            // Too short for a frame: the end, unless something was written there.
            if bytes.contains(where: { $0 != 0 }) {
                self.defect = .format(.truncated(needed: FrameHeader.byteCount, available: bytes.count))
            }
            return false
        }
        if let length = Self.frameByteCount(bytes.span.bytes), length > bytes.count {
            bytes = try self.window.bytes(at: offset, count: length)
        }
        do throws(FrameDefect) {
            guard let header = try self.chain.accept(bytes.span.bytes) else { return false }
            self.index.note(header, at: UInt32(offset))
            self.frameCount += 1
            return true
        } catch {
            self.defect = error
            return false
        }
    }

    /// The length that a good header states; `nil` when there is no good header.
    private static func frameByteCount(_ bytes: RawSpan) -> Int? {
        guard let header = try? FrameHeader.decode(bytes) else { return nil }
        return Int(header.length)
    }
}
