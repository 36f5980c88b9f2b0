import DiskIO
import LogModel
import LogState
import SegmentFormat
import Simulation

@testable import SegmentLog

/// A log on a simulated disk whose checkpoints say what is true, as a node's do; segments of 4 KiB.
struct AuditLog {
    let disk: SimulatedFileSystem
    let opened: OpenedLog
    private var state: LogState
    private var time = Timestamp(nanoseconds: 1000)

    init(mode: LogMode = .cluster) throws {
        self.disk = SimulatedFileSystem()
        var opened = try EngineHarness.open(self.disk, mode: mode)
        let member = Member(node: NodeID(1), incarnation: EngineHarness.incarnation)
        self.state = LogState(founding: Membership(voters: mode == .cluster ? [member] : []))
        let founding = FrameChain.foundingBytes(
            cluster: EngineHarness.cluster, checkpoint: self.state.encoded())
        try opened.form(cluster: EngineHarness.cluster, founding: founding[...])
        self.opened = opened
        var chain = FrameChain(empty: EngineHarness.cluster)
        var state = self.state
        try chain.accept(range: founding[...], at: .zero) { header, frame, position in
            _ = try? state.apply(header, payload: frame.dropFirst(header.headerByteCount), at: position)
        }
        self.state = state
    }

    /// A log that was closed, all of it committed.
    static func closed(records: Int, mode: LogMode = .cluster) throws -> AuditLog {
        var log = try AuditLog(mode: mode)
        try log.fill(records)
        try log.writer.sync()
        log.writer.recordCommit(log.tail)
        try log.writer.close()
        return log
    }

    var writer: LogWriter {
        guard let writer = self.opened.writer else { preconditionFailure("nothing was formed") }
        return writer
    }

    var tail: Position { self.writer.chain.tail }

    /// Appends one record a frame: `prefix0`, `prefix1`, ... of about 100 bytes.
    mutating func fill(_ count: Int, prefix: String = "r") throws {
        for number in 0..<count {
            let draft = try FrameDraft.records([Record(EngineHarness.value(number, prefix: prefix))])
            var chain = self.writer.chain
            var bytes: [UInt8] = []
            var begin = chain.tail
            if Int(chain.tail.offset) + draft.byteCount > EngineHarness.configuration().segmentByteCountMax {
                bytes += chain.startSegment()
                begin = Position(segment: chain.tail.segment, offset: 0)
                bytes += try self.place(.control(.checkpoint, payload: self.state.encoded()), &chain)
            }
            bytes += try self.place(draft, &chain)
            try self.writer.append(bytes[...], at: begin)
        }
    }

    /// Decides that everything before is not needed any more; the files stay.
    mutating func trim(before position: Position) throws {
        var chain = self.writer.chain
        let begin = chain.tail
        let bytes = try self.place(.control(.trim, payload: LogState.trimPayload(before: position)), &chain)
        try self.writer.append(bytes[...], at: begin)
    }

    private mutating func place(_ draft: consuming FrameDraft, _ chain: inout FrameChain) throws -> [UInt8] {
        let frame = chain.place(draft, term: Term(1), node: NodeID(1), timestamp: self.time)
        _ = try self.state.apply(
            frame.header, payload: frame.bytes[frame.header.headerByteCount...], at: frame.position)
        return frame.bytes
    }
}
