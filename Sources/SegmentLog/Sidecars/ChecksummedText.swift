import SegmentFormat

/// A small file that a person can read: a heading, lines, and a checksum of all lines above it.
enum ChecksummedText {
    private static let checksumName = "crc32c "

    static func encode(_ lines: [String]) -> [UInt8] {
        let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
        let checksum = CRC32C.checksum(bytes.span.bytes)
        return bytes + Array("\(Self.checksumName)\(Self.hexadecimal(UInt64(checksum), digits: 8))\n".utf8)
    }

    /// The lines above the checksum; whether that is right the caller finds by encoding what they mean.
    static func lines(of bytes: [UInt8]) -> [Substring]? {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, lines.last == "", lines[lines.count - 2].hasPrefix(Self.checksumName) else {
            return nil
        }
        return Array(lines.dropLast(2))
    }

    /// Of a fixed width, so that each number has one spelling.
    static func hexadecimal(_ number: UInt64, digits: Int = 16) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
