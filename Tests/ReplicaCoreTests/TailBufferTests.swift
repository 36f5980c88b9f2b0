import LogModel
import Testing

@testable import ReplicaCore

struct TailBufferTests {
    private func point(_ offset: UInt32, segment: UInt32 = 0) -> LogPoint {
        LogPoint(term: Term(1), position: Position(segment, offset))
    }

    private func chunk(_ from: UInt32, _ count: Int, segment: UInt32 = 0) -> TailBuffer.Chunk {
        TailBuffer.Chunk(
            from: Position(segment, from), previous: self.point(from, segment: segment), previousChecksum: from,
            bytes: [UInt8](repeating: UInt8(truncatingIfNeeded: from), count: count)[...],
            end: self.point(from + UInt32(count), segment: segment), endChecksum: from + UInt32(count))
    }

    @Test func `neighbouring chunks travel together up to the bound`() {
        var buffer = TailBuffer(byteCountMax: 1_000)
        for start in [UInt32(100), 150, 200] { buffer.append(self.chunk(start, 50), written: .zero) }
        let run = buffer.run(after: self.point(100), byteCountMax: 120)
        #expect(run?.bytes.count == 100)
        #expect(run?.end == self.point(200))
        #expect(run?.endChecksum == 200)
    }

    @Test func `a chunk over the bound travels alone`() {
        var buffer = TailBuffer(byteCountMax: 1_000)
        buffer.append(self.chunk(100, 500), written: .zero)
        #expect(buffer.run(after: self.point(100), byteCountMax: 120)?.bytes.count == 500)
    }

    @Test func `what is not written yet is kept, whatever the bound says`() {
        var buffer = TailBuffer(byteCountMax: 60)
        buffer.append(self.chunk(100, 50), written: .zero)
        buffer.append(self.chunk(150, 50), written: .zero)
        #expect(buffer.chunk(after: self.point(100)) != nil)
        buffer.shrink(written: Position(0, 150))
        #expect(buffer.chunk(after: self.point(100)) == nil)
        #expect(buffer.chunk(after: self.point(150)) != nil)
        #expect(buffer.byteCount == 50)
    }

    @Test func `a truncation removes every chunk that reaches beyond it`() {
        var buffer = TailBuffer(byteCountMax: 1_000)
        buffer.append(self.chunk(100, 50), written: .zero)
        buffer.append(self.chunk(150, 50), written: .zero)
        buffer.truncate(to: self.point(170))
        #expect(buffer.chunk(after: self.point(150)) == nil)
        #expect(buffer.chunk(after: self.point(100)) != nil)
    }

    @Test func `what was cut away between two chunks is not jumped over`() {
        var buffer = TailBuffer(byteCountMax: 1_000)
        for start in [UInt32(100), 150] { buffer.append(self.chunk(start, 50), written: .zero) }
        buffer.truncate(to: self.point(170))
        buffer.append(self.chunk(170, 50), written: .zero)
        #expect(buffer.run(after: self.point(100), byteCountMax: 1_000)?.end == self.point(150))
        #expect(buffer.run(after: self.point(170), byteCountMax: 1_000)?.end == self.point(220))
    }

    @Test func `a point of another term is not continued`() {
        var buffer = TailBuffer(byteCountMax: 1_000)
        buffer.append(self.chunk(100, 50), written: .zero)
        #expect(buffer.chunk(after: LogPoint(term: Term(2), position: Position(0, 100))) == nil)
    }
}
