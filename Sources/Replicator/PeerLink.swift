import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOCore
import ReplicaCore
import WireFormat

/// This node's connection to one peer: kept open whoever leads, so that a dead process is noticed at once.
///
///     down --connect--> up --closed--> (at once) connect --refused--> died, then backoff --> ...
///
/// A connection that ended as soon as it began proves nothing: a process that is just dying, one that cannot serve, a
/// proxy before none. The port is asked again, with growing patience, until it refuses or serves.
///
/// Event loop only.
final class PeerLink {
    /// What the link tells its owner.
    enum Report {
        case connected
        case disconnected
        /// The connection closed, and the port refuses a new one.
        case died
        case message(PeerMessage, from: MemberStart, on: StreamID?)
        /// What the peer answered is no message.
        case misunderstood(WireError)
        case streamClosed(StreamID)
    }

    static let backoffMillisecondsMax: Int64 = 500
    private static let backoffMillisecondsMin: Int64 = 2
    /// A connection that lived so long was one to a node.
    private static let lifeMillisecondsMin: Int64 = 50
    private static let requestTimeoutMilliseconds: Int64 = 1_000

    let peer: ClusterPeer
    private let cluster: ClusterID
    private let tls: TLSCalling?
    /// Why the peer, or this node, was not taken the last time: said once.
    private var refusal: TLSRefusal?
    /// Handshakes in a row that ended without a word: a process that dies does so once or twice.
    private var wordlessCount = 0
    private static let wordlessCountTold = 10
    private let eventLoop: any EventLoop
    private let logger: Logger
    /// Who speaks here: this node.
    private let start: () -> MemberStart
    private let report: (Report) -> Void
    private var connection: HTTP2Connection?
    private var offer = ProtocolOffer()
    /// Of versions of the protocol.
    private var told = ToldAgreements()
    private var replicate: (id: StreamID, messages: MessageStream)?
    private var pulse: MessageStream?
    private var establishedAt = NIODeadline.now()
    private var backoffMilliseconds = PeerLink.backoffMillisecondsMin
    private var isClosed = false
    /// Ranges of the present stream that wait for their compression, in order; emptied with the stream.
    private var outbox: [Slot] = []

    private final class Slot {
        var range: RangeMessage
        var isReady: Bool

        init(_ range: RangeMessage, isReady: Bool) {
            self.range = range
            self.isReady = isReady
        }
    }

    /// What a socket may have left to send before its link is behind, and how long it is then.
    private static let unsentByteCountMax = 64 << 10
    private static let behindMilliseconds: Int64 = 1_000
    private var behindUntil = NIODeadline.distantPast
    private let shipping: RangeShipping
    private(set) var shipped = ReplicatorStatus.Shipped()
    private var rounds = RoundTimes()

    init(
        peer: ClusterPeer, cluster: ClusterID, tls: TLSCalling?, eventLoop: any EventLoop, shipping: RangeShipping,
        logger: Logger, start: @escaping () -> MemberStart, report: @escaping (Report) -> Void
    ) {
        self.peer = peer
        self.cluster = cluster
        self.tls = tls
        self.eventLoop = eventLoop
        self.shipping = shipping
        self.logger = logger
        self.start = start
        self.report = report
    }

    var isConnected: Bool { self.connection != nil }
    var roundTimes: LatencyHistogram { self.rounds.times }

    func connect() { self.connect(afterLoss: false) }

    private func connect(afterLoss: Bool) {
        guard !self.isClosed else { return }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        HTTP2Connection.connect(
            host: self.peer.peerHost, port: self.peer.peerPort, on: self.eventLoop, limits: .peer, tls: self.tls,
            logger: self.logger
        ).whenComplete { result in
            let link = bound.value
            switch result {
            case .success(let connection): link.established(connection)
            case .failure(let error):
                if link.isClosed { return }
                if let refusal = error as? TLSRefusal { link.tell(refusal) } else { link.wordlessCount = 0 }
                if afterLoss { link.report(.died) }
                link.connectLater(afterLoss: false)
            }
        }
    }

    private func tell(_ refusal: TLSRefusal) {
        let isWordless = refusal == .closed
        self.wordlessCount = isWordless ? self.wordlessCount + 1 : 0
        guard self.refusal != refusal, !isWordless || self.wordlessCount >= Self.wordlessCountTold else { return }
        self.refusal = refusal
        let hint =
            isWordless
            ? "look at what is behind the peer's address: it takes connections, and ends or leaves their TLS handshakes; "
                + "another process, or a node that hangs or is full"
            : "compare both nodes' tls.certificate and tls.ca: holdfast certs show FILE"
        self.logger.warning(
            "no connection to a peer",
            metadata: ["peer": "\(self.peer.node)", "reason": "\(refusal)", "hint": "\(hint)"])
    }

