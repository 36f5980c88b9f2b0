import LogModel

/// An acknowledgement: where the records stand, and what is vouched for.
public struct AppendReceipt: Hashable, Sendable {
    public var first: LogIndex
    public var last: LogIndex
    /// Of the frame that holds the records: the same on every node.
    public var position: Position
    public var term: Term
    public var durability: Durability
    /// An earlier attempt had been applied; nothing was appended again.
    public var isDuplicate: Bool

    public init(
        first: LogIndex, last: LogIndex, position: Position, term: Term, durability: Durability,
        isDuplicate: Bool
    ) {
        self.first = first
        self.last = last
        self.position = position
        self.term = term
        self.durability = durability
        self.isDuplicate = isDuplicate
    }

    /// `{"first":1,"last":1,"position":"0:64","term":1,"durability":"persisted"}`
    package var json: [UInt8] {
        var writer = JSONWriter(reserving: 96)
        writer.object {
            $0.member("first", self.first.rawValue)
            $0.member("last", self.last.rawValue)
            $0.member("position", self.position.description)
            $0.member("term", self.term.rawValue)
            $0.member("durability", self.durability.rawValue)
        }
        writer.endLine()
        return writer.bytes
    }

    private struct Document: Decodable {
        var first: UInt64
        var last: UInt64
        var position: String
        var term: UInt64
        var durability: String
    }

    package init?(json: some Sequence<UInt8>, isDuplicate: Bool) {
        guard
            let document = JSONDocument.decode(Document.self, from: json),
            let position = Position(document.position),
            let durability = Durability(rawValue: document.durability)
        else { return nil }
        self.init(
            first: LogIndex(document.first), last: LogIndex(document.last), position: position,
            term: Term(document.term), durability: durability, isDuplicate: isDuplicate)
    }
}
