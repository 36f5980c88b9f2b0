import LogModel

/// A struct with a binary form, little-endian; equal values are equal bytes.
package protocol WireMessage: Hashable, Sendable {
    func encode(into bytes: inout [UInt8])
    init(reading reader: inout WireReader) throws(WireError)
}

/// A message that states the version of the peer protocol: the one on which the two nodes of its stream agreed.
package protocol VersionedWireMessage: Hashable, Sendable {
    func encode(into bytes: inout [UInt8], version: UInt16)
    /// - Throws: ``WireError/otherVersion(stated:agreed:)`` when it states another one.
    init(reading reader: inout WireReader, version: UInt16) throws(WireError)
}

extension VersionedWireMessage {
    /// - Throws: ``WireError``; bytes behind the value are refused.
    static func decode(_ bytes: Bytes, version: UInt16) throws(WireError) -> Self {
        try WireReader.whole(bytes) { (reader) throws(WireError) in try Self(reading: &reader, version: version) }
    }
}

extension WireMessage {
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        self.encode(into: &bytes)
        return bytes
    }

    /// - Throws: ``WireError``; bytes behind the value are refused.
    package static func decode(_ bytes: Bytes) throws(WireError) -> Self {
        try WireReader.whole(bytes) { (reader) throws(WireError) in try Self(reading: &reader) }
    }
}
