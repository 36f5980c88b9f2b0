import DiskIO
import LogModel
import LogState
import SegmentFormat
import Simulation
import SystemPackage

@testable import SegmentLog

/// The synchronous engine on a simulated disk, driven as a leader would.
struct EngineHarness {
    static let cluster = ClusterID(high: 0x1122_3344_5566_7788, low: 0x99aa_bbcc_ddee_ff00)
    static let directory: FilePath = "/log"
    static let incarnation = Incarnation(0xabcdef)

    let disk: SimulatedFileSystem
    var configuration: LogConfiguration
    var opened: OpenedLog
    var term = Term(1)
    var timestamp = Timestamp(nanoseconds: 1000)

    init(disk: SimulatedFileSystem, configuration: LogConfiguration, opened: consuming OpenedLog) {
        self.disk = disk
        self.configuration = configuration
        self.opened = opened
    }

    /// Opens what is on the disk, and forms a log if there is none.
    init(
        _ disk: SimulatedFileSystem = SimulatedFileSystem(), mode: LogMode = .cluster, segmentByteCountMax: Int = 4096,
        recovery: RecoveryMode = .refuseDamage
    ) throws(LogError) {
        self.disk = disk
        self.configuration = Self.configuration(segmentByteCountMax: segmentByteCountMax)
        self.configuration.recovery = recovery
        self.opened = try Self.open(disk, self.configuration, mode: mode)
        if self.opened.writer == nil { try self.opened.form(cluster: Self.cluster, founding: Self.founding[...]) }
        self.term = max(self.term, self.opened.writer?.chain.term ?? .zero)
        self.timestamp = max(self.timestamp, self.opened.writer?.chain.timestamp ?? .zero)
    }

    /// One whose frames wait in memory for the sync that covers them.
    static func staged() throws(LogError) -> EngineHarness {
        var configuration = Self.configuration()
        configuration.framePath = .staged
        let disk = SimulatedFileSystem()
        var opened = try Self.open(disk, configuration)
        try opened.form(cluster: Self.cluster, founding: Self.founding[...])
        return EngineHarness(disk: disk, configuration: configuration, opened: opened)
    }

    static func configuration(segmentByteCountMax: Int = 4096) -> LogConfiguration {
        var configuration = LogConfiguration(
            directory: Self.directory, node: NodeID(1), segmentByteCountMax: segmentByteCountMax)
        configuration.allowsSmallSegments = true
        return configuration
    }

    static var founding: [UInt8] {
        FrameChain.foundingBytes(cluster: Self.cluster, checkpoint: Self.checkpointPayload)
    }

    static var checkpointPayload: [UInt8] { LogState(founding: Membership()).encoded() }

    /// Where the first frame behind the founding checkpoint stands.
    static var start: Position {
        Position(0, UInt32(SegmentHeader.byteCount + FrameHeader.byteCount + Self.checkpointPayload.count))
    }

    static func open(
        _ disk: SimulatedFileSystem, _ configuration: LogConfiguration = Self.configuration(), mode: LogMode = .cluster
    ) throws(LogError) -> OpenedLog {
        try LogDirectory.open(configuration, mode: mode, fileSystem: disk, newLife: { Life(1) }) { Self.incarnation }
    }

    var writer: LogWriter {
        guard let writer = self.opened.writer else { preconditionFailure("nothing was formed") }
        return writer
    }

    var store: LogStore { self.writer.store }
    var tail: Position { self.writer.chain.tail }

    /// The bytes of the next frame, where they go, and whether they begin a segment.
    func nextFrame(
        _ values: [String], chain given: FrameChain? = nil, compression: RecordCompression = .none
    ) -> (bytes: [UInt8], position: Position) {
        var chain = given ?? self.writer.chain
        guard let draft = try? FrameDraft.records(values.map { Record($0) }, compression: compression) else {
            preconditionFailure("bad test records")
        }
        if Int(chain.tail.offset) + draft.byteCount <= self.configuration.segmentByteCountMax {
            let frame = chain.place(draft, term: self.term, node: NodeID(1), timestamp: self.timestamp)
            return (frame.bytes, frame.position)
        }
        var bytes = chain.startSegment()
        let position = Position(segment: chain.tail.segment, offset: 0)
        bytes +=
            chain.place(
                .control(.checkpoint, payload: Self.checkpointPayload), term: self.term, node: NodeID(1),
                timestamp: self.timestamp
            ).bytes
        bytes += chain.place(draft, term: self.term, node: NodeID(1), timestamp: self.timestamp).bytes
        return (bytes, position)
    }

    /// Appends one frame, rotating when it does not fit. Returns where the log ended before.
    @discardableResult
    func append(_ values: String...) throws(LogError) -> Position {
        let before = self.tail
        let (bytes, position) = self.nextFrame(values)
        try self.writer.append(bytes[...], at: position)
        return before
    }

    func append(_ values: [String], compression: RecordCompression) throws(LogError) {
        let (bytes, position) = self.nextFrame(values, compression: compression)
        try self.writer.append(bytes[...], at: position)
    }

    /// Fills segments with records `prefix0`, `prefix1`, ... of about 100 bytes.
    func fill(_ count: Int, prefix: String = "r") throws(LogError) {
        for number in 0..<count { try self.append(Self.value(number, prefix: prefix)) }
    }

    static func value(_ number: Int, prefix: String = "r") -> String {
        "\(prefix)\(number)-" + String(repeating: "x", count: 100)
    }

    /// All values from the first segment to the tail.
    func values() throws(LogError) -> [String] { try Self.values(self.store) }

    static func values(_ store: LogStore) throws(LogError) -> [String] {
        var values: [String] = []
        var position = store.first
        let tail = store.written.position
        while position < tail {
            let range = try store.read(from: position, through: tail, byteCountMax: 1000)
            precondition(!range.bytes.isEmpty, "no progress at \(position)")
            for frame in FrameSequence(range) where frame.header.kind == .records {
                var reader = RecordReader(payload: frame.payload, of: frame.header)
                while let record = try? reader.next() { values.append(String(decoding: record.value, as: UTF8.self)) }
            }
            position = range.end
        }
        return values
    }

    static func path(_ name: String) -> FilePath { Self.directory.appending(name) }
}
