import HoldfastClient
import LogModel
import Synchronization

/// What producers were told about each of their appends: the judge of a log.
///
/// Append `s` of producer `p` is one atomic batch of the values `p-s-1`, `p-s-2`, ...; no value is used twice.
final class History: Sendable {
    enum Fate: Sendable {
        case acknowledged(first: UInt64)
        case refused
        case unknown
    }

    struct Append: Sendable {
        var values: [String]
        var fate: Fate
    }

    private struct State {
        var appends: [[Append]]
        var acknowledgedCount = 0
        var lastIndex: UInt64 = 0
        var isStopped = false
    }

    private let state: Mutex<State>

    init(producers: Int = 0) { self.state = Mutex(State(appends: Array(repeating: [], count: producers))) }

    var acknowledgedCount: Int { self.state.withLock { $0.acknowledgedCount } }
    /// The highest acknowledged index.
    var lastIndex: UInt64 { self.state.withLock { $0.lastIndex } }
    var isStopped: Bool { self.state.withLock { $0.isStopped } }
    func stop() { self.state.withLock { $0.isStopped = true } }

    static func values(_ producer: Int, _ sequence: Int) -> [String] {
        (0...sequence % 3).map { "\(producer)-\(sequence)-\($0 + 1)" }
    }

    func told(_ producer: Int, _ values: [String], _ fate: Fate) {
        self.state.withLock { state in
            state.appends[producer].append(Append(values: values, fate: fate))
            guard case .acknowledged(let first) = fate else { return }
            state.acknowledgedCount += 1
            state.lastIndex = max(state.lastIndex, first + UInt64(values.count) - 1)
        }
    }

    /// Waits for further acknowledgements: the cluster works.
    func untilAcknowledged(_ count: Int, within seconds: Double = 20) async throws {
        let before = self.acknowledgedCount
        try await eventually(
            "\(count) acknowledgements", within: seconds, state: { "\(self.acknowledgedCount - before) came" }
        ) { self.acknowledgedCount >= before + count }
    }

    /// Holds a whole log against what was said. The first record's index is 1.
    ///
    /// - Parameter others: Values that others appended, each once.
    /// - Returns: What is wrong: acknowledged values not at their index, out of order, doubled, torn batches,
    ///   refused or foreign values.
    func findings(in log: [String], others: Set<String> = []) -> [String] {
        var findings: [String] = []
        var places: [String: Int] = [:]
        for (place, value) in log.enumerated() {
            if let earlier = places.updateValue(place, forKey: value) {
                findings.append("\(value) stands at \(earlier + 1) and at \(place + 1)")
            }
        }
        var unclaimed = places
        for value in others where unclaimed.removeValue(forKey: value) == nil { findings.append("\(value) is lost") }
        for appends in self.state.withLock({ $0.appends }) {
            var last: UInt64 = 0
            for append in appends {
                let first = append.values[0]
                for value in append.values { unclaimed[value] = nil }
                switch append.fate {
                case .acknowledged(let index):
                    let found = log.dropFirst(Int(index) - 1).prefix(append.values.count)
                    if Array(found) != append.values {
                        let place = places[first].map { "stands at \($0 + 1)" } ?? "is lost"
                        findings.append("\(first) was acknowledged at \(index) and \(place)")
                    }
                    if index <= last { findings.append("\(first) at \(index) comes before its predecessor") }
                    last = index
                case .refused:
                    if let place = places[first] { findings.append("\(first) was refused and stands at \(place + 1)") }
                case .unknown:
                    guard let place = append.values.lazy.compactMap({ places[$0] }).first else { continue }
                    if Array(log.dropFirst(place).prefix(append.values.count)) != append.values {
                        findings.append("the batch of \(first) is torn")
                    }
                }
            }
        }
        for (value, place) in unclaimed { findings.append("\(value) at \(place + 1) was appended by nobody") }
        return findings
    }
}

/// Producers that append without pause, each with connections of its own.
enum Load {
    /// Appends while `body` runs.
    ///
    /// - Returns: What the producers were told.
    /// - Throws: What `body` throws, or what a producer did not understand.
    static func run(
        producers: Int = 3, on cluster: TestCluster, during body: (History) async throws -> Void
    ) async throws -> History {
        let history = History(producers: producers)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<producers {
                group.addTask { try await self.produce(number, cluster.servers, history) }
            }
            defer { history.stop() }
            try await body(history)
            history.stop()
            try await group.waitForAll()
        }
        return history
    }

    private static func produce(_ number: Int, _ servers: [ServerAddress], _ history: History) async throws {
        let client = HoldfastClient(servers: servers, timeoutMilliseconds: 20_000)
        let producer = client.makeProducer()
        var sequence = 0
        var misunderstood: ClientError?
        while !history.isStopped, misunderstood == nil {
            sequence += 1
            let values = History.values(number, sequence)
            do throws(ClientError) {
                let receipt = try await producer.append(values.map { Record($0) })
                history.told(number, values, .acknowledged(first: receipt.first.rawValue))
            } catch {
                switch error {
                case .outcomeUnknown: history.told(number, values, .unknown)
                case .notByAll(let receipt):
                    history.told(number, values, .acknowledged(first: receipt.first.rawValue))
                case .refused, .unreachable: history.told(number, values, .refused)
                case .badAnswer: misunderstood = error
                }
            }
        }
        await client.shutdown()
        if let misunderstood { throw misunderstood }
    }
}

extension Load {
    /// Clients that have appended `early 1`, `early 2`, ... and so know who leads, and nobody else.
    static func clients(_ count: Int, thatKnow leader: TestCluster.Node) async throws -> [HoldfastClient] {
        var clients: [HoldfastClient] = []
        for number in 1...count {
            let client = HoldfastClient(servers: [leader.client], timeoutMilliseconds: 20_000)
            try await client.makeProducer().append([Record("early \(number)")])
            clients.append(client)
        }
        return clients
    }

    /// Appends `PREFIX 1`, `PREFIX 2`, ... at the same time, each by another client.
    static func append(_ prefix: String, by clients: [HoldfastClient]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (offset, client) in clients.enumerated() {
                group.addTask { _ = try await client.makeProducer().append([Record("\(prefix) \(offset + 1)")]) }
            }
            try await group.waitForAll()
        }
    }
}
