/// Nodes, messages and pasts of small worlds, each once, and what each node answers to each input.
struct SmallTables {
    /// A ``SmallInput`` by numbers.
    enum Input: Hashable {
        case timedOut
        case pulsed
        case appended(Int32)
        case storedVote
        case synced
        case crashed(Int32)
        case received(Int32)
        case shipped(by: Int32)
    }

    /// A ``SmallStep`` by numbers.
    struct Step {
        var node: Int32
        var sent: [Int32]
        var facts: [SmallFact]
    }

    private struct Question: Hashable {
        var node: Int32
        var input: Input
    }

    private struct Pair: Hashable {
        var one: Int32
        var other: Int32
    }

    private(set) var nodes: [SmallNode] = []
    private(set) var messages: [SmallMessage] = []
    private(set) var pasts: [SmallPast] = []
    private var nodeNumbers: [SmallNode.Key: Int32] = [:]
    private var messageNumbers: [SmallMessage: Int32] = [:]
    private var pastNumbers: [SmallPast: Int32] = [:]
    private var steps: [Question: Step] = [:]
    /// Nodes whose logs were found to match.
    private var matching: Set<Pair> = []

    mutating func number(of node: SmallNode) -> Int32 {
        let key = node.key
        if let number = self.nodeNumbers[key] { return number }
        let number = Int32(self.nodes.count)
        self.nodes.append(node)
        self.nodeNumbers[key] = number
        return number
    }

    private mutating func number(of message: SmallMessage) -> Int32 {
        if let number = self.messageNumbers[message] { return number }
        let number = Int32(self.messages.count)
        self.messages.append(message)
        self.messageNumbers[message] = number
        return number
    }

    mutating func number(of past: SmallPast) -> Int32 {
        if let number = self.pastNumbers[past] { return number }
        let number = Int32(self.pasts.count)
        self.pasts.append(past)
        self.pastNumbers[past] = number
        return number
    }

    mutating func step(_ node: Int32, _ input: Input) -> Step {
        let question = Question(node: node, input: input)
        if let known = self.steps[question] { return known }
        let taken = self.nodes[Int(node)].after(self.spelled(input, for: node))
        let step = Step(
            node: self.number(of: taken.node), sent: taken.sent.map { self.number(of: $0) }, facts: taken.facts)
        self.steps[question] = step
        return step
    }

    private func spelled(_ input: Input, for node: Int32) -> SmallInput {
        switch input {
        case .timedOut: .timedOut
        case .pulsed: .pulsed
        case .appended(let number): .appended(Int(number))
        case .storedVote: .storedVote
        case .synced: .synced
        case .crashed(let way): .crashed(self.nodes[Int(node)].crashes[Int(way)])
        case .received(let message): .received(self.messages[Int(message)])
        case .shipped(let leader): .shipped(by: self.nodes[Int(leader)])
        }
    }

    /// Whether a message changes nothing, nor does any answer to it.
    ///
    /// A vote never counts as void: whether one that comes too late still counts is what the search is to find out.
    mutating func isVoid(_ message: Int32, for nodes: [Int32]) -> Bool {
        if self.messages[Int(message)].isVote { return false }
        let receiver = nodes[self.messages[Int(message)].to]
        let step = self.step(receiver, .received(message))
        return step.node == receiver && step.facts.isEmpty && step.sent.allSatisfy { self.isVoid($0, for: nodes) }
    }

    /// Whether a message is lost because a newer one takes its place between the same two nodes.
    func isReplaced(_ earlier: Int32, by later: Int32, isNarrow: Bool) -> Bool {
        let earlier = self.messages[Int(earlier)]
        let later = self.messages[Int(later)]
        return earlier.from == later.from && earlier.to == later.to && (isNarrow || earlier.kind == later.kind)
    }

    mutating func match(_ one: Int32, _ other: Int32) -> Bool {
        let pair = Pair(one: one, other: other)
        if self.matching.contains(pair) { return true }
        guard self.nodes[Int(one)].log.matches(self.nodes[Int(other)].log) else { return false }
        self.matching.insert(pair)
        return true
    }
}
