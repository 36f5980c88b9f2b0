import HTTP2Session
import Testing

@Suite struct FrameScannerTests {
    private func head(_ type: UInt8, length: Int, stream: UInt8 = 1) -> [UInt8] {
        [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), type, 0xff, 0, 0, 0, stream]
    }

    /// What each of the pieces tells.
    private func scan(_ bytes: [UInt8], cutEvery cut: Int, preface: Int = 0) -> [FrameTally] {
        var scanner = FrameScanner(prefaceByteCount: preface)
        return stride(from: 0, to: bytes.count, by: cut).map { start in
            bytes[start..<min(start + cut, bytes.count)].withUnsafeBytes { scanner.scan($0) }
        }
    }

    private func counts(_ tallies: [FrameTally]) -> [Int] {
        [\FrameTally.otherCount, \.dataCount, \.dataByteCount].map { part in
            tallies.reduce(0) { $0 + $1[keyPath: part] }
        }
    }

    @Test func `frames are found wherever the stream is cut`() {
        // Payloads that look like heads, and every length up to two of them.
        var bytes = [UInt8](repeating: 0, count: 24)
        for length in 0...18 {
            bytes += self.head(UInt8(length % 3), length: length) + [UInt8](repeating: 0, count: length)
        }
        // Those of 3, 6 ... 18 bytes are DATA, of less than counts for the least each; the one without bytes is none.
        for cut in 1...bytes.count {
            #expect(
                self.counts(self.scan(bytes, cutEvery: cut, preface: 24)) == [13, 6, 6 * FrameTally.dataByteCountMin],
                "cut \(cut)")
        }
    }

    @Test func `a frame counts with the last byte of its head`() {
        let bytes = self.head(0, length: 0) + self.head(6, length: 2) + [0, 0]
        let tallies = self.scan(bytes, cutEvery: 1)
        let found = tallies.indices.filter { !tallies[$0].isEmpty }
        #expect(found == [8, 17])
    }

    @Test(arguments: [1, 255, 256, 1_024, 16_384, 65_536, 1 << 24 - 1])
    func `payloads are skipped by their length`(length: Int) {
        let bytes = self.head(0, length: length) + [UInt8](repeating: 0, count: length) + self.head(6, length: 0)
        for cut in [bytes.count, 65_536, 4_093] {
            #expect(self.counts(self.scan(bytes, cutEvery: cut)) == [1, 1, max(length, FrameTally.dataByteCountMin)])
        }
    }

    @Test func `nothing is found before the preface is over`() {
        let bytes = [UInt8](repeating: 0, count: 23)
        #expect(self.counts(self.scan(bytes, cutEvery: 5, preface: 24)) == [0, 0, 0])
        #expect(self.scan([], cutEvery: 1) == [])
    }

    @Test func `what is told is taken away from what there is`() {
        var (all, told) = (FrameTally(), FrameTally())
        for length in [10, 5_000] { all.add(type: 0, payloadByteCount: length) }
        all.add(type: 6, payloadByteCount: 8)
        told.add(type: 0, payloadByteCount: 5_000)
        told.add(type: 6, payloadByteCount: 8)
        let rest = all - told
        #expect(
            !rest.isEmpty && rest.otherCount == 0 && rest.dataCount == 1
                && rest.dataByteCount == FrameTally.dataByteCountMin)
        #expect((all - all).isEmpty && (FrameTally() - all).isEmpty)
    }
}
