import HoldfastClient
import LogModel

/// Producers that append without pause and readers that hardly pause, each with connections of its own.
enum Load {
    /// Appends and reads while `body` runs.
    ///
    /// - Returns: What everybody was told.
    /// - Throws: What `body` throws, or what a producer did not understand.
    static func run(
        producers: Int = 3, readers: Int = 1, on cluster: TestCluster, during body: (History) async throws -> Void
    ) async throws -> History {
        let history = History()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<producers {
                group.addTask { try await self.produce(number, cluster.servers, history) }
            }
            for number in 0..<readers {
                group.addTask { await self.read(number, cluster, history) }
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
            let began = ContinuousClock.now
            do throws(ClientError) {
                let receipt = try await producer.append(values.map { Record($0) }, retried: history.retried)
                history.told(values, .acknowledged(first: receipt.first.rawValue), since: began)
            } catch {
                switch error {
                case .outcomeUnknown: history.told(values, .unknown, since: began)
                case .notByAll(let receipt):
                    history.told(values, .acknowledged(first: receipt.first.rawValue), since: began)
                case .refused, .trimmed, .unreachable, .untrusted, .noClientPort, .ended:
                    history.told(values, .refused, since: began)
                case .badAnswer: misunderstood = error
                }
            }
        }
        await client.shutdown()
        if let misunderstood { throw misunderstood }
    }

    /// Asks one node after the other for the newest records; every fourth time for what that node knows to be committed.
    private static func read(_ number: Int, _ cluster: TestCluster, _ history: History) async {
        let client = HoldfastClient(servers: cluster.servers, timeoutMilliseconds: 2_000)
        var round = number
        while !history.isStopped {
            let node = cluster.nodes[round % cluster.nodes.count]
            await self.read(node, by: client, round % 4 == 3 ? .committed : .linearizable, into: history)
            round += 1
            // The machine is for the producers.
            try? await Task.sleep(for: .milliseconds(5))
        }
        await client.shutdown()
    }

    /// Asks one node for the newest records.
    ///
    /// - Returns: Whether it gave any.
    @discardableResult
    static func read(
        _ node: TestCluster.Node, by client: HoldfastClient,
        _ consistency: HoldfastClient.Consistency = .linearizable, into history: History
    ) async -> Bool {
        let began = ContinuousClock.now
        let page = try? await client.read(from: .last(20), limit: 20, consistency: consistency, at: node.client)
        guard let page else { return false }
        history.saw(page, of: node.name, consistency, since: began)
        return true
    }

    /// Linearizable reads at one node, all at once, for the history to judge.
    ///
    /// - Returns: How many were answered.
    static func read(
        _ node: TestCluster.Node, _ count: Int, by client: HoldfastClient, into history: History
    ) async -> Int {
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<count { group.addTask { await self.read(node, by: client, into: history) } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
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
