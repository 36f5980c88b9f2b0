import CZlib
import LogModel

/// One zlib compressor, used again and again; its state costs 256 KiB, less for short inputs.
package struct Deflater: ~Copyable {
    /// On the heap, since zlib's state points back to it and it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameters:
    ///   - level: 1 ... 9.
    ///   - rawByteCountMax: Longer inputs are deflated as well, though not as small.
    package init(level: Int32 = RangeCodecLimits.level, rawByteCountMax: Int = .max) {
        // A window larger than the input only costs memory to clear. zlib has windows of 2^9 ... 2^15 bytes, and 8 is
        // its own memory level for the largest.
        let windowBits = Int32(min(max(Int.bitWidth - (rawByteCountMax - 1).leadingZeroBitCount, 9), 15))
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        let code = deflateInit2_(
            self.stream, level, Z_DEFLATED, windowBits, windowBits - 7, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        precondition(code == Z_OK, "deflateInit: \(code)")
    }

    deinit {
        deflateEnd(self.stream)
        self.stream.deinitialize(count: 1)
        self.stream.deallocate()
    }

    /// - Returns: The whole stream; `nil` when it would take more than `byteCountMax` bytes.
    package mutating func deflate(_ raw: RawSpan, byteCountMax: Int) -> [UInt8]? {
        guard byteCountMax > 0 else { return nil }
        precondition(raw.byteCount <= Int(UInt32.max) && byteCountMax <= Int(UInt32.max), "beyond zlib's counters")
        precondition(deflateReset(self.stream) == Z_OK, "deflateReset")
        var code = Z_OK
        // The C edge: zlib reads and writes through these pointers within the closure only.
        let out = [UInt8](unsafeUninitializedCapacity: byteCountMax) { buffer, count in
            code = raw.withUnsafeBytes { source in
                self.stream.pointee.next_in = UnsafeMutablePointer(
                    mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self))
                self.stream.pointee.avail_in = UInt32(source.count)
                self.stream.pointee.next_out = buffer.baseAddress
                self.stream.pointee.avail_out = UInt32(byteCountMax)
                return CZlib.deflate(self.stream, Z_FINISH)
            }
            count = code == Z_STREAM_END ? byteCountMax - Int(self.stream.pointee.avail_out) : 0
        }
        precondition(code == Z_STREAM_END || code == Z_OK || code == Z_BUF_ERROR, "deflate: \(code)")
        return code == Z_STREAM_END ? out : nil
    }
}