    private func connectLater(afterLoss: Bool) {
        guard !self.isClosed else { return }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.eventLoop.scheduleTask(in: .milliseconds(self.backoffMilliseconds)) {
            bound.value.connect(afterLoss: afterLoss)
        }
        self.backoffMilliseconds = min(self.backoffMilliseconds * 2, Self.backoffMillisecondsMax)
    }

    private func established(_ connection: HTTP2Connection) {
        guard !self.isClosed else { return connection.close() }
        self.connection = connection
        // Another release may have been started there.
        self.offer = ProtocolOffer()
        self.told.connected()
        self.establishedAt = .now()
        self.refusal = nil
        self.wordlessCount = 0
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        connection.closeFuture.whenComplete { _ in bound.value.lost(connection) }
        self.report(.connected)
    }

    private func lost(_ connection: HTTP2Connection) {
        guard self.connection === connection else { return }
        self.connection = nil
        self.pulse = nil
        self.closeReplicate()
        self.report(.disconnected)
        guard NIODeadline.now() - self.establishedAt >= .milliseconds(Self.lifeMillisecondsMin) else {
            return self.connectLater(afterLoss: true)
        }
        self.backoffMilliseconds = Self.backoffMillisecondsMin
        self.connect(afterLoss: true)
    }

    func close() {
        self.isClosed = true
        self.closeReplicate()
        self.pulse?.close()
        self.pulse = nil
        self.connection?.close()
        self.connection = nil
    }

    // MARK: Streams

    func openReplicate(_ id: StreamID, hello: ReplicateHello) {
        self.closeReplicate()
        guard let connection = self.connection else { return self.report(.streamClosed(id)) }
        let handler = PeerReplies(link: self, stream: id)
        let stream = connection.open(self.request("/peer/v1/replicate"), handler: handler)
        let messages = MessageStream(stream, version: self.offer.range.highest)
        stream.isLongLived = true
        handler.messages = messages
        self.replicate = (id, messages)
        messages.send(.hello(hello))
    }

    func closeReplicate(_ id: StreamID) {
        guard self.replicate?.id == id else { return }
        self.closeReplicate()
    }

    private func closeReplicate() {
        guard let replicate = self.replicate else { return }
        self.replicate = nil
        self.outbox.removeAll()
        self.rounds.dropped()
        replicate.messages.close()
    }

    /// Ships a range; compressed ones leave in the order in which they were asked for.
    func ship(_ range: RangeMessage, on id: StreamID) {
        guard self.replicate?.id == id else { return }
        let now = NIODeadline.now()
        let isBehind = range.body.count >= RangeShipping.smallByteCount && self.isBehind(at: now)
        guard let encoding = self.shipping.encode(range, isBehind: isBehind, now: now) else {
            if self.outbox.isEmpty { self.send(range) } else { self.outbox.append(Slot(range, isReady: true)) }
            return
        }
        let slot = Slot(range, isReady: false)
        self.outbox.append(slot)
        let bound = NIOLoopBound((link: self, slot: slot), eventLoop: self.eventLoop)
        encoding.whenComplete { result in
            let (link, slot) = bound.value
            if case .success(let encoded) = result {
                slot.range.encoding = encoded.encoding
                slot.range.body = encoded.body
            }
            slot.isReady = true
            link.flushOutbox()
        }
    }

    /// Whether the socket has much left to send, now or a moment ago: compressed ranges would let it keep up.
    private func isBehind(at now: NIODeadline) -> Bool {
        if let connection, connection.unsentByteCount >= Self.unsentByteCountMax {
            self.behindUntil = now + .milliseconds(Self.behindMilliseconds)
        }
        return now < self.behindUntil
    }

    private func flushOutbox() {
        while let next = self.outbox.first, next.isReady {
            self.outbox.removeFirst()
            self.send(next.range)
        }
    }

    private func send(_ range: RangeMessage) {
        self.shipped.rangeCount += 1
        self.shipped.bytesRaw += UInt64(range.rawByteCount)
        self.shipped.bytesOnWire += UInt64(range.body.count)
        if self.rounds.isIdle, range.rawByteCount > 0 {
            self.rounds.began(toward: range.from.advanced(by: Int(range.rawByteCount)), at: Self.now())
        }
        self.replicate?.messages.send(.range(range))
    }

