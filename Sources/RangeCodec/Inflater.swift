import CZlib
import LogModel

/// One zlib decompressor, used again and again.
package struct Inflater: ~Copyable {
    /// On the heap, since zlib's state points back to it and it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    package init() {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        let code = inflateInit_(self.stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(code == Z_OK, "inflateInit: \(code)")
    }

    deinit {
        inflateEnd(self.stream)
        self.stream.deinitialize(count: 1)
        self.stream.deallocate()
    }

    /// - Parameter rawByteCount: The exact length of the result; the caller has bounded it.
    /// - Throws: ``RangeError``. At most `rawByteCount` bytes were allocated and written, whatever `body` says.
    package mutating func inflate(_ body: RawSpan, rawByteCount: Int) throws(RangeError) -> [UInt8] {
        precondition(body.byteCount <= Int(UInt32.max) && rawByteCount <= Int(UInt32.max), "beyond zlib's counters")
        precondition(inflateReset(self.stream) == Z_OK, "inflateReset")
        var code = Z_OK
        // The C edge: zlib reads and writes through these pointers within the closure only. One byte at least,
        // since zlib wants an address even when it may not write.
        let out = [UInt8](unsafeUninitializedCapacity: max(1, rawByteCount)) { buffer, count in
            code = body.withUnsafeBytes { source in
                self.stream.pointee.next_in = UnsafeMutablePointer(
                    mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self))
                self.stream.pointee.avail_in = UInt32(source.count)
                self.stream.pointee.next_out = buffer.baseAddress
                self.stream.pointee.avail_out = UInt32(rawByteCount)
                return CZlib.inflate(self.stream, Z_FINISH)
            }
            count = rawByteCount - Int(self.stream.pointee.avail_out)
        }
        switch code {
        case Z_STREAM_END: break
        case Z_OK, Z_BUF_ERROR: throw out.count < rawByteCount ? .truncated : .wrongLength(announced: rawByteCount)
        default: throw .corrupt(code: code)
        }
        guard out.count == rawByteCount else { throw .wrongLength(announced: rawByteCount) }
        let trailing = Int(self.stream.pointee.avail_in)
        guard trailing == 0 else { throw .trailingBytes(trailing) }
        return out
    }
}
