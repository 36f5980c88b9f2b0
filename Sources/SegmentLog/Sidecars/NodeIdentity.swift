import LogModel
import SegmentFormat

/// Whose directory this is: the file IDENTITY, text that a person can read, guarded by a checksum.
///
///     holdfast identity 1
///     cluster 00112233445566778899aabbccddeeff      (or: none)
///     node 3
///     incarnation 9f3c5a7700000001
///     generation 1
///     starts 17
///     crc32c 1a2b3c4d                               (of all lines above)
package struct NodeIdentity: Hashable, Sendable {
    /// `nil` until a log was formed here.
    package var cluster: ClusterID?
    package var node: NodeID
    package var incarnation: Incarnation
    package var generation: UInt32
    /// How often the directory was opened; durable before anything is answered.
    package var starts: UInt64

    package init(
        cluster: ClusterID?, node: NodeID, incarnation: Incarnation, generation: UInt32, starts: UInt64
    ) {
        self.cluster = cluster
        self.node = node
        self.incarnation = incarnation
        self.generation = generation
        self.starts = starts
    }

    static let byteCountMax = 1024

    package func encoded() -> [UInt8] {
        let text = """
            holdfast identity 1
            cluster \(self.cluster?.description ?? "none")
            node \(self.node)
            incarnation \(Self.hexadecimal(self.incarnation.rawValue, digits: 16))
            generation \(self.generation)
            starts \(self.starts)

            """
        let bytes = Array(text.utf8)
        let checksum = CRC32C.checksum(bytes.span.bytes)
        return bytes + Array("crc32c \(Self.hexadecimal(UInt64(checksum), digits: 8))\n".utf8)
    }

    /// - Returns: `nil` for anything that ``encoded()`` does not write.
    package init?(decoding bytes: [UInt8]) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let values = lines.map { line in line.split(separator: " ", maxSplits: 1).last.map(String.init) ?? "" }
        guard
            values.count == 8,
            let node = UInt32(values[2]), let incarnation = UInt64(values[3], radix: 16),
            let generation = UInt32(values[4]), let starts = UInt64(values[5])
        else { return nil }
        self.init(
            cluster: ClusterID(values[1]), node: NodeID(node), incarnation: Incarnation(incarnation),
            generation: generation, starts: starts
        )
        // Only one spelling is right, and the checksum is part of it.
        guard self.encoded() == bytes else { return nil }
    }

    private static func hexadecimal(_ number: UInt64, digits: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
