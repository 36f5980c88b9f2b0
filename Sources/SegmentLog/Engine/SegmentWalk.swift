import DiskIO
import LogModel
import SegmentFormat

/// Checks one sealed segment slice by slice, so that nobody waits for more than one small read.
///
/// A frame may be larger than a slice: its checksum is carried on from one to the next. A frame of which only the
/// records are bad is passed; behind a bad header nobody knows where the next one begins, and all the rest counts as
/// damaged.
struct SegmentWalk: Sendable {
    /// A frame whose header was good, and whose records are being read.
    private struct Frame {
        var start: Int
        var end: Int
        var expected: UInt32
        var checksum: UInt32 = 0
    }

    let segment: SegmentID
    /// As they were when the walk began.
    let truncations: UInt64
    private(set) var offset = 0
    private let file: any File
    private let cluster: ClusterID
    /// Where the segment has to end, and how much of that is there.
    private let tail: Position
    private let end: Int
    /// What the next bytes have to say; before the header, where the segment before ended. `nil` when unknown.
    private var chain: FrameChain?
    private var frame: Frame?
    private var findings: [Damage] = []
    private var isBroken = false

    init(
        _ file: any File, of segment: LogLayout.Segment, cluster: ClusterID, after chain: FrameChain?,
        truncations: UInt64, fileByteCount: Int
    ) {
        self.file = file
        self.segment = segment.id
        self.cluster = cluster
        self.chain = chain
        self.truncations = truncations
        let expected = Int(segment.byteCount)
        self.tail = Position(segment: segment.id, offset: segment.byteCount)
        self.end = min(expected, fileByteCount)
        if fileByteCount != expected {
            self.findings.append(
                Damage(
                    segment.id, min(expected, fileByteCount)..<max(expected, fileByteCount),
                    .wrongLength(expected: expected, found: fileByteCount)))
        }
    }

    var isFinished: Bool { self.isBroken || self.offset >= self.end }

    /// Where the segment ends; `nil` unless all of its headers were good.
    var chainBehind: FrameChain? {
        guard !self.isBroken, let chain = self.chain, chain.tail == self.tail else { return nil }
        return chain
    }

    mutating func takeFindings() -> [Damage] {
        defer { self.findings = [] }
        return self.findings
    }

    /// Reads and checks the next slice.
    ///
    /// - Returns: How many bytes were read.
    mutating func advance() -> Int {
        guard !self.isFinished else { return 0 }
        let start = self.offset
        let count = min(EngineLimits.scrubSliceByteCount, self.end - start)
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try self.file.read(at: start, count: count)
        } catch {
            self.isBroken = true
            let failure = StorageFailure(
                errno: error.errno.rawValue, operation: error.operation.rawValue, file: error.path)
            self.findings.append(Damage(self.segment, start..<start + count, .unreadable(failure)))
            return 0
        }
        let span = bytes.span.bytes
        while !self.isFinished, self.offset < start + bytes.count {
            let rest = span.extracting(droppingFirst: self.offset - start)
            let before = self.offset
            if self.offset == 0 {
                self.checkHeader(rest)
            } else if self.frame == nil {
                self.beginFrame(rest)
            } else {
                self.goOn(rest)
            }
            // The rest of the slice does not hold a whole header: the next slice begins with it.
            if self.offset == before { break }
        }
        if self.offset == start, !self.isBroken { self.fail(.lost) }
        return bytes.count
    }

    private mutating func checkHeader(_ bytes: RawSpan) {
        do throws(FrameDefect) {
            var chain: FrameChain
            if let before = self.chain {
                chain = before
            } else {
                do throws(FormatError) {
                    chain = SegmentScan.chain(before: try SegmentHeader.decode(bytes, of: self.cluster))
                } catch {
                    throw .format(error)
                }
            }
            let header = try chain.acceptSegmentHeader(bytes)
            guard header.segment == self.segment else {
                throw .wrongSegment(expected: self.segment, found: header.segment)
            }
            self.chain = chain
        } catch {
            // The frames of another segment are not this one's, good as they may be.
            let isOther = if case .wrongSegment = error { true } else { false }
            let range = 0..<(isOther ? max(self.end, SegmentHeader.byteCount) : SegmentHeader.byteCount)
            self.findings.append(Damage(self.segment, range, .fault(FrameFault(error))))
            // The frames can still be checked against the segment before.
            if self.chain == nil { self.isBroken = true } else { _ = self.chain?.startSegment() }
        }
        self.offset = SegmentHeader.byteCount
    }

    private mutating func beginFrame(_ bytes: RawSpan) {
        let isLast = self.offset + bytes.byteCount >= self.end
        guard isLast || bytes.byteCount >= FrameHeader.producerByteCount else { return }
        do throws(FrameDefect) {
            let header: FrameHeader
            do throws(FormatError) {
                guard let decoded = try FrameHeader.decode(bytes) else { return self.fail(.lost) }
                header = decoded
            } catch {
                throw .format(error)
            }
            try self.chain?.accept(header: header)
            let end = self.offset + Int(header.length)
            guard end <= self.end else {
                throw .format(.truncated(needed: Int(header.length), available: self.end - self.offset))
            }
            self.frame = Frame(start: self.offset, end: end, expected: header.payloadChecksum)
            self.offset += header.headerByteCount
            self.finishFrame()
        } catch {
            self.fail(.fault(FrameFault(error)))
        }
    }

    private mutating func goOn(_ bytes: RawSpan) {
        guard let frame = self.frame else { return }
        let part = bytes.extracting(0..<min(bytes.byteCount, frame.end - self.offset))
        self.frame?.checksum = CRC32C.checksum(part, extending: frame.checksum)
        self.offset += part.byteCount
        self.finishFrame()
    }

    private mutating func finishFrame() {
        guard let frame = self.frame, self.offset == frame.end else { return }
        self.frame = nil
        guard frame.checksum != frame.expected else { return }
        let defect = FrameDefect.payloadChecksum(stored: frame.expected, computed: frame.checksum)
        self.findings.append(Damage(self.segment, frame.start..<frame.end, .fault(FrameFault(defect))))
    }

    private mutating func fail(_ kind: Damage.Kind) {
        self.isBroken = true
        self.findings.append(Damage(self.segment, (self.frame?.start ?? self.offset)..<self.end, kind))
    }
}
