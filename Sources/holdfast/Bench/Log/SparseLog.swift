import Glibc
import LogModel
import LogState
import SegmentFormat
import SegmentLog

/// A large log that takes hardly any room: each record is a run of zeros that was never written, so that the files have
/// holes there. Every frame is whole and verifies; opening cannot tell the difference.
struct SparseLog {
    private static let framesPerSegment = 8

    private let directory: String
    private let segmentByteCount: Int
    /// What stands before the zeros of each frame's one record.
    private let recordHead: [UInt8]
    private let frameByteCount: Int
    private let payloadChecksum: UInt32
    private var chain: FrameChain
    private var state: LogState

    /// - Parameters:
    ///   - directory: Holds a blank log, closed.
    ///   - segmentByteCount: At most 128 MiB: a frame has an eighth of it.
    static func grow(
        _ directory: String, byteCount: Int, segmentByteCount: Int
    ) throws {
        var log = try SparseLog(directory, segmentByteCount: segmentByteCount)
        try log.grow(to: byteCount)
        try DurableReplacement(
            durable: log.chain.point, commit: log.chain.tail, first: .first, isClean: true
        ).write(in: .init(directory))
    }

    private init(_ directory: String, segmentByteCount: Int) throws {
        self.directory = directory
        self.segmentByteCount = segmentByteCount
        self.frameByteCount = segmentByteCount / Self.framesPerSegment - 4096
        let valueByteCount = self.frameByteCount - FrameHeader.byteCount - 6
        // Flags, no key, and a length of four bytes.
        self.recordHead =
            [0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: valueByteCount >> (7 * $0)) & 0x7F | ($0 < 3 ? 0x80 : 0) }
        let payload = self.recordHead + [UInt8](repeating: 0, count: valueByteCount)
        self.payloadChecksum = CRC32C.checksum(payload.span.bytes)
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

    private mutating func grow(to byteCount: Int) throws {
        var written = 0
        while written < byteCount {
            let name = (written == 0 ? self.chain.tail.segment : self.chain.tail.segment.next).fileName
            let descriptor = open("\(self.directory)/\(name)", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw CommandFailure(.system, "cannot make \(name)") }
            defer { close(descriptor) }
            if written > 0 { try self.begin(descriptor) }
            for _ in 0..<Self.framesPerSegment { try self.appendFrame(descriptor) }
            guard ftruncate(descriptor, off_t(self.chain.tail.offset)) == 0 else {
                throw CommandFailure(.system, "cannot make \(name) longer: \(String(cString: strerror(errno)))")
            }
            written += Int(self.chain.tail.offset)
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

    private mutating func appendFrame(_ descriptor: Int32) throws {
        var header = FrameHeader(
            length: UInt32(self.frameByteCount), payloadChecksum: self.payloadChecksum,
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
        try Self.write(bytes + self.recordHead, to: descriptor, at: Int(position.offset))
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, at offset: Int) throws {
        guard pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count else {
            throw CommandFailure(.system, "cannot write: \(String(cString: strerror(errno)))")
        }
    }
}
