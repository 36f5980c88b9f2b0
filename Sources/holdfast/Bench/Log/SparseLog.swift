import Glibc
import LogModel
import LogState
import SegmentFormat
import SegmentLog

/// A large log that takes hardly any room: each record is a run of zeros that was never written, so that the files have
/// holes there. Every frame is whole and verifies; opening cannot tell the difference.
///
/// A segment, with `small` records that are written in full:
///
///     | header | checkpoint | small frames | 8 frames, each a header, the beginning of a record, and a hole |
struct SparseLog {
    static let holesPerSegment = 8

    /// A frame of one record, but for what differs from one frame to the next.
    private struct Template {
        /// What is written behind the header; the rest of the frame is a hole.
        var written: [UInt8]
        var byteCount: Int
        var payloadChecksum: UInt32
    }

    private let directory: String
    private let smallCount: Int
    private let small: Template
    private let hole: Template
    private var chain: FrameChain
    private var state: LogState

    /// - Parameters:
    ///   - directory: Holds a blank log, closed.
    ///   - byteCount: Above 0. The log has as many whole segments as these bytes need; below `segmentByteCount` it has
    ///     one segment of this many.
    ///   - segmentByteCount: At most 128 MiB: a hole has an eighth of it.
    ///   - smallCount: Records of ``smallByteCount`` bytes that are written in full at the beginning of each segment, so
    ///     that there is something to seek; all of them together are well below a segment.
    /// - Returns: How many segments there are.
    @discardableResult
    static func grow(
        _ directory: String, byteCount: Int, segmentByteCount: Int, smallCount: Int = 0
    ) throws -> Int {
        let segmentByteCount = min(byteCount, segmentByteCount)
        let segmentCount = (byteCount + segmentByteCount - 1) / segmentByteCount
        var log = try SparseLog(directory, segmentByteCount: segmentByteCount, smallCount: smallCount)
        try log.grow(by: segmentCount)
        try DurableReplacement(
            durable: log.chain.point, commit: log.chain.tail, first: .first, isClean: true
        ).write(in: .init(directory))
        return segmentCount
    }

    static let smallByteCount = 100

    private init(_ directory: String, segmentByteCount: Int, smallCount: Int) throws {
        self.directory = directory
        self.smallCount = smallCount
        let value = BenchBytes.value(Self.smallByteCount)
        // Flags, no key, and a length of one byte.
        let record: [UInt8] = [0, 0, UInt8(value.count)] + value
        self.small = Template(
            written: record, byteCount: FrameHeader.byteCount + record.count,
            payloadChecksum: CRC32C.checksum(record.span.bytes))
        self.hole = Self.hole(
            byteCount: (segmentByteCount - smallCount * self.small.byteCount) / Self.holesPerSegment - 4096)
        let file = try FileWindow("\(directory)/\(SegmentID.first.fileName)")
        let bytes = try file.bytes(at: 0, count: file.byteCount)
        self.chain = FrameChain(empty: try SegmentHeader.decode(bytes.span.bytes).cluster)
        var state: LogState?
        try self.chain.accept(range: bytes, at: .zero) { header, frame, position in
            let payload = frame.dropFirst(header.headerByteCount)
            if state == nil { state = try? LogState(decoding: payload) }
            _ = try? state?.apply(header, payload: payload, at: position)
        }
        guard let state else { throw CommandFailure(.system, "the blank log has no checkpoint") }
        self.state = state
    }

    private static func hole(byteCount: Int) -> Template {
        let valueByteCount = byteCount - FrameHeader.byteCount - 6
        // Flags, no key, and a length of four bytes.
        let written =
            [0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: valueByteCount >> (7 * $0)) & 0x7F | ($0 < 3 ? 0x80 : 0) }
        let payload = written + [UInt8](repeating: 0, count: valueByteCount)
        return Template(
            written: written, byteCount: byteCount, payloadChecksum: CRC32C.checksum(payload.span.bytes))
    }

    private mutating func grow(by segmentCount: Int) throws {
        for number in 0..<segmentCount {
            let name = (number == 0 ? self.chain.tail.segment : self.chain.tail.segment.next).fileName
            let descriptor = open("\(self.directory)/\(name)", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw CommandFailure(.system, "cannot make \(name)") }
            defer { close(descriptor) }
            if number > 0 { try self.begin(descriptor) }
            for _ in 0..<self.smallCount { try self.append(self.small, to: descriptor) }
            for _ in 0..<Self.holesPerSegment { try self.append(self.hole, to: descriptor) }
            guard ftruncate(descriptor, off_t(self.chain.tail.offset)) == 0 else {
                throw CommandFailure(.system, "cannot make \(name) longer: \(String(cString: strerror(errno)))")
            }
        }
    }

    private mutating func begin(_ descriptor: Int32) throws {
        let header = self.chain.startSegment()
        let frame = self.chain.place(
            .control(.checkpoint, payload: self.state.encoded()), term: self.chain.term, node: NodeID(1),
            timestamp: self.chain.timestamp)
        _ = try self.state.apply(frame.header, payload: frame.bytes[FrameHeader.byteCount...], at: frame.position)
        try Self.write(header + frame.bytes, to: descriptor, at: 0)
    }

    private mutating func append(_ frame: Template, to descriptor: Int32) throws {
        var header = FrameHeader(
            length: UInt32(frame.byteCount), payloadChecksum: frame.payloadChecksum,
            previous: self.chain.previousChecksum, kind: .records, flags: [], node: NodeID(1), term: Term(1),
            firstIndex: self.chain.nextIndex, timestamp: self.chain.timestamp, recordCount: 1, label: nil)
        var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount)
        do {
            var elements = bytes.mutableSpan
            var out = elements.mutableBytes
            header.encode(into: &out)
        }
        let position = self.chain.tail
        try self.chain.accept(header: header)
        _ = try self.state.apply(header, payload: [], at: position)
        try Self.write(bytes + frame.written, to: descriptor, at: Int(position.offset))
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, at offset: Int) throws {
        guard pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count else {
            throw CommandFailure(.system, "cannot write: \(String(cString: strerror(errno)))")
        }
    }
}
