import LogModel
import Synchronization

/// How far a log reaches, for readers: three numbers that never make them wait for a writer.
final class LogView: Sendable {
    private let visibleBits = Atomic<UInt64>(0)
    private let durableBits = Atomic<UInt64>(0)
    private let writtenBits = Atomic<UInt64>(0)

    /// How far readers may read.
    var visible: Position { Self.position(self.visibleBits.load(ordering: .acquiring)) }
    var durable: Position { Self.position(self.durableBits.load(ordering: .acquiring)) }
    var written: Position { Self.position(self.writtenBits.load(ordering: .acquiring)) }

    /// One caller at a time.
    func publish(visible: Position, durable: Position, written: Position) {
        self.writtenBits.store(Self.bits(written), ordering: .releasing)
        self.durableBits.store(Self.bits(durable), ordering: .releasing)
        self.visibleBits.store(Self.bits(visible), ordering: .releasing)
    }

    private static func bits(_ position: Position) -> UInt64 {
        UInt64(position.segment.rawValue) << 32 | UInt64(position.offset)
    }

    private static func position(_ bits: UInt64) -> Position {
        Position(UInt32(truncatingIfNeeded: bits >> 32), UInt32(truncatingIfNeeded: bits))
    }
}
