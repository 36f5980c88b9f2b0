import LogModel

/// Chooses how a range travels, and makes its body.
package struct RangeEncoder: ~Copyable {
    private var deflater = Deflater()

    package init() {}

    /// - Returns: The body and how it is encoded. With `identity` it is `raw` itself; a body is never longer than
    ///   `raw`.
    /// - Complexity: With `auto`, incompressible bytes cost the deflating of one sample.
    package mutating func encode(_ raw: Bytes, mode: RangeEncodingMode) -> (encoding: BodyEncoding, body: Bytes) {
        switch mode {
        case .identity: return (.identity, raw)
        case .deflate: break
        case .auto: guard self.pays(raw) else { return (.identity, raw) }
        }
        guard let body = self.deflater.deflate(raw.span.bytes, byteCountMax: raw.count - 1) else {
            return (.identity, raw)
        }
        return (.deflate, body[...])
    }

    private mutating func pays(_ raw: Bytes) -> Bool {
        guard raw.count >= RangeCodecLimits.autoByteCountMin else { return false }
        let count = RangeCodecLimits.sampleByteCount
        let start = (raw.count - count) / 2
        let sample = raw.span.bytes.extracting(start..<start + count)
        let byteCountMax = count * RangeCodecLimits.sampleKeepPercentMax / 100
        return self.deflater.deflate(sample, byteCountMax: byteCountMax) != nil
    }
}

/// Makes a range's bytes from its body.
package struct RangeDecoder: ~Copyable {
    private var inflater = Inflater()

    package init() {}

    /// - Parameters:
    ///   - rawByteCount: What the sender announced; the result has exactly this length.
    ///   - limit: What the receiver takes at most.
    /// - Returns: With `identity` the body itself, sharing storage.
    /// - Throws: ``RangeError``; lengths are judged before anything is allocated.
    package mutating func decode(
        _ body: Bytes, encoding: BodyEncoding, rawByteCount: Int, limit: Int
    ) throws(RangeError) -> Bytes {
        guard rawByteCount <= limit else { throw .tooLarge(announced: rawByteCount, max: limit) }
        switch encoding {
        case .identity:
            guard body.count == rawByteCount else { throw .wrongLength(announced: rawByteCount) }
            return body
        case .deflate:
            let most = body.count * RangeCodecLimits.inflationRatioMax
            guard rawByteCount >= 0, rawByteCount <= most else {
                throw .implausible(announced: rawByteCount, byteCount: body.count)
            }
            return try self.inflater.inflate(body.span.bytes, rawByteCount: rawByteCount)[...]
        }
    }
}
