import LogModel

/// A struct with a binary form, little-endian; equal values are equal bytes.
package protocol WireMessage: Hashable, Sendable {
    func encode(into bytes: inout [UInt8])
    init(reading reader: inout WireReader) throws(WireError)
}

extension WireMessage {
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        self.encode(into: &bytes)
        return bytes
    }

    /// - Throws: ``WireError``; bytes behind the value are refused.
    package static func decode(_ bytes: Bytes) throws(WireError) -> Self {
        var reader = WireReader(bytes)
        let value = try Self(reading: &reader)
        try reader.finish()
        return value
    }
}
