import LogModel
import SegmentFormat

/// Walks one segment file frame by frame, checking everything that its bytes alone can tell.
struct SegmentWalk {
    struct Frame {
        var offset: Int
        var header: FrameHeader
        var bytes: Bytes
    }

    /// Why a walk stopped.
    enum Stop: Equatable {
        case endOfFile
        /// Zeros: space that was preallocated and not used. `looseByteCount` bytes behind are not zero.
        case zeros(looseByteCount: Int)
        case defect(FrameDefect)
    }

    let file: FileWindow
    private(set) var chain: FrameChain
    private(set) var frameCount = 0
    private(set) var recordCount = 0
    private(set) var header: SegmentHeader?

    /// - Parameter chain: Ends with the segment before; `nil` trusts the segment's own header about that.
    init(_ path: String, after chain: FrameChain?) throws(CommandFailure) {
        self.file = try FileWindow(path)
        self.chain = chain ?? FrameChain(empty: ClusterID(high: 0, low: 0))
        if chain == nil { try self.trustHeader() }
    }

    /// The position up to which all is good.
    var offset: Int { Int(self.chain.tail.offset) }

    mutating func run(_ each: (Frame) -> Bool = { _ in true }) throws(CommandFailure) -> Stop {
        let start = try self.file.bytes(at: 0, count: SegmentHeader.byteCount)
        do throws(FrameDefect) {
            self.header = try self.chain.acceptSegmentHeader(start.span.bytes)
        } catch {
            return .defect(error)
        }
        while self.offset < self.file.byteCount {
            let offset = self.offset
            do throws(FrameDefect) {
                let bytes = try self.frame(at: offset)
                guard let header = try self.chain.accept(bytes.span.bytes) else {
                    return .zeros(looseByteCount: try self.loose(from: offset))
                }
                self.frameCount += 1
                self.recordCount += Int(header.recordCount)
                guard each(Frame(offset: offset, header: header, bytes: bytes.prefix(Int(header.length)))) else {
                    return .endOfFile
                }
            } catch {
                return .defect(error)
            }
        }
        return .endOfFile
    }

    /// The bytes of the frame at `offset`, or as many as there are. What cannot be read is like a short file.
    private func frame(at offset: Int) throws(FrameDefect) -> Bytes {
        let head = (try? self.file.bytes(at: offset, count: FrameHeader.producerByteCount)) ?? []
        guard head.count >= FrameHeader.byteCount else {
            // Less than a frame is left: zeros end the data, anything else is a torn frame.
            guard head.allSatisfy({ $0 == 0 }) else {
                throw .format(.truncated(needed: FrameHeader.byteCount, available: head.count))
            }
            return Bytes(repeating: 0, count: FrameHeader.byteCount)
        }
        guard let header = try? FrameHeader.decode(head.span.bytes), Int(header.length) > head.count else {
            return head
        }
        return (try? self.file.bytes(at: offset, count: Int(header.length))) ?? []
    }

    private func loose(from offset: Int) throws(FrameDefect) -> Int {
        ((try? self.file.endOfNonZero(from: offset)) ?? offset) - offset
    }

    private mutating func trustHeader() throws(CommandFailure) {
        let start = try self.file.bytes(at: 0, count: SegmentHeader.byteCount)
        guard let header = try? SegmentHeader.decode(start.span.bytes), header.segment > .first else {
            if let header = try? SegmentHeader.decode(start.span.bytes) {
                self.chain = FrameChain(empty: header.cluster)
            }
            return
        }
        self.chain = FrameChain(
            cluster: header.cluster, tail: Position(header.segment.rawValue - 1, header.previousLength),
            previousChecksum: header.previousChecksum, nextIndex: header.firstIndex, term: .zero, timestamp: .zero)
    }
}
