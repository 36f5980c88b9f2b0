/// An error as the server tells it (`application/problem+json`, RFC 9457).
public struct ProblemDocument: Codable, Hashable, Sendable {
    /// Whether an append is in the log although it was not acknowledged as it was asked.
    public enum Applied: String, Codable, Sendable {
        case no
        case unknown
        /// It is, and stays; what was asked beyond that did not happen.
        case yes
    }

    public var title: String
    public var status: Int
    /// `NOT_LEADER`, `QUORUM_UNAVAILABLE`, `COMMIT_TIMEOUT`, ...
    public var code: String
    public var detail: String
    /// What to do next.
    public var hint: String
    public var applied: Applied
    /// The leader's client address, when it is known.
    public var leader: String?
    /// With `TRIMMED`: the first index that is still there.
    public var firstIndex: UInt64?
    /// With `CONDITION_FAILED`, and with `BEHIND` as far as the node knows: the index that the next record takes.
    public var nextIndex: UInt64?
    /// With `FENCED`: the log's token.
    public var fencingToken: UInt64?
    /// With `PRODUCER_GAP`: the sequence that must come next.
    public var expectedSequence: UInt64?
    /// With `NOT_BY_ALL`: where the records stand, and by how many nodes.
    public var receipt: AppendReceipt?
    public var requestID: String

    public init(
        title: String, status: Int, code: String, detail: String, hint: String, applied: Applied = .no,
        leader: String? = nil, firstIndex: UInt64? = nil, nextIndex: UInt64? = nil, fencingToken: UInt64? = nil,
        expectedSequence: UInt64? = nil, receipt: AppendReceipt? = nil, requestID: String = ""
    ) {
        self.title = title
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.applied = applied
        self.leader = leader
        self.firstIndex = firstIndex
        self.nextIndex = nextIndex
        self.fencingToken = fencingToken
        self.expectedSequence = expectedSequence
        self.receipt = receipt
        self.requestID = requestID
    }

    private enum CodingKeys: String, CodingKey {
        case title, status, code, detail, hint, applied, leader, receipt
        case firstIndex = "first_index"
        case nextIndex = "next_index"
        case fencingToken = "fencing_token"
        case expectedSequence = "expected_sequence"
        case requestID = "request_id"
    }
}

extension ProblemDocument {
    /// One line, keys sorted.
    package var json: [UInt8] { JSONDocument.encode(self) }

    package init?(json: some Sequence<UInt8>) {
        guard let document = JSONDocument.decode(Self.self, from: json) else { return nil }
        self = document
    }
}
