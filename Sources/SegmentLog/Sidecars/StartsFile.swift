import LogModel

/// The file STARTS: the latest starts of peers that this node has seen, text that a person can read.
///
///     holdfast starts 1
///     node 2 incarnation 9f3c5a7700000001 starts 17 life 4b0c77d2a1e95f30       (ascending)
///     crc32c 1a2b3c4d                                                           (of all lines above)
///
/// Written when a peer starts again, and only then. Unreadable or lost, it is as good as empty: a peer whose directory
/// was put back meanwhile goes unnoticed here, and not by the others. One caller at a time.
package final class StartsFile: Sendable {
    private static let heading = "holdfast starts 1"
    static let byteCountMax = 16 << 10

    private let files: LogFiles
    /// What it said when it was opened; `nil` when it was unreadable.
    package let found: [StartSighting]?

    init(_ files: LogFiles) throws(LogError) {
        self.files = files
        let bytes = try files.contents(LogFiles.starts, byteCountMax: Self.byteCountMax)
        self.found = bytes.map { Self.decode($0) } ?? []
    }

    /// Makes them durable. Cost: one file written, two syncs.
    ///
    /// - Throws: ``LogError/noSpace``: the old file is there. ``LogError/storage(_:)``: one of them.
    package func store(_ sightings: [StartSighting]) throws(LogError) {
        try self.files.replace(LogFiles.starts, with: Self.encode(sightings))
    }

    static func encode(_ sightings: [StartSighting]) -> [UInt8] {
        let lines = sightings.sorted { $0.member < $1.member }.map { seen in
            "node \(seen.member.node) incarnation \(ChecksummedText.hexadecimal(seen.member.incarnation.rawValue))"
                + " starts \(seen.starts) life \(ChecksummedText.hexadecimal(seen.life.rawValue))"
        }
        return ChecksummedText.encode([Self.heading] + lines)
    }

    /// - Returns: `nil` for anything that ``encode(_:)`` does not write.
    static func decode(_ bytes: [UInt8]) -> [StartSighting]? {
        guard let lines = ChecksummedText.lines(of: bytes) else { return nil }
        let sightings = lines.dropFirst().compactMap { line -> StartSighting? in
            let words = line.split(separator: " ")
            guard words.count == 8, let node = UInt32(words[1]), let incarnation = UInt64(words[3], radix: 16),
                let starts = UInt64(words[5]), let life = UInt64(words[7], radix: 16)
            else { return nil }
            return StartSighting(
                member: Member(node: NodeID(node), incarnation: Incarnation(incarnation)), starts: starts,
                life: Life(life))
        }
        return Self.encode(sightings) == bytes ? sightings : nil
    }
}
