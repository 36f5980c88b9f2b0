import CZlib
import LogModel

/// One zlib stream that is made piece by piece, for bodies that are never in memory as a whole.
///
/// From any thread, one call at a time; hence `@unchecked Sendable`: zlib's state is behind a pointer.
package final class DeflateStream: @unchecked Sendable {
    /// On the heap, since zlib's state points back to it and it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private var isFinished = false

    /// - Parameter level: 1 ... 9.
    package init(level: Int32 = RangeCodecLimits.level) {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        let code = deflateInit_(self.stream, level, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(code == Z_OK, "deflateInit: \(code)")
    }

    deinit {
        deflateEnd(self.stream)
        self.stream.deinitialize(count: 1)
        self.stream.deallocate()
    }

    /// Deflates the next piece.
    ///
    /// - Parameter isLast: Ends the stream; nothing may follow.
    /// - Returns: What can be sent by now; empty when zlib keeps it for the next piece.
    package func append(_ raw: RawSpan, isLast: Bool) -> [UInt8] {
        precondition(!self.isFinished && raw.byteCount <= Int(UInt32.max), "behind the end, or beyond zlib's counters")
        self.isFinished = isLast
        // Room for all of it and for what was kept: one call does.
        let byteCountMax = Int(deflateBound(self.stream, UInt(raw.byteCount))) + RangeCodecLimits.keptByteCountMax
        return [UInt8](unsafeUninitializedCapacity: byteCountMax) { buffer, count in
            let code = raw.withUnsafeBytes { source in
                self.stream.pointee.next_in = UnsafeMutablePointer(
                    mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self))
                self.stream.pointee.avail_in = UInt32(source.count)
                self.stream.pointee.next_out = buffer.baseAddress
                self.stream.pointee.avail_out = UInt32(byteCountMax)
                return CZlib.deflate(self.stream, isLast ? Z_FINISH : Z_NO_FLUSH)
            }
            precondition(
                code == (isLast ? Z_STREAM_END : Z_OK) && self.stream.pointee.avail_in == 0, "deflate: \(code)")
            count = byteCountMax - Int(self.stream.pointee.avail_out)
        }
    }
}
