import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOCore
import NIOPosix
import ReplicaCore
import SegmentLog
import WireFormat

/// Asks the other configured members who they are until a blank node knows which cluster to form.
struct FormingDriver {
    private static let pauseMilliseconds = 50
    /// Progress is logged once in so many rounds.
    private static let roundsPerNote = 100
    let configuration: ReplicatorConfiguration
    let directory: ReplicaDirectory
    let pool: NIOThreadPool
    let eventLoop: any EventLoop

    /// - Returns: The founded directory, or `nil` when cancelled or impossible (said in the log).
    func run() async -> ReplicaDirectory? {
        let client = HTTP2Client(
            on: self.eventLoop, limits: .peer, tls: self.configuration.calling(nil), logger: self.configuration.logger)
        let formed = await self.run(client)
        await client.shutdown(grace: .zero)
        return formed
    }

    private func run(_ client: HTTP2Client) async -> ReplicaDirectory? {
        var round = 0
        while !Task.isCancelled {
            let asked = await self.ask(client)
            let answers = asked.compactMapValues(\.identity)
            if round % Self.roundsPerNote == 0 {
                for (node, answer) in asked {
                    guard case .otherVersion(let version) = answer else { continue }
                    ReplicatorLoop.tell(self.configuration.logger, of: node, speaking: version)
                }
            }
            let decision = Forming.decide(
                isJoining: self.configuration.isJoining || self.directory.isEmptied, own: self.directory.member,
                configured: self.configuration.peers.map(\.node), answers: answers)
            switch decision {
            case .form(let founding, let generation):
                do { return try self.directory.form(founding, generation: generation) } catch {
                    self.configuration.logger.critical(
                        "cannot write the founding frame",
                        metadata: ["error": "\(error)", "hint": "look at the disk, then start the node again"])
                    return nil
                }
            case .copy(let node, let cluster, let generation):
                let level: Logger.Level = round % Self.roundsPerNote == 0 ? .warning : .debug
                guard let copy = await self.copy(from: node, cluster: cluster, failureLevel: level) else { break }
                return await self.begin(with: copy, generation: generation)
            case .wait(let missing):
                if round % Self.roundsPerNote == 0 {
                    self.configuration.logger.info(
                        "blank; waiting for the other members",
                        metadata: ["nodes": "\(missing)", "hint": "start them: a cluster forms when all have answered"])
                }
            case .waitToBeAdded:
                if round % Self.roundsPerNote == 0 {
                    self.configuration.logger.notice(
                        "blank; waiting to be added to the cluster",
                        metadata: ["hint": "holdfast member add \(self.configuration.node)"])
                }
            case .refused(let node):
                if round % Self.roundsPerNote == 0 {
                    self.configuration.logger.error(
                        "this directory is blank, but the cluster exists and knows another incarnation of this node",
                        metadata: [
                            "said_by": "\(node)",
                            "hint":
                                "restore the data directory, or: holdfast member replace \(self.configuration.node)",
                        ])
                }
            }
            round += 1
            try? await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
        }
        return nil
    }

    /// - Returns: `nil` when it failed: it is tried again.
    private func copy(
        from node: NodeID, cluster: ClusterID, failureLevel: Logger.Level
    ) async -> VerifiedFirstSegment? {
        guard let peer = self.configuration.peers.first(where: { $0.node == node }) else { return nil }
        let directory = self.directory
        let fetch = SegmentFetch(
            segment: nil, peer: peer, tls: self.configuration.calling(node), pool: self.pool, eventLoop: self.eventLoop,
            logger: self.configuration.logger
        ) { try directory.firstSegmentCopy(of: $0, cluster: cluster) }
        do { return try await fetch.run() } catch {
            self.configuration.logger.log(
                level: failureLevel, "cannot copy the first segment; trying again",
                metadata: [
                    "from": "\(node)", "error": "\(error)",
                    "hint": "\(SegmentFetchError.hint(after: error, else: ReplicatorLoop.fetchHint))",
                ])
            return nil
        }
    }

    private func begin(with copy: VerifiedFirstSegment, generation: UInt32) async -> ReplicaDirectory? {
        let (directory, configuration) = (self.directory, self.configuration)
        do {
            return try await self.pool.runIfActive {
                try directory.begin(with: copy, generation: generation, configuration)
            }
        } catch {
            configuration.logger.critical(
                "cannot begin with the first segment",
                metadata: ["error": "\(error)", "hint": "look at the disk, then start the node again"])
            return nil
        }
    }

    private func ask(_ client: HTTP2Client) async -> [NodeID: IdentityAnswer] {
        await withTaskGroup(of: (NodeID, IdentityAnswer).self) { group in
            for peer in self.configuration.peers where peer.node != self.configuration.node {
                group.addTask { (peer.node, await IdentityAnswer.of(peer, client)) }
            }
            var answers: [NodeID: IdentityAnswer] = [:]
            for await (node, answer) in group {
                // Another node at that address says nothing of this one.
                if let identity = answer.identity, identity.node != node { continue }
                answers[node] = answer
            }
            return answers
        }
    }
}
