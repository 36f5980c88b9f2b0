import LogModel
import NIOCore

/// The frames of an answer with `follow=true`: a record each, and a problem as the last one.
enum TailFrames {
    /// How many bytes of a stream whole frames take, from its beginning on.
    ///
    /// - Parameter known: What an earlier look has found.
    /// - Throws: ``FrameError/tooLong(byteCount:byteCountMax:)`` as soon as a frame announces more than any may have.
    static func wholeByteCount(of input: ByteBuffer, known: Int) throws(FrameError) -> Int {
        var end = known
        while let length = input.getInteger(at: input.readerIndex + end, endianness: .little, as: UInt32.self) {
            guard length <= RecordFrame.byteCountMax else {
                throw .tooLong(byteCount: Int(length), byteCountMax: RecordFrame.byteCountMax)
            }
            guard end + 4 + Int(length) <= input.readableBytes else { break }
            end += 4 + Int(length)
        }
        return end
    }

    /// - Parameters:
    ///   - frames: Whole ones.
    ///   - next: The index of the first record that is not known yet.
    /// - Returns: The records in front of an error, which is then `failure`.
    static func decode(_ frames: ByteBuffer, next: LogIndex) -> (records: [IndexedRecord], failure: ClientError?) {
        var (rest, records) = (frames, [IndexedRecord]())
        do throws(FrameError) {
            while let frame = try RecordFrame.next(from: &rest) {
                switch frame {
                case .failed(let problem): return (records, ClientError(problem))
                case .end: return (records, .unreachable("the server ended the stream"))
                case .record(let record):
                    // What stands in the log is gapless: this is where a gap or a repetition would show.
                    let expected = next.advanced(by: UInt64(records.count))
                    guard record.index == expected else {
                        return (records, .badAnswer("record \(record.index) instead of \(expected)"))
                    }
                    records.append(record)
                }
            }
        } catch {
            return (records, .badAnswer("a frame of a record: \(error)"))
        }
        return (records, nil)
    }
}
