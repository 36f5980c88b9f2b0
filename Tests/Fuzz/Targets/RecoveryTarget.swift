import DiskIO
import LogModel
import LogState
import SegmentFormat
import SegmentLog
import Simulation
import SystemPackage

/// A whole log is opened whose files are not what they were:
/// `u8 bits: 1 repaired frames, 2 all was synced, 4 damage is tolerated | u16 where | bytes that stand there`.
enum RecoveryTarget: FuzzTarget {
    static let name = "recovery"
    private static let directory: FilePath = "/log"

    static var seeds: [[UInt8]] {
        let frames = ShippedRangeTarget.frames
        return [
            [0, 0, 0], [1, 0, 0] + frames[1].bytes, [2, 64, 0, 1], [6, 0, 1] + frames[0].bytes,
            [5, 200, 0] + frames[2].bytes,
        ]
    }

    static func test(_ input: [UInt8]) {
        guard input.count >= 3 else { return }
        let disk = SimulatedFileSystem()
        Self.write(disk, isSynced: input[0] & 2 != 0)
        disk.killProcess()
        Self.damage(disk, input)
        var configuration = Self.configuration
        if input[0] & 4 != 0 { configuration.recovery = .tolerateDamage }
        guard let before = Self.contents(disk, configuration) else { return }
        disk.killProcess()
        guard let after = Self.contents(disk, configuration) else { preconditionFailure("opened once, not twice") }
        precondition(before.values == after.values && before.tail == after.tail, "two openings find different logs")
    }

    private static var configuration: LogConfiguration {
        var configuration = LogConfiguration(directory: Self.directory, segmentByteCountMax: 8 << 10)
        configuration.allowsSmallSegments = true
        return configuration
    }

    private static func open(_ disk: SimulatedFileSystem, _ configuration: LogConfiguration) -> OpenedLog? {
        try? LogDirectory.open(
            configuration, mode: .standalone, fileSystem: disk, newLife: { Life(1) }, newIncarnation: { Incarnation(1) }
        )
    }

    /// Forms a log of a checkpoint and a few frames.
    private static func write(_ disk: SimulatedFileSystem, isSynced: Bool) {
        guard var opened = Self.open(disk, Self.configuration) else { preconditionFailure("an empty disk is refused") }
        let founding = FrameChain.foundingBytes(
            cluster: Samples.cluster, checkpoint: LogState(founding: Samples.members).encoded())
        do throws(LogError) {
            try opened.form(cluster: Samples.cluster, founding: founding[...])
            guard let writer = opened.writer else { preconditionFailure("formed, and no writer") }
            for frame in ShippedRangeTarget.frames(behind: writer.chain) {
                try writer.append(frame.bytes[...], at: frame.position)
            }
            if isSynced { try writer.sync() }
        } catch {
            preconditionFailure("\(error)")
        }
    }

    private static func damage(_ disk: SimulatedFileSystem, _ input: [UInt8]) {
        let path = Self.directory.appending(SegmentID.first.fileName)
        guard var bytes = disk.contents(of: path) else { return }
        let offset = Int(input[1]) | Int(input[2]) << 8
        let new = input.dropFirst(3)
        guard offset + new.count <= bytes.count else { return }
        bytes.replaceSubrange(offset..<offset + new.count, with: new)
        if input[0] & 1 != 0 { Repair.frames(&bytes, from: SegmentHeader.byteCount, previous: 0) }
        guard let file = try? disk.open(path, .write), (try? file.write(bytes.span.bytes, at: 0)) != nil else {
            preconditionFailure("the simulated disk refuses a write")
        }
    }

    /// - Returns: `nil` when the log is refused, or a read of it.
    private static func contents(
        _ disk: SimulatedFileSystem, _ configuration: LogConfiguration
    ) -> (values: [[UInt8]], tail: Position)? {
        guard let opened = Self.open(disk, configuration), let store = opened.store else { return nil }
        var values: [[UInt8]] = []
        var position = store.first
        let tail = store.written.position
        while position < tail {
            guard let range = try? store.read(from: position, through: tail, byteCountMax: 1000) else { return nil }
            precondition(range.end > position, "no progress at \(position)")
            for frame in FrameSequence(range) { values.append(Array(frame.payload)) }
            position = range.end
        }
        return (values, tail)
    }
}
