import LogModel

/// Cuts a stream into messages, whatever pieces it arrives in.
///
/// Take every message with ``next()`` after each ``append(_:)``; then at most one incomplete message is kept. A
/// message that lies within one piece shares its storage.
package struct MessageParser: Sendable {
    /// In which all messages are.
    private let version: UInt16
    private var pending: Bytes = []
    /// What follows a longer message's length is not kept. May change between messages.
    package var messageByteCountMax: Int

    package init(version: UInt16, messageByteCountMax: Int = WireLimits.messageByteCountMax) {
        self.version = version
        self.messageByteCountMax = messageByteCountMax
    }

    /// Bytes held that are no whole message yet; nonzero at the end of a stream says that it was cut.
    package var pendingByteCount: Int { self.pending.count }

    package mutating func append(_ bytes: Bytes) {
        guard !self.pending.isEmpty else {
            self.pending = bytes
            return
        }
        let announced = self.announcedByteCount ?? 0
        if announced <= self.messageByteCountMax {
            self.pending.reserveCapacity(max(announced + PeerMessage.prefixByteCount, self.pending.count + bytes.count))
        }
        self.pending.append(contentsOf: bytes)
    }

    /// - Returns: The next whole message; `nil` until more bytes come.
    /// - Throws: ``WireError``. The stream is of no use then. Too large a message is refused as soon as its length
    ///   is known, before its bytes are kept.
    package mutating func next() throws(WireError) -> PeerMessage? {
        guard let length = self.announcedByteCount else { return nil }
        guard length <= self.messageByteCountMax else {
            throw .messageTooLarge(byteCount: length, max: self.messageByteCountMax)
        }
        guard length > 0 else { throw .badValue(.emptyMessage) }
        let end = self.pending.startIndex + PeerMessage.prefixByteCount + length
        guard end <= self.pending.endIndex else { return nil }
        let message = self.pending[self.pending.startIndex + PeerMessage.prefixByteCount..<end]
        self.pending = end == self.pending.endIndex ? [] : self.pending[end...]
        return try PeerMessage.decode(message, version: self.version)
    }

    private var announcedByteCount: Int? {
        guard self.pending.count >= PeerMessage.prefixByteCount else { return nil }
        return Int(UInt32(littleEndian: self.pending.span.bytes.unsafeLoadUnaligned(as: UInt32.self)))
    }
}
