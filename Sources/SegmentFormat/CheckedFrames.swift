/// How far bytes are whole frames that follow each other: both checksums of each, and the chain between them.
///
/// Made in one pass, without a value for each frame; what readers run on everything they read.
package struct CheckedFrames: Sendable {
    package enum Stop: Hashable, Sendable {
        case endOfBytes
        /// A frame begins that is cut short; it needs so many bytes, or more once its header is there.
        case incomplete(needed: Int)
        /// Nothing from here on can be trusted.
        case defect(FrameDefect)
    }

    /// Where the last good frame ends.
    package private(set) var end: Int
    package private(set) var frameCount = 0
    /// Header checksum of the last good frame, or what was given.
    package private(set) var previous: UInt32?
    package private(set) var stop = Stop.endOfBytes

    /// - Parameters:
    ///   - start: Where in `bytes` the first frame begins.
    ///   - previous: The header checksum that the first frame must name; `nil` takes any.
    package init(_ bytes: RawSpan, from start: Int, after previous: UInt32?) {
        self.end = start
        self.previous = previous
        while self.end < bytes.byteCount {
            do throws(FrameDefect) {
                guard try self.step(bytes.extracting(droppingFirst: self.end)) else { return }
            } catch {
                self.stop = .defect(error)
                return
            }
        }
    }

    private mutating func step(_ bytes: RawSpan) throws(FrameDefect) -> Bool {
        let headerByteCount: Int
        do throws(FormatError) {
            headerByteCount = try FrameHeader.check(bytes)
        } catch {
            guard case .truncated(let needed, _) = error else { throw .format(error) }
            self.stop = .incomplete(needed: needed)
            return false
        }
        guard headerByteCount > 0 else { throw .endOfData }
        let found = bytes.load(UInt32.self, at: 12)
        if let expected = self.previous, found != expected { throw .brokenChain(expected: expected, found: found) }
        let length = Int(bytes.load(UInt32.self, at: 0))
        guard length <= bytes.byteCount else {
            self.stop = .incomplete(needed: length)
            return false
        }
        let stored = bytes.load(UInt32.self, at: 8)
        let computed = CRC32C.checksum(bytes.extracting(headerByteCount..<length))
        guard computed == stored else { throw .payloadChecksum(stored: stored, computed: computed) }
        self.end += length
        self.frameCount += 1
        self.previous = bytes.load(UInt32.self, at: 4)
        return true
    }
}
