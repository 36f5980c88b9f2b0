import HTTP2Transport

extension HoldfastClient {
    /// What every node says of itself that the servers and their answers name, and why others say nothing.
    package struct Survey: Sendable {
        package var answers: [ServerAddress: ClusterStatus] = [:]
        package var silences: [ServerAddress: ClusterSight.Silence] = [:]
    }

    /// Asks all at once, a second at most for each round.
    package func survey() async -> Survey {
        var survey = Survey()
        var asked: Set<ServerAddress> = []
        // Twice: the first answers may name nodes that were not given.
        for _ in 0..<2 {
            let named = survey.answers.values.flatMap(\.nodes).compactMap { ServerAddress($0.client) }
            let new = Set(self.servers + named).subtracting(asked)
            asked.formUnion(new)
            await withTaskGroup(of: (ServerAddress, Result<ClusterStatus, ClusterSight.Failure>).self) { group in
                for server in new { group.addTask { (server, await self.sight(of: server)) } }
                for await (server, result) in group {
                    switch result {
                    case .success(let status): survey.answers[server] = status
                    case .failure(let failure): survey.silences[server] = failure.silence
                    }
                }
            }
        }
        return survey
    }

    /// The cluster as a survey shows it now.
    package func look() async -> ClusterSight {
        let survey = await self.survey()
        func byName<Value>(_ found: [ServerAddress: Value]) -> [String: Value] {
            Dictionary(found.map { ($0.key.description, $0.value) }) { first, _ in first }
        }
        // All were asked in vain where no answer says which nodes there are.
        return ClusterSight(
            answers: byName(survey.answers), silences: byName(survey.silences),
            asked: survey.silences.keys.map(\.description).sorted())
    }

    private func sight(of server: ServerAddress) async -> Result<ClusterStatus, ClusterSight.Failure> {
        do throws(HTTP2ClientError) {
            let answer = try await self.pool.execute(
                .get, "/v1/cluster", at: server, timeoutMilliseconds: ClientLimits.attemptTimeoutMilliseconds)
            guard answer.head.status == .ok else {
                return .failure(.init(silence: .init(ClientError.answered(answer.head, answer.body, at: server))))
            }
            guard let status = JSONDocument.decode(ClusterStatus.self, from: answer.body.readableBytesView) else {
                return .failure(.init(silence: .unintelligible))
            }
            return .success(status)
        } catch {
            return .failure(.init(silence: .init(error, at: server)))
        }
    }
}

extension ClusterSight.Silence {
    /// Of a node that answers, and says nothing of its cluster.
    fileprivate init(_ error: ClientError) {
        self =
            switch error {
            case .refused(let problem) where error.isDenial: .denied(code: problem.code, detail: problem.detail)
            case .noClientPort(let what): .noClientPort(what)
            default: .unintelligible
            }
    }

    fileprivate init(_ error: HTTP2ClientError, at server: ServerAddress) {
        self =
            switch error {
            case .http11Only: .init(ClientError(error, at: server))
            case .timedOut, .timedOutUnsent: .hangs
            case .unreachable(_, let reason): .unreachable(reason: reason)
            case .untrusted(_, let refusal): .untrusted(refusal)
            default: .unreachable(reason: "\(error)")
            }
    }
}

extension ClusterSight {
    fileprivate struct Failure: Error {
        var silence: Silence
    }
}
