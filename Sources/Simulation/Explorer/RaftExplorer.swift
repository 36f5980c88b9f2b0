import LogModel
import RaftCore

/// Explores all interleavings of a small world of ``RaftCore``s, breadth first, within bounds.
///
///     timeout | append | vote stored | synced | crash | message delivered | frame shipped  --> next states
///
/// Messages may come in any order, and those that never come are lost: losses need no step and have no bound. A message
/// that would change nothing any more counts as lost. Streams ship one frame at a time, in order. Timers run out when
/// the search says so, and a state holds no time.
///
/// A node's answer to an input is worked out once and then looked up: there are far fewer states of a node than of the
/// world. Who will crash how often is said at the start; the disk of a node that will not, or will not any more, does
/// its work at once. Where nodes differ in nothing but their names, the first one is the first to time out.
///
/// - SeeAlso: Lamport, Specifying Systems, chapter 14, for how such searches are bounded and counted.
package struct RaftExplorer {
    private let bounds: ExplorationBounds
    private let stateCountMax: Int
    private var tables = SmallTables()
    private var exploration: RaftExploration
    private var states: [SmallState] = []
    private var seen: Set<SmallState> = []
    /// How each state was first reached.
    private var origins: [(state: Int?, action: SmallAction)] = []

    /// - Parameter stateCountMax: Where the search gives up; some 500 bytes of memory each.
    /// - Returns: What was found; ``RaftExploration/violation`` is `nil` when every promise is kept in every state.
    package static func explore(
        _ bounds: ExplorationBounds, planted: PlantedBug? = nil, stateCountMax: Int = 20_000_000
    ) -> RaftExploration {
        var explorer = RaftExplorer(bounds, stateCountMax: stateCountMax)
        explorer.run(planted)
        return explorer.exploration
    }

    private init(_ bounds: ExplorationBounds, stateCountMax: Int) {
        self.bounds = bounds
        self.stateCountMax = stateCountMax
        self.exploration = RaftExploration(bounds: bounds)
    }

    private mutating func run(_ planted: PlantedBug?) {
        self.begin(planted)
        var current = 0
        var layerEnd = self.states.count
        while current < self.states.count, self.states.count < self.stateCountMax {
            if current == layerEnd {
                self.exploration.depth += 1
                layerEnd = self.states.count
            }
            for action in self.actions(in: self.states[current]) {
                do { try self.take(action, in: current) } catch {
                    self.exploration.violation = error
                    self.exploration.trace = self.trace(to: current, then: action)
                    return self.count()
                }
            }
            current += 1
        }
        self.exploration.isComplete = current == self.states.count
        self.count()
    }

    private mutating func begin(_ planted: PlantedBug?) {
        let terms = self.bounds.startTerms
        let last = terms.compactMap(\.last).max() ?? 0
        let leader = terms.firstIndex { $0.last == last }
        let hardState = HardState(term: Term(last), vote: leader.map(SmallNode.member))
        let nodes = terms.enumerated().map { number, own in
            var log = SmallLog()
            for term in own {
                log.place(append: 0, term: Term(term), leader: terms.firstIndex { $0.contains(term) } ?? 0)
            }
            return self.tables.number(
                of: SmallNode(
                    number: number, of: terms.count, log: log, hardState: hardState, planted: planted))
        }
        let past = self.tables.number(of: SmallPast())
        for crashes in self.bounds.crashesOfNodes {
            self.add(SmallState(nodes: nodes, past: past, crashes: crashes), from: nil, by: .timeOut(node: 0))
        }
    }

    private mutating func count() {
        self.exploration.stateCount = self.states.count
        self.exploration.nodeStateCount = self.tables.nodes.count
        for past in self.tables.pasts {
            self.exploration.appendsCommitted = max(self.exploration.appendsCommitted, past.appendCount)
            self.exploration.leadersElected = max(self.exploration.leadersElected, past.leaders.count)
        }
    }

    // MARK: Steps

    private func actions(in state: SmallState) -> [SmallAction] {
        if self.bounds.isSymmetric, state.timeouts == 0 { return [.timeOut(node: 0)] }
        var actions: [SmallAction] = []
        for number in 0..<self.bounds.nodeCount {
            let node = self.tables.nodes[Int(state.nodes[number])]
            if state.timeouts < self.bounds.timeouts { actions.append(.timeOut(node: number)) }
            if node.disk.hasVoteToStore {
                actions.append(.storeVote(node: number))
            } else if node.disk.log != node.log {
                actions.append(.sync(node: number))
            }
            if state.crashes[number] > 0 {
                for way in node.crashes.indices { actions.append(.crash(node: number, way: way)) }
            }
            guard node.isLeader else { continue }
            if state.appends < self.bounds.appends { actions.append(.append(node: number)) }
            if state.pulses < self.bounds.pulses { actions.append(.pulse(node: number)) }
            for other in 0..<self.bounds.nodeCount where other != number {
                actions.append(.ship(from: number, to: other))
            }
        }
        for message in state.messages {
            actions.append(.deliver(message, isKept: false))
            if state.duplicates < self.bounds.duplicates { actions.append(.deliver(message, isKept: true)) }
        }
        return actions
    }

    private mutating func take(_ action: SmallAction, in current: Int) throws(Violation) {
        var next = self.states[current]
        let place = self.spend(action, &next)
        try self.step(place, self.input(action, next), &next)
        self.exploration.transitionCount += 1
        for place in next.nodes.indices where next.crashes[place] == 0 { try self.finishDisk(place, &next) }
        next.messages.removeAll { self.tables.isVoid($0, for: next.nodes) }
        next.messages.sort()
        self.add(next, from: current, by: action)
    }

    private mutating func step(
        _ place: Int, _ input: SmallTables.Input, _ state: inout SmallState
    ) throws(Violation) {
        let step = self.tables.step(state.nodes[place], input)
        state.nodes[place] = step.node
        for message in step.sent {
            state.messages.removeAll {
                self.tables.isReplaced($0, by: message, isNarrow: self.bounds.isNarrow)
            }
            state.messages.append(message)
        }
        try self.check(step, at: place, in: &state)
    }

    /// The disk of a node that will not crash any more does its work at once: an answer that waits for it is an answer
    /// that is long on its way.
    private mutating func finishDisk(_ place: Int, _ state: inout SmallState) throws(Violation) {
        while self.tables.nodes[Int(state.nodes[place])].disk.hasVoteToStore {
            try self.step(place, .storedVote, &state)
        }
        let node = self.tables.nodes[Int(state.nodes[place])]
        if node.disk.log != node.log { try self.step(place, .synced, &state) }
    }

    private mutating func add(_ state: SmallState, from origin: Int?, by action: SmallAction) {
        guard self.seen.insert(state).inserted else { return }
        self.states.append(state)
        self.origins.append((origin, action))
    }

    /// - Returns: The node to which it happens.
    private func spend(_ action: SmallAction, _ state: inout SmallState) -> Int {
        switch action {
        case .timeOut(let node):
            state.timeouts += 1
            return node
        case .pulse(let node):
            state.pulses += 1
            return node
        case .append(let node):
            state.appends += 1
            return node
        case .storeVote(let node), .sync(let node): return node
        case .crash(let node, _):
            state.crashes[node] -= 1
            return node
        case .deliver(let message, let isKept):
            if isKept { state.duplicates += 1 } else { state.messages.removeAll { $0 == message } }
            return self.tables.messages[Int(message)].to
        case .ship(_, let node): return node
        }
    }

    private func input(_ action: SmallAction, _ state: SmallState) -> SmallTables.Input {
        switch action {
        case .timeOut: .timedOut
        case .pulse: .pulsed
        case .append: .appended(Int32(state.appends))
        case .storeVote: .storedVote
        case .sync: .synced
        case .crash(_, let way): .crashed(Int32(way))
        case .deliver(let message, _): .received(message)
        case .ship(let leader, _): .shipped(by: state.nodes[leader])
        }
    }

    private mutating func check(
        _ step: SmallTables.Step, at place: Int, in state: inout SmallState
    ) throws(Violation) {
        let node = self.tables.nodes[Int(step.node)]
        for other in state.nodes where other != step.node {
            guard self.tables.match(step.node, other) else {
                let names = "nodes \(place + 1) and \(self.tables.nodes[Int(other)].number + 1)"
                throw Violation(invariant: .logMatching, detail: "\(names) hold logs that part and meet again")
            }
        }
        guard !step.facts.isEmpty else { return }
        var past = self.tables.pasts[Int(state.past)]
        for fact in step.facts { try past.record(fact, of: node) }
        for number in state.nodes {
            let node = self.tables.nodes[Int(number)]
            if node.isLeader { try past.check(leader: node) }
        }
        state.past = self.tables.number(of: past)
    }

    // MARK: In words

    private func trace(to state: Int, then last: SmallAction) -> [String] {
        var lines = [self.words(last, in: state)]
        var state = state
        while let origin = self.origins[state].state {
            lines.append(self.words(self.origins[state].action, in: origin))
            state = origin
        }
        return lines.reversed()
    }

    private func words(_ action: SmallAction, in state: Int) -> String {
        switch action {
        case .timeOut(let node): return "node \(node + 1) times out"
        case .pulse(let node): return "node \(node + 1) sends heartbeats"
        case .append(let node): return "node \(node + 1) appends"
        case .storeVote(let node): return "node \(node + 1) has stored its term and vote"
        case .sync(let node): return "node \(node + 1) has synced its log"
        case .crash(let node, let way):
            let crash = self.tables.nodes[Int(self.states[state].nodes[node])].crashes[way]
            let known = crash.isCommitKnown ? "" : ", the commit forgotten"
            return "node \(node + 1) crashes in term \(crash.disk.hardState.term) at \(crash.disk.log.tail)\(known)"
        case .deliver(let message, let isKept):
            return "\(self.tables.messages[Int(message)]) arrives\(isKept ? ", and will once more" : "")"
        case .ship(let from, let to): return "node \(from + 1) ships to node \(to + 1)"
        }
    }
}
