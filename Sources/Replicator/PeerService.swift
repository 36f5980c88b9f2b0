import HTTP2Transport
import HTTPTypes
import LogModel
import NIOCore
import ReplicaCore
import WireFormat

/// What the peer listener tells the node. Event loop only.
protocol PeerServiceOwner: AnyObject {
    var identity: PeerIdentity { get }
    /// `nil` while the node is blank.
    var cluster: ClusterID? { get }
    /// `nil` while the node is blank.
    var start: MemberStart? { get }
    /// `nil` while the node has no log.
    var segments: SegmentSource? { get }
    /// `nil` while the node is starting.
    var statusSource: StatusSource? { get }
    var statusPlaces: StatusPlaces { get }
    /// Somebody with the certificate of a node speaks for another one.
    func noted(_ claimed: NodeID, certified: NodeID)
    func opened(_ upstream: PeerUpstream)
    func received(_ message: PeerMessage, on upstream: PeerUpstream)
    func closed(_ upstream: PeerUpstream)
    /// What a peer sent is no message: its stream ends.
    func misunderstood(_ error: WireError, from node: NodeID)
}

/// One stream that a peer opened to this node.
final class PeerUpstream {
    enum Kind {
        case replicate, pulse, vote, transfer, read, greet, refuse
    }

    /// Only ranges are larger, and only the leader sends them, of whom there is one: whoever speaks as a peer may open many
    /// streams.
    static let messageByteCountMaxUnwelcomed = 64 << 10

    let id: StreamID
    let kind: Kind
    /// Who opened it.
    let sender: MemberStart
    let messages: MessageStream
    /// This node has taken the sender for its leader: ranges are expected, and worth inflating.
    private(set) var isWelcomed = false

    init(id: StreamID, kind: Kind, sender: MemberStart, messages: MessageStream) {
        self.id = id
        self.kind = kind
        self.sender = sender
        self.messages = messages
    }

    func send(_ message: PeerMessage) {
        self.messages.send(message)
        if case .welcome(let welcome) = message, welcome.refusal == nil {
            self.isWelcomed = true
            self.messages.messageByteCountMax = WireLimits.messageByteCountMax
        }
        if self.kind == .vote || self.kind == .read { self.messages.stream.finish() }
    }

    func close() { self.messages.close() }
}

/// Serves one stream on the peer port.
final class PeerService: HTTP2ServerHandler {
    private let owner: any PeerServiceOwner
    private let nextID: () -> StreamID
    private var upstream: PeerUpstream?
    private var sending: SegmentSending?
    private var telling: Task<Void, Never>?
    private var place: StatusPlaces.Place?
    /// A request that nodes do not make, and its body is on its way: it is thrown away.
    private var isStray = false

    private static let strayByteCountMax = 8 << 20

    init(owner: any PeerServiceOwner, nextID: @escaping () -> StreamID) {
        self.owner = owner
        self.nextID = nextID
    }

    func received(head: HTTPRequest, on stream: HTTP2Stream) {
        switch (head.method, head.path) {
        case (.post, "/peer/v1/replicate"): self.accept(.replicate, head, stream)
        case (.post, "/peer/v1/pulse"): self.accept(.pulse, head, stream)
        case (.post, "/peer/v1/vote"): self.accept(.vote, head, stream)
        case (.post, "/peer/v1/read"): self.accept(.read, head, stream)
        case (.post, "/peer/v1/transfer"): self.accept(.transfer, head, stream)
        case (.post, "/peer/v1/greet"): self.accept(.greet, head, stream)
        case (.post, "/peer/v1/refuse"): self.accept(.refuse, head, stream)
        case (.get, "/peer/v1/identity"):
            var body: [UInt8] = []
            self.owner.identity.encode(into: &body)
            // Read by nodes of all versions.
            stream.respond(
                HTTPResponse(status: .ok, headerFields: [.holdfastProtocol: Self.spoken]),
                body: ByteBuffer(bytes: body))
        case (.get, let path?) where path.hasPrefix(SegmentRequest.prefix): self.send(head, stream)
        case (.get, let path?) where StatusRequest.isMeant(by: path): self.tell(path, stream)
        default:
            // Not every client hears an answer while it is still sending: a body that ends soon is waited for.
            let length = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
            if (1...Self.strayByteCountMax).contains(length) {
                self.isStray = true
            } else {
                self.refuseStray(stream)
            }
        }
    }

    static let strayHint =
        "This is Holdfast's peer port: nodes talk to each other here. Clients use the client port."

    private func refuseStray(_ stream: HTTP2Stream) {
        // By the field a client knows which port it was given.
        stream.respond(
            HTTPResponse(status: .notFound, headerFields: [.holdfastProtocol: Self.spoken]),
            body: ByteBuffer(string: Self.strayHint + "\n"))
    }

