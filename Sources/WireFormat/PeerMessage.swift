import LogModel

/// Everything that travels between peers, in streams as `u32 length | u8 type | body`, the length counting the
/// type and the body.
///
/// Layouts are those of a version of the peer protocol, the one on which the two nodes of the stream have agreed.
package enum PeerMessage: Hashable, Sendable {
    case voteRequest(VoteRequest)
    case voteReply(VoteReply)
    case heartbeat(Heartbeat)
    case heartbeatReply(HeartbeatReply)
    case hello(ReplicateHello)
    case welcome(ReplicateWelcome)
    case range(RangeMessage)
    case ack(AckMessage)
    /// The leader's log begins here: what the follower needs is gone.
    case trimmed(first: Position)
    case identity(PeerIdentity)
    case transferRequest(TransferRequest)
    case readIndexRequest(ReadIndexRequest)
    case readIndexReply(ReadIndexReply)
    /// Nothing but who speaks, which stands in the stream's header fields: the first thing on every connection.
    case greeting
    case refusal(PeerRefusal)

    /// Bytes of the length in front.
    package static let prefixByteCount = 4

    var type: UInt8 {
        switch self {
        case .voteRequest: 1
        case .voteReply: 2
        case .heartbeat: 3
        case .heartbeatReply: 4
        case .hello: 5
        case .welcome: 6
        case .range: 7
        case .ack: 8
        case .trimmed: 9
        case .identity: 10
        case .transferRequest: 11
        case .readIndexRequest: 12
        case .readIndexReply: 13
        case .greeting: 14
        case .refusal: 15
        }
    }

    /// Appends the message with its length in front.
    package func encode(into bytes: inout [UInt8], version: UInt16) {
        let body = self.encodeHead(into: &bytes, version: version)
        bytes.append(contentsOf: body)
    }

    package func encoded(version: UInt16) -> [UInt8] {
        var bytes: [UInt8] = []
        if case .range(let range) = self {
            bytes.reserveCapacity(Self.prefixByteCount + 1 + RangeMessage.headByteCount + range.body.count)
        } else {
            bytes.reserveCapacity(128)
        }
        self.encode(into: &bytes, version: version)
        return bytes
    }

    /// As ``encode(into:version:)``, but leaves out a range's body, so that it can be sent by reference.
    ///
    /// - Returns: What must follow the appended bytes; empty but for a range.
    package func encodeHead(into bytes: inout [UInt8], version: UInt16) -> Bytes {
        let start = bytes.count
        bytes.put(UInt32(0))
        bytes.append(self.type)
        var body: Bytes = []
        switch self {
        case .voteRequest(let message): message.encode(into: &bytes)
        case .voteReply(let message): message.encode(into: &bytes)
        case .heartbeat(let message): message.encode(into: &bytes)
        case .heartbeatReply(let message): message.encode(into: &bytes)
        case .hello(let message): message.encode(into: &bytes, version: version)
        case .welcome(let message): message.encode(into: &bytes, version: version)
        case .range(let message):
            message.encodeHead(into: &bytes)
            body = message.body
        case .ack(let message): message.encode(into: &bytes)
        case .trimmed(let first): bytes.put(first)
        case .identity(let message): message.encode(into: &bytes)
        case .transferRequest(let message): message.encode(into: &bytes)
        case .readIndexRequest(let message): message.encode(into: &bytes)
        case .readIndexReply(let message): message.encode(into: &bytes)
        case .greeting: break
        case .refusal(let message): message.encode(into: &bytes)
        }
        let length = bytes.count - start - Self.prefixByteCount + body.count
        precondition(length <= WireLimits.messageByteCountMax, "a message of \(length) bytes")
        for (offset, shift) in [0, 8, 16, 24].enumerated() {
            bytes[start + offset] = UInt8(truncatingIfNeeded: length >> shift)
        }
        return body
    }

    /// Reads a message behind its length: its type and its body.
    package static func decode(_ bytes: Bytes, version: UInt16) throws(WireError) -> PeerMessage {
        guard let type = bytes.first else { throw .badValue(.emptyMessage) }
        let body = bytes.dropFirst()
        switch type {
        case 1: return .voteRequest(try VoteRequest.decode(body))
        case 2: return .voteReply(try VoteReply.decode(body))
        case 3: return .heartbeat(try Heartbeat.decode(body))
        case 4: return .heartbeatReply(try HeartbeatReply.decode(body))
        case 5: return .hello(try ReplicateHello.decode(body, version: version))
        case 6: return .welcome(try ReplicateWelcome.decode(body, version: version))
        case 7: return .range(try RangeMessage.decode(body))
        case 8: return .ack(try AckMessage.decode(body))
        case 9:
            let first = try WireReader.whole(body) { (reader) throws(WireError) in try reader.position() }
            return .trimmed(first: first)
        case 10: return .identity(try PeerIdentity.decode(body))
        case 11: return .transferRequest(try TransferRequest.decode(body))
        case 12: return .readIndexRequest(try ReadIndexRequest.decode(body))
        case 13: return .readIndexReply(try ReadIndexReply.decode(body))
        case 14:
            try WireReader(body).finish()
            return .greeting
        case 15: return .refusal(try PeerRefusal.decode(body))
        default: throw .unknownMessage(type: type)
        }
    }
}
