import LogModel
import RangeCodec
import ReplicaCore
import WireFormat

/// What peers say, and who is told of it.
extension ReplicatorLoop {
    func linkReported(_ report: PeerLink.Report, from node: NodeID) {
        switch report {
        case .connected:
            self.history.note(.peerConnected(node))
            self.take(.connected(to: node))
        case .disconnected:
            self.history.note(.peerDisconnected(node))
            self.take(.disconnected(from: node))
        case .died:
            self.history.note(.peerDied(node))
            self.take(.died(node))
        case .misunderstood(let error): self.misunderstood(error, from: node)
        case .streamClosed(let id): self.take(.streamClosed(id, to: node))
        case .message(let message, let start, let id): self.received(message, from: start, of: node, on: id)
        }
    }

    private func received(_ message: PeerMessage, from start: MemberStart, of node: NodeID, on id: StreamID?) {
        if !self.strangers.isEmpty, case .welcome = message { self.understood(message, from: node) }
        switch message {
        case .welcome(let welcome): if let id { self.take(.welcomed(welcome, from: start, on: id, by: node)) }
        case .ack(let ack): if let id { self.take(.acknowledged(ack, on: id, by: node)) }
        case .voteReply(let reply): self.take(.received(.voteReply(reply), from: start))
        case .heartbeatReply(let reply): self.take(.received(.heartbeatReply(reply), from: start))
        case .readIndexReply(let reply): self.take(.received(.readReply(reply), from: start))
        case .refusal(let refusal): self.take(.refused(refusal, by: start.member.node))
        default:
            self.logger.warning(
                "a peer answers what was not asked",
                metadata: ["peer": "\(node)", "hint": "see that all nodes run the same version"])
        }
    }

    /// A leader has one stream for its ranges: a second one replaces the first, whatever became of that.
    func opened(_ upstream: PeerUpstream) {
        if upstream.kind == .replicate {
            let old = self.upstreams.values.first {
                $0.kind == .replicate && $0.sender.member == upstream.sender.member
            }
            old?.close()
        }
        self.upstreams[upstream.id] = upstream
    }

    func closed(_ upstream: PeerUpstream) {
        self.upstreams[upstream.id] = nil
        if upstream.kind == .replicate { self.take(.upstreamClosed(upstream.id)) }
        self.voteUpstreams = self.voteUpstreams.filter { $0.value !== upstream }
        self.pulseUpstreams = self.pulseUpstreams.filter { $0.value !== upstream }
        self.readUpstreams = self.readUpstreams.filter { $0.value !== upstream }
    }

    func received(_ message: PeerMessage, on upstream: PeerUpstream) {
        if !self.strangers.isEmpty { self.understood(message, from: upstream.sender.member.node) }
        switch message {
        case .hello(let hello): self.take(.greeted(hello, from: upstream.sender, on: upstream.id))
        case .range(let range): self.received(range, on: upstream)
        case .trimmed(let first): self.take(.toldTrimmed(first: first, on: upstream.id))
        case .voteRequest(let request):
            self.voteUpstreams[request.candidate] = upstream
            self.take(.received(.voteRequest(request), from: upstream.sender))
        case .heartbeat(let heartbeat):
            self.pulseUpstreams[heartbeat.leader] = upstream
            self.take(.received(.heartbeat(heartbeat), from: upstream.sender))
        case .readIndexRequest(let request):
            // Asked again: the new stream gets the answer.
            self.readUpstreams.updateValue(upstream, forKey: request.follower)?.close()
            self.take(.received(.readRequest(request), from: upstream.sender))
        case .transferRequest(let request):
            upstream.messages.stream.finish()
            self.take(.received(.transferRequest(request), from: upstream.sender))
        case .greeting:
            self.take(.met(upstream.sender))
            upstream.messages.stream.finish()
        case .refusal(let refusal):
            upstream.messages.stream.finish()
            self.take(.refused(refusal, by: upstream.sender.member.node))
        default: upstream.close()
        }
    }

    private func received(_ range: RangeMessage, on upstream: PeerUpstream) {
        guard upstream.isWelcomed else { return upstream.close() }
        self.counters.rangesReceived += 1
        guard range.encoding == .deflate else {
            return self.take(.shipped(range, raw: range.body, on: upstream.id))
        }
        do {
            var decoder = RangeDecoder()
            let raw = try decoder.decode(
                range.body, encoding: .deflate, rawByteCount: Int(range.rawByteCount),
                limit: WireLimits.rangeByteCountMax)
            self.take(.shipped(range, raw: raw, on: upstream.id))
        } catch {
            self.logger.error(
                "a compressed range cannot be read; the leader sends it again",
                metadata: [
                    "peer": "\(upstream.sender.member.node)", "error": "\(error)",
                    "hint": "if it comes again, look at the memory and the network of both machines",
                ])
            upstream.close()
        }
    }
}
