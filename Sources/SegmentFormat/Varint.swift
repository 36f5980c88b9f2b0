/// LEB128: seven bits a byte, lowest first; the shortest form is the only one, so that equal values are equal bytes.
package enum Varint {
    package static func byteCount(_ value: UInt64) -> Int {
        value < 0x80 ? 1 : (70 - value.leadingZeroBitCount) / 7
    }

    /// - Returns: The value and the offset behind it; `nil` when it is cut short, too long or not the shortest form.
    package static func decode(_ bytes: RawSpan, at start: Int) -> (value: UInt64, end: Int)? {
        guard start < bytes.byteCount else { return nil }
        let first = bytes.load(UInt8.self, at: start)
        if first < 0x80 { return (UInt64(first), start + 1) }
        var value = UInt64(first & 0x7f)
        var shift: UInt64 = 7
        var offset = start + 1
        while offset < bytes.byteCount {
            let byte = bytes.load(UInt8.self, at: offset)
            guard shift < 63 || byte <= 1 else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            offset += 1
            if byte < 0x80 { return byte == 0 ? nil : (value, offset) }
            shift += 7
        }
        return nil
    }

    package static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
