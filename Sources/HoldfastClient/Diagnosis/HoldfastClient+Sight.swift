import HTTP2Transport

extension HoldfastClient {
    /// Asks every node that the servers and their answers name, all at once, a second at most for each round.
    package func look() async -> ClusterSight {
        var answers: [String: ClusterStatus] = [:]
        var silences: [String: ClusterSight.Silence] = [:]
        var asked: [ServerAddress] = []
        // Twice: the first answers may name nodes that were not given.
        for _ in 0..<2 {
            let named = answers.values.flatMap(\.nodes).compactMap { ServerAddress($0.client) }
            let new = Set(self.servers + named).subtracting(asked).sorted { $0.description < $1.description }
            asked += new
            await withTaskGroup(of: (ServerAddress, Result<ClusterStatus, ClusterSight.Failure>).self) { group in
                for server in new { group.addTask { (server, await self.sight(of: server)) } }
                for await (server, result) in group {
                    switch result {
                    case .success(let status): answers[server.description] = status
                    case .failure(let failure): silences[server.description] = failure.silence
                    }
                }
            }
        }
        return ClusterSight(answers: answers, silences: silences, asked: asked.map(\.description))
    }

    private func sight(of server: ServerAddress) async -> Result<ClusterStatus, ClusterSight.Failure> {
        do throws(HTTP2ClientError) {
            let answer = try await self.pool.execute(
                .get, "/v1/cluster", at: server, timeoutMilliseconds: ClientLimits.attemptTimeoutMilliseconds)
            guard answer.head.status == .ok,
                let status = JSONDocument.decode(ClusterStatus.self, from: answer.body.readableBytesView)
            else { return .failure(.init(silence: .unintelligible)) }
            return .success(status)
        } catch {
            switch error {
            case .timedOut, .timedOutUnsent: return .failure(.init(silence: .hangs))
            case .unreachable(_, let reason): return .failure(.init(silence: .unreachable(reason: reason)))
            default: return .failure(.init(silence: .unreachable(reason: "\(error)")))
            }
        }
    }
}

extension ClusterSight {
    fileprivate struct Failure: Error {
        var silence: Silence
    }
}
