import HTTP2Transport
import HTTPTypes
import LogModel
import NIOCore
import ReplicaCore
import WireFormat

/// Reads a peer's answers on one stream.
final class PeerReplies: HTTP2ClientHandler {
    private weak var link: PeerLink?
    private let stream: StreamID?
    /// Keeps the stream's parser; set right after opening.
    var messages: MessageStream?
    /// Who answers; `nil` until it has accepted the stream.
    private var sender: MemberStart?
    /// Asks the same again, if another version of the protocol is spoken by now; `nil` for what is asked again anyway.
    var repeats: (() -> Void)?

    init(link: PeerLink, stream: StreamID?) {
        self.link = link
        self.stream = stream
    }

    func received(head: HTTPResponse, on stream: HTTP2Stream) {
        if head.status == .ok { self.sender = self.link?.sender(of: head) }
        let outcome = self.hear(head)
        if outcome == .nothingCommon { self.sender = nil }
        if self.sender == nil { self.messages?.close() }
        if head.status == .badRequest { self.repeats?() }
    }

    /// A refusal for another reason than the version says nothing of it.
    private func hear(_ head: HTTPResponse) -> ProtocolOffer.Outcome? {
        guard head.status == .ok || head.headerFields[.holdfastProtocol] != nil else { return nil }
        return head.headerFields.protocolRange.flatMap { self.link?.heard($0) } ?? .nothingCommon
    }

    func received(body: ByteBuffer, on stream: HTTP2Stream) {
        guard let sender = self.sender, let messages = self.messages else { return }
        do throws(WireError) {
            for message in try messages.received(body) { self.link?.received(message, from: sender, on: self.stream) }
        } catch {
            self.link?.misunderstood(error)
            messages.close()
            self.link?.streamEnded(self.stream)
        }
    }

    func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) {
        self.link?.streamEnded(self.stream)
    }

    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {
        self.link?.streamEnded(self.stream)
        self.messages = nil
    }
}
