import HTTP2Transport
import LogModel
import NIOCore
import WireFormat

/// Peer messages on one HTTP/2 stream, both ways. Event loop only.
final class MessageStream {
    let stream: HTTP2Stream
    private let version: UInt16
    private var parser: MessageParser
    private var scratch: [UInt8] = []

    /// - Parameter version: Of the peer protocol, in which both nodes write here.
    init(_ stream: HTTP2Stream, version: UInt16, messageByteCountMax: Int = WireLimits.messageByteCountMax) {
        self.stream = stream
        self.version = version
        self.parser = MessageParser(version: version, messageByteCountMax: messageByteCountMax)
    }

    /// Of what comes.
    var messageByteCountMax: Int {
        get { self.parser.messageByteCountMax }
        set { self.parser.messageByteCountMax = newValue }
    }

    func send(_ message: PeerMessage) {
        guard self.stream.isOpen else { return }
        self.scratch.removeAll(keepingCapacity: true)
        let body = message.encodeHead(into: &self.scratch, version: self.version)
        var buffer = ByteBufferAllocator().buffer(capacity: self.scratch.count + body.count)
        buffer.writeBytes(self.scratch)
        buffer.writeBytes(body)
        self.stream.send(buffer, endStream: false)
    }

    /// - Throws: ``WireError`` when the peer sent what is no message; the stream is of no use any more.
    func received(_ body: ByteBuffer) throws(WireError) -> [PeerMessage] {
        self.parser.append(Array(buffer: body)[...])
        var messages: [PeerMessage] = []
        while let message = try self.parser.next() { messages.append(message) }
        return messages
    }

    func close() {
        guard self.stream.isOpen else { return }
        self.stream.reset(.cancel)
    }
}
