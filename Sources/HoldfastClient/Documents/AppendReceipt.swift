import LogModel

/// An acknowledgement: where the records stand, what is vouched for, and by how many.
public struct AppendReceipt: Hashable, Sendable {
    public var first: LogIndex
    public var last: LogIndex
    /// Of the frame that holds the records: the same on every node.
    public var position: Position
    public var term: Term
    public var durability: Durability
    /// How many voters the leader knew to have the records, as ``durability`` says, when it acknowledged them.
    ///
    /// At least a quorum, but for an append that was repeated at a leader that does not know the others yet.
    public var nodes: Int
    /// How many voters there were.
    public var voters: Int
    /// An earlier attempt had been applied; nothing was appended again.
    public var isDuplicate: Bool

    public init(
        first: LogIndex, last: LogIndex, position: Position, term: Term, durability: Durability, nodes: Int,
        voters: Int, isDuplicate: Bool
    ) {
        self.first = first
        self.last = last
        self.position = position
        self.term = term
        self.durability = durability
        self.nodes = nodes
        self.voters = voters
        self.isDuplicate = isDuplicate
    }

    /// `{"first":1,"last":1,"position":"0:64","term":1,"durability":"persisted","nodes":2,"voters":3}`
    package var json: [UInt8] {
        var writer = JSONWriter(reserving: 128)
        writer.object {
            $0.member("first", self.first.rawValue)
            $0.member("last", self.last.rawValue)
            $0.member("position", self.position.description)
            $0.member("term", self.term.rawValue)
            $0.member("durability", self.durability.rawValue)
            $0.member("nodes", self.nodes)
            $0.member("voters", self.voters)
        }
        writer.endLine()
        return writer.bytes
    }

    package init?(json: some Sequence<UInt8>, isDuplicate: Bool) {
        guard var receipt = JSONDocument.decode(Self.self, from: json) else { return nil }
        receipt.isDuplicate = isDuplicate
        self = receipt
    }
}

/// The same document inside others; that nothing was appended again is said by a header, or by nobody.
extension AppendReceipt: Codable {
    private struct Document: Codable {
        var first: UInt64
        var last: UInt64
        var position: String
        var term: UInt64
        var durability: String
        var nodes: Int
        var voters: Int
    }

    public init(from decoder: any Decoder) throws {
        let document = try Document(from: decoder)
        guard let position = Position(document.position), let durability = Durability(rawValue: document.durability)
        else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "no position, or no durability"))
        }
        self.init(
            first: LogIndex(document.first), last: LogIndex(document.last), position: position,
            term: Term(document.term), durability: durability, nodes: document.nodes, voters: document.voters,
            isDuplicate: false)
    }

    public func encode(to encoder: any Encoder) throws {
        try Document(
            first: self.first.rawValue, last: self.last.rawValue, position: self.position.description,
            term: self.term.rawValue, durability: self.durability.rawValue, nodes: self.nodes, voters: self.voters
        ).encode(to: encoder)
    }
}