    /// Votes, heartbeats and ranges of another cluster mean nothing here, whatever the terms they name.
    private func accept(_ kind: PeerUpstream.Kind, _ head: HTTPRequest, _ stream: HTTP2Stream) {
        let cluster = self.owner.cluster.map(\.description)
        let sender = head.headerFields[.holdfastStart].flatMap(MemberStart.init(fieldText:))
        guard head.headerFields[.holdfastCluster] == cluster else {
            // Who formed the cluster a moment earlier connects once, greets, and may have nothing to say until the next election.
            if cluster == nil, let sender, Self.maySpeak(stream, for: sender) { stream.keepConnection() }
            let hint = "This node belongs to \(cluster.map { "cluster \($0)" } ?? "no cluster yet").\n"
            return stream.respond(HTTPResponse(status: .misdirectedRequest), body: ByteBuffer(string: hint))
        }
        // With TLS a node speaks for itself only, and never for the holder of another certificate: not even its version is
        // told of in another's name.
        if let sender, case .node(let certified, _) = stream.peerName, !Self.maySpeak(stream, for: sender) {
            self.owner.noted(sender.member.node, certified: certified)
            let hint = "This is the certificate of node \(certified), and not of node \(sender.member.node).\n"
            return stream.respond(HTTPResponse(status: .forbidden), body: ByteBuffer(string: hint))
        }
        let offered = head.headerFields.protocolRange
        guard let offered, PeerProtocol.spoken.contains(offered.highest) else {
            return self.refuseVersion(offered, sender, stream)
        }
        guard let own = self.owner.start, let sender else {
            let hint = "A peer says in Holdfast-Start which start of which node it is.\n"
            return stream.respond(HTTPResponse(status: .badRequest), body: ByteBuffer(string: hint))
        }
        let messages = MessageStream(
            stream, version: offered.highest, messageByteCountMax: PeerUpstream.messageByteCountMaxUnwelcomed)
        let upstream = PeerUpstream(id: self.nextID(), kind: kind, sender: sender, messages: messages)
        self.upstream = upstream
        stream.keepConnection()
        stream.isLongLived = kind == .replicate || kind == .pulse
        stream.send(
            head: HTTPResponse(
                status: .ok, headerFields: [.holdfastStart: own.fieldText, .holdfastProtocol: Self.spoken]),
            endStream: false)
        self.owner.opened(upstream)
    }

    /// Whether the certificate, where there is one, is that of the node in whose name a stream speaks.
    private static func maySpeak(_ stream: HTTP2Stream, for sender: MemberStart) -> Bool {
        guard case .node(let certified, _) = stream.peerName else { return true }
        return certified == sender.member.node
    }

    private static let spoken = "\(PeerProtocol.spoken)"

    /// Whatever a later protocol means by a vote or a heartbeat is not guessed at; the peer learns why from the header field.
    ///
    /// - Parameter offered: Where a version of it is common, the peer asks again in that.
    private func refuseVersion(_ offered: ProtocolRange?, _ sender: MemberStart?, _ stream: HTTP2Stream) {
        if let offered, let sender, PeerProtocol.spoken.highestCommon(with: offered) == nil {
            self.owner.misunderstood(.unsupportedVersion(offered.highest), from: sender.member.node)
        }
        let hint = "This node speaks version \(Self.spoken) of the peer protocol.\n"
        stream.respond(
            HTTPResponse(status: .badRequest, headerFields: [.holdfastProtocol: Self.spoken]),
            body: ByteBuffer(string: hint))
    }

    private func send(_ head: HTTPRequest, _ stream: HTTP2Stream) {
        do throws(SegmentRefusal) {
            let request = try SegmentRequest(head)
            guard let source = self.owner.segments else { throw .noLog }
            let sending = SegmentSending(request, from: source, on: stream)
            self.sending = sending
            sending.start()
        } catch {
            error.respond(on: stream)
        }
    }

    private func tell(_ path: String, _ stream: HTTP2Stream) {
        guard let request = StatusRequest(path) else {
            let hint = "Only events_after=NUMBER is understood.\n"
            return stream.respond(HTTPResponse(status: .badRequest), body: ByteBuffer(string: hint))
        }
        guard let source = self.owner.statusSource else {
            return stream.respond(
                HTTPResponse(status: .serviceUnavailable), body: ByteBuffer(string: "This node is starting.\n"))
        }
        guard let place = self.owner.statusPlaces.take(for: stream) else {
            let hint =
                "\(StatusPlaces.perConnectionMax) of these are open on this connection already: read their answers.\n"
            return stream.respond(
                HTTPResponse(status: .tooManyRequests, headerFields: [.retryAfter: "1"]), body: ByteBuffer(string: hint)
            )
        }
        self.place = place
        self.telling = request.answer(from: source, on: stream)
    }

    func becameWritable(on stream: HTTP2Stream) { self.sending?.becameWritable() }

    func received(body: ByteBuffer, on stream: HTTP2Stream) {
        guard let upstream = self.upstream else { return }
        do throws(WireError) {
            for message in try upstream.messages.received(body) { self.owner.received(message, on: upstream) }
        } catch {
            self.owner.misunderstood(error, from: upstream.sender.member.node)
            upstream.close()
        }
    }

    func receivedEnd(on stream: HTTP2Stream) {
        if self.isStray { return self.refuseStray(stream) }
        guard let upstream = self.upstream, upstream.kind != .vote, upstream.kind != .read else { return }
        upstream.messages.stream.finish()
    }

    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {
        self.sending?.closed()
        self.sending = nil
        self.telling?.cancel()
        self.telling = nil
        if let place { self.owner.statusPlaces.giveBack(place) }
        self.place = nil
        guard let upstream = self.upstream else { return }
        self.upstream = nil
        self.owner.closed(upstream)
    }
}
