import LogModel

/// Whose directory this is: the file IDENTITY, text that a person can read, guarded by a checksum.
///
///     holdfast identity 1
///     cluster 00112233445566778899aabbccddeeff      (or: none)
///     node 3
///     incarnation 9f3c5a7700000001
///     generation 1
///     starts 17
///     lives 4b0c77d2a1e95f30 8d21...                (of the last starts, the newest first; or: none)
///     crc32c 1a2b3c4d                               (of all lines above)
package struct NodeIdentity: Hashable, Sendable {
    /// `nil` until a log was formed here.
    package var cluster: ClusterID?
    package var node: NodeID
    package var incarnation: Incarnation
    package var generation: UInt32
    /// How often the directory was opened; durable before anything is answered.
    package var starts: UInt64
    /// At most ``MemberStart/livesMax``.
    package var lives: [Life]

    package init(
        cluster: ClusterID?, node: NodeID, incarnation: Incarnation, generation: UInt32, starts: UInt64,
        lives: [Life] = []
    ) {
        self.cluster = cluster
        self.node = node
        self.incarnation = incarnation
        self.generation = generation
        self.starts = starts
        self.lives = lives
    }

    static let byteCountMax = 1024

    package var member: Member { Member(node: self.node, incarnation: self.incarnation) }

    /// The directory is opened once more.
    mutating func started(_ life: Life) {
        self.starts += 1
        self.lives = [life] + self.lives.prefix(MemberStart.livesMax - 1)
    }

    package func encoded() -> [UInt8] {
        let lives = self.lives.map { ChecksummedText.hexadecimal($0.rawValue) }.joined(separator: " ")
        return ChecksummedText.encode([
            "holdfast identity 1",
            "cluster \(self.cluster?.description ?? "none")",
            "node \(self.node)",
            "incarnation \(ChecksummedText.hexadecimal(self.incarnation.rawValue))",
            "generation \(self.generation)",
            "starts \(self.starts)",
            "lives \(lives.isEmpty ? "none" : lives)",
        ])
    }

    /// - Returns: `nil` for anything that ``encoded()`` does not write.
    package init?(decoding bytes: [UInt8]) {
        guard let lines = ChecksummedText.lines(of: bytes), lines.count == 7 else { return nil }
        let values = lines.map { line in line.split(separator: " ", maxSplits: 1).last.map(String.init) ?? "" }
        guard
            let node = UInt32(values[2]), let incarnation = UInt64(values[3], radix: 16),
            let generation = UInt32(values[4]), let starts = UInt64(values[5])
        else { return nil }
        let lives = values[6].split(separator: " ").compactMap { UInt64($0, radix: 16) }.map { Life($0) }
        guard lives.count <= MemberStart.livesMax else { return nil }
        self.init(
            cluster: ClusterID(values[1]), node: NodeID(node), incarnation: Incarnation(incarnation),
            generation: generation, starts: starts, lives: lives
        )
        // Only one spelling is right, and the checksum is part of it.
        guard self.encoded() == bytes else { return nil }
    }
}
