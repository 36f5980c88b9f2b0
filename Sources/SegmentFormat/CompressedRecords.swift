import LogModel
import RangeCodec

/// The payload of a frame with ``FrameFlags/compressed``.
///
///     raw byte count varint | one zlib stream (RFC 1950) of the records
///
/// The payload's checksum covers these bytes, not the records. Golden bytes: CompressedRecordsTests.
package enum CompressedRecords {
    /// - Parameter level: 1 ... 9.
    /// - Returns: `nil` when the payload would not be shorter than `records`.
    package static func deflate(_ records: RawSpan, level: Int) -> [UInt8]? {
        precondition(FormatLimits.compressionLevels.contains(level), "level \(level)")
        let count = records.byteCount
        var deflater = Deflater(level: Int32(level), rawByteCountMax: count)
        if count >= FormatLimits.compressionSampledByteCountMin {
            let sample = FormatLimits.compressionSampleByteCount
            let sampleMax = sample * FormatLimits.compressionSampleKeepPercentMax / 100
            guard deflater.deflate(records.extracting(..<sample), byteCountMax: sampleMax) != nil else { return nil }
        }
        let prefix = Varint.byteCount(UInt64(count))
        guard let stream = deflater.deflate(records, byteCountMax: count - prefix - 1) else { return nil }
        var payload = [UInt8]()
        payload.reserveCapacity(prefix + stream.count)
        Varint.append(UInt64(count), to: &payload)
        payload += stream
        return payload
    }

    /// The records' bytes.
    ///
    /// - Throws: ``FormatError/badRawByteCount``, ``FormatError/badCompression(_:)``. The announced length is judged
    ///   before anything is allocated; never more than that is, whatever the stream holds.
    package static func inflate(_ payload: RawSpan) throws(FormatError) -> [UInt8] {
        guard let announced = Varint.decode(payload, at: 0) else { throw .badRawByteCount }
        let limit = FormatLimits.frameByteCountMax
        guard announced.value <= limit else {
            throw .badCompression(.tooLarge(announced: Int(clamping: announced.value), max: limit))
        }
        let stream = payload.extracting(droppingFirst: announced.end)
        let count = Int(announced.value)
        guard count <= stream.byteCount * RangeCodecLimits.inflationRatioMax else {
            throw .badCompression(.implausible(announced: count, byteCount: stream.byteCount))
        }
        var inflater = Inflater()
        do throws(RangeError) {
            return try inflater.inflate(stream, rawByteCount: count)
        } catch {
            throw .badCompression(error)
        }
    }
}
