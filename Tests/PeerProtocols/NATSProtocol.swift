import NIOCore

/// The client protocol of NATS, both ways: <https://docs.nats.io/reference/reference-protocols/nats-protocol>.
///
///     server: INFO {json} | MSG subject sid [reply] length | HMSG subject sid [reply] head-length length
///             | PING | PONG | +OK | -ERR
///     client: CONNECT {json} | PUB subject [reply] length | SUB subject [queue] sid | PING | PONG
///
/// Each ends with CR LF; behind MSG, HMSG and PUB stand as many bytes as their line says, and CR LF again.
package enum NATSProtocol {
    package enum Operation: Hashable {
        case info
        case connect
        case subscribe(subject: ByteBuffer, sid: Int)
        case publish(subject: ByteBuffer, reply: ByteBuffer?, payload: ByteBuffer)
        /// `payload` stands behind the headers, which have `headByteCount` bytes of it.
        case message(subject: ByteBuffer, sid: Int, headByteCount: Int, payload: ByteBuffer)
        case ping
        case pong
        case ok
        case failed(String)
    }

    package enum Failure: Error, Hashable {
        case unknownOperation(String)
        /// A line without an end, or a payload of more bytes than a server accepts.
        case tooLong(byteCount: Int)
        /// No CR LF behind a payload.
        case notTerminated
    }

    package static let lineByteCountMax = 64 << 10
    package static let payloadByteCountMax = 64 << 20

    /// Takes the next whole operation off what was received.
    ///
    /// - Returns: `nil` when it is not there yet: nothing was taken then.
    package static func next(from input: inout ByteBuffer) throws(Failure) -> Operation? {
        guard let end = input.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else {
            guard input.readableBytes <= self.lineByteCountMax else { throw .tooLong(byteCount: input.readableBytes) }
            return nil
        }
        let begin = input.readerIndex
        var line = Line(bytes: input.readableBytesView[begin..<end])
        let next = end + 1 - begin
        let name = line.word() ?? begin..<begin
        let operation: Operation?
        switch (name.count, input.getInteger(at: begin, as: UInt8.self)) {
        case (3, UInt8(ascii: "M")), (4, UInt8(ascii: "H")):
            return try self.message(&input, &line, isHeaded: name.count == 4, lineByteCount: next)
        case (3, UInt8(ascii: "P")): return try self.publish(&input, &line, lineByteCount: next)
        case (4, UInt8(ascii: "I")): operation = .info
        case (4, UInt8(ascii: "P")):
            operation = input.getInteger(at: begin + 1, as: UInt8.self) == UInt8(ascii: "I") ? .ping : .pong
        case (3, UInt8(ascii: "+")): operation = .ok
        case (7, UInt8(ascii: "C")): operation = .connect
        case (3, UInt8(ascii: "S")):
            let words = line.words()
            operation =
                words.count >= 2
                ? input.slice(words[0]).map { .subscribe(subject: $0, sid: line.number(words[words.count - 1])) } : nil
        case (4, UInt8(ascii: "-")): operation = .failed(line.text)
        default: operation = nil
        }
        guard let operation else { throw .unknownOperation(line.text) }
        input.moveReaderIndex(forwardBy: next)
        return operation
    }

    private static func message(
        _ input: inout ByteBuffer, _ line: inout Line, isHeaded: Bool, lineByteCount: Int
    ) throws(Failure) -> Operation? {
        let words = line.words()
        let numberCount = isHeaded ? 2 : 1
        guard words.count >= 2 + numberCount, let subject = input.slice(words[0]) else {
            throw .unknownOperation(line.text)
        }
        let byteCount = line.number(words[words.count - 1])
        let headByteCount = isHeaded ? line.number(words[words.count - 2]) : 0
        let sid = line.number(words[1])
        guard headByteCount >= 0, headByteCount <= byteCount else { throw .unknownOperation(line.text) }
        guard let payload = try self.payload(&input, byteCount, behind: lineByteCount, line) else { return nil }
        return .message(subject: subject, sid: sid, headByteCount: headByteCount, payload: payload)
    }

    private static func publish(
        _ input: inout ByteBuffer, _ line: inout Line, lineByteCount: Int
    ) throws(Failure) -> Operation? {
        let words = line.words()
        guard (2...3).contains(words.count), let subject = input.slice(words[0]) else {
            throw .unknownOperation(line.text)
        }
        let reply = words.count == 3 ? input.slice(words[1]) : nil
        let byteCount = line.number(words[words.count - 1])
        guard let payload = try self.payload(&input, byteCount, behind: lineByteCount, line) else { return nil }
        return .publish(subject: subject, reply: reply, payload: payload)
    }

    private static func payload(
        _ input: inout ByteBuffer, _ byteCount: Int, behind lineByteCount: Int, _ line: Line
    ) throws(Failure) -> ByteBuffer? {
        guard byteCount >= 0 else { throw .unknownOperation(line.text) }
        guard byteCount <= self.payloadByteCountMax else { throw .tooLong(byteCount: byteCount) }
        guard input.readableBytes >= lineByteCount + byteCount + 2 else { return nil }
        let end = input.readerIndex + lineByteCount + byteCount
        guard input.getInteger(at: end, as: UInt16.self) == 0x0D0A else { throw .notTerminated }
        input.moveReaderIndex(forwardBy: lineByteCount)
        defer { input.moveReaderIndex(forwardBy: 2) }
        return input.readSlice(length: byteCount)
    }

    /// Words of a line, as ranges of the buffer: nothing is copied for a message.
    private struct Line {
        let bytes: ByteBufferView
        private var position: Int

        init(bytes: ByteBufferView) {
            self.bytes = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
            self.position = bytes.startIndex
        }

        var text: String { String(decoding: self.bytes.prefix(200), as: UTF8.self) }

        mutating func word() -> Range<Int>? {
            while self.position < self.bytes.endIndex, self.isSpace(self.position) { self.position += 1 }
            let begin = self.position
            while self.position < self.bytes.endIndex, !self.isSpace(self.position) { self.position += 1 }
            return begin < self.position ? begin..<self.position : nil
        }

        /// All that are left.
        mutating func words() -> [Range<Int>] {
            var words: [Range<Int>] = []
            words.reserveCapacity(4)
            while let word = self.word() { words.append(word) }
            return words
        }

        /// - Returns: -1 for what is no number of at most nine digits.
        func number(_ word: Range<Int>) -> Int {
            guard word.count <= 9 else { return -1 }
            var value = 0
            for byte in self.bytes[word] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return -1 }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
            }
            return value
        }

        private func isSpace(_ index: Int) -> Bool {
            self.bytes[index] == UInt8(ascii: " ") || self.bytes[index] == UInt8(ascii: "\t")
        }
    }
}

extension ByteBuffer {
    fileprivate func slice(_ range: Range<Int>) -> ByteBuffer? {
        self.getSlice(at: range.lowerBound, length: range.count)
    }
}
