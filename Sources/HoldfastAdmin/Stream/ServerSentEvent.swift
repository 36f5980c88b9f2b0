import HoldfastClient
import NIOCore

/// Writes `text/event-stream` (HTML §9.2).
enum ServerSentEvent {
    /// - Parameter document: One line of JSON, with its line end.
    static func status(_ document: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer(string: "event: status\ndata: ")
        buffer.writeBytes(document)
        buffer.writeString("\n")
        return buffer
    }

    static func event(_ event: EventDocument, id: StreamPlace) -> ByteBuffer {
        var buffer = ByteBuffer(string: "event: event\nid: \(id)\ndata: ")
        buffer.writeBytes(JSONDocument.encode(event))
        buffer.writeString("\n")
        return buffer
    }

    /// The first thing of a stream: how soon a browser comes back.
    static let beginning = ByteBuffer(string: "retry: 500\n\n")
}

/// Where a stream is: the `id:` of its events. It means nothing to another node, nor to this one after a restart; such a
/// reader gets all events that are still kept.
struct StreamPlace: Hashable, CustomStringConvertible {
    /// Drawn when the node's process starts.
    var process: UInt32
    var place: UInt64

    var description: String { "\(String(self.process, radix: 16))-\(self.place)" }

    init(process: UInt32, place: UInt64) {
        self.process = process
        self.place = place
    }

    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let process = UInt32(parts[0], radix: 16), let place = UInt64(parts[1]) else {
            return nil
        }
        self.init(process: process, place: place)
    }
}