    private static func now() -> MonotonicTime { MonotonicTime(nanoseconds: NIODeadline.now().uptimeNanoseconds) }

    /// The follower needs what is trimmed; the stream stays open until it has fetched the first segment.
    func tellTrimmed(_ first: Position, on id: StreamID) {
        guard self.replicate?.id == id else { return }
        self.replicate?.messages.send(.trimmed(first: first))
    }

    /// Heartbeats travel on a stream of their own, never queued behind ranges.
    func sendPulse(_ message: PeerMessage) {
        guard let connection = self.connection else { return }
        if self.pulse?.stream.isOpen != true {
            let handler = PeerReplies(link: self, stream: nil)
            let stream = connection.open(self.request("/peer/v1/pulse"), handler: handler)
            stream.isLongLived = true
            let messages = MessageStream(stream, version: self.offer.range.highest)
            handler.messages = messages
            self.pulse = messages
        }
        self.pulse?.send(message)
    }

    /// One request; an answer, if there is one, comes as a message of its own.
    func ask(_ message: PeerMessage, at path: String) { self.ask(message, at: path, mayRepeat: true) }

    /// - Parameter mayRepeat: Asks once more where the peer refuses the version, and there is one that both speak.
    private func ask(_ message: PeerMessage, at path: String, mayRepeat: Bool) {
        guard let connection = self.connection else { return }
        let offered = self.offer.range
        let handler = PeerReplies(link: self, stream: nil)
        if mayRepeat {
            handler.repeats = { [weak self] in
                guard let self, self.offer.range != offered else { return }
                self.ask(message, at: path, mayRepeat: false)
            }
        }
        let stream = connection.open(self.request(path), handler: handler)
        let messages = MessageStream(stream, version: offered.highest)
        handler.messages = messages
        stream.send(ByteBuffer(bytes: message.encoded(version: offered.highest)), endStream: true)
        let bound = NIOLoopBound(messages, eventLoop: self.eventLoop)
        self.eventLoop.scheduleTask(in: .milliseconds(Self.requestTimeoutMilliseconds)) { bound.value.close() }
    }

    private func request(_ path: String) -> HTTPRequest {
        HTTPRequest(
            method: .post, scheme: nil, authority: self.peer.peerAddress.description, path: path,
            headerFields: [
                .holdfastCluster: "\(self.cluster)", .holdfastStart: self.start().fieldText,
                .holdfastProtocol: "\(self.offer.range)",
            ])
    }

    // MARK: What comes back

    func received(_ message: PeerMessage, from start: MemberStart, on id: StreamID?) {
        if let id, self.replicate?.id != id { return }
        if case .ack(let ack) = message, !self.rounds.isIdle {
            self.rounds.reached(ack.persisted.position, at: Self.now())
        }
        self.report(.message(message, from: start, on: id))
    }

    /// Who answers: the link's peer, or nobody that counts.
    func sender(of head: HTTPResponse) -> MemberStart? {
        guard let start = head.headerFields[.holdfastStart].flatMap(MemberStart.init(fieldText:)) else { return nil }
        guard start.member.node == self.peer.node else {
            self.logger.warning(
                "another node answers at a peer's address",
                metadata: [
                    "peer": "\(self.peer.node)", "said_by": "\(start.member.node)",
                    "hint": "see that the addresses in peers are right on every node",
                ])
            return nil
        }
        return start
    }

    /// What the peer speaks, as an answer of it says.
    func heard(_ spoken: ProtocolRange) -> ProtocolOffer.Outcome {
        let outcome = self.offer.heard(spoken)
        if outcome == .nothingCommon {
            self.told.disagreed()
            self.misunderstood(.unsupportedVersion(spoken.highest))
        } else if PeerProtocol.spoken.lowest < PeerProtocol.spoken.highest,
            self.told.agreed(on: self.offer.range.highest)
        {
            self.logger.info(
                "agreed with a peer on a version of the peer protocol",
                metadata: [
                    "peer": "\(self.peer.node)",
                    "detail":
                        "version \(self.offer.range.highest): it speaks \(spoken), this node \(PeerProtocol.spoken)",
                ])
        }
        return outcome
    }

    func misunderstood(_ error: WireError) { self.report(.misunderstood(error)) }

    func streamEnded(_ id: StreamID?) {
        guard let id, self.replicate?.id == id else { return }
        self.replicate = nil
        self.outbox.removeAll()
        self.rounds.dropped()
        self.report(.streamClosed(id))
    }
}
