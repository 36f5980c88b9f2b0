import LogModel
import SegmentFormat

/// The payload of a membership frame, and a part of every checkpoint: `u8 count | (u32 node, u64 incarnation)...`,
/// ascending by node.
extension Membership {
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        self.encode(into: &bytes)
        return bytes
    }

    /// - Throws: ``LogStateError``; each node stands once, ascending.
    package init(decoding bytes: Bytes) throws(LogStateError) {
        var reader = StateReader(bytes)
        self = try Membership.read(&reader)
        try reader.finish()
    }

    func encode(into bytes: inout [UInt8]) {
        precondition(self.voters.count <= LogStateLimits.votersMax, "\(self.voters.count) voters")
        bytes.append(UInt8(self.voters.count))
        for voter in self.voters {
            bytes.append(littleEndian: voter.node.rawValue)
            bytes.append(littleEndian: voter.incarnation.rawValue)
        }
    }

    static func read(_ reader: inout StateReader) throws(LogStateError) -> Membership {
        let count = Int(try reader.integer(UInt8.self))
        guard count <= LogStateLimits.votersMax else { throw .notCanonical(.voters) }
        var voters: [Member] = []
        for _ in 0..<count {
            let node = NodeID(try reader.integer())
            let voter = Member(node: node, incarnation: Incarnation(try reader.integer()))
            if let last = voters.last, last.node >= voter.node { throw .notCanonical(.voters) }
            voters.append(voter)
        }
        return Membership(voters: voters)
    }
}
