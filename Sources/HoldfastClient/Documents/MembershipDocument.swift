/// Who receives the log, and who votes: the answer of `/admin/v1/members`.
public struct MembershipDocument: Codable, Hashable, Sendable {
    public struct Learner: Codable, Hashable, Sendable {
        public var node: UInt32
        /// Becomes a voter as soon as it is level.
        public var isPromoted: Bool
        /// The voter that leaves then.
        public var replaces: UInt32?

        public init(node: UInt32, isPromoted: Bool, replaces: UInt32?) {
            self.node = node
            self.isPromoted = isPromoted
            self.replaces = replaces
        }

        private enum CodingKeys: String, CodingKey {
            case node, replaces
            case isPromoted = "promote"
        }
    }

    /// While voters change, those to come.
    public var voters: [UInt32]
    /// While voters change, those before; else empty.
    public var outgoing: [UInt32]
    public var learners: [Learner]

    public init(voters: [UInt32], outgoing: [UInt32], learners: [Learner]) {
        self.voters = voters
        self.outgoing = outgoing
        self.learners = learners
    }

    /// No change is under way: nobody leaves, and no learner is to be promoted.
    public var isSettled: Bool { self.outgoing.isEmpty && !self.learners.contains(where: \.isPromoted) }
}
