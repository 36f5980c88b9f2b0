import LogModel

/// Who speaks on a stream: a header field of the request, and of the answer.
///
///     u32 node | u64 incarnation | u32 generation | u64 starts | u8 retired | u8 count | u64 life ...
extension MemberStart: WireMessage {
    package init(reading reader: inout WireReader) throws(WireError) {
        let member = try reader.member()
        let generation: UInt32 = try reader.integer()
        let starts: UInt64 = try reader.integer()
        let isRetired = try reader.bool()
        let count = Int(try reader.integer(UInt8.self))
        guard 1...Self.livesMax ~= count else { throw .badValue(.lives) }
        var lives: [Life] = []
        for _ in 0..<count { lives.append(Life(try reader.integer())) }
        self.init(member: member, generation: generation, starts: starts, lives: lives, isRetired: isRetired)
    }

    package func encode(into bytes: inout [UInt8]) {
        bytes.put(self.member)
        bytes.put(self.generation)
        bytes.put(self.starts)
        bytes.put(self.isRetired)
        bytes.append(UInt8(self.lives.count))
        for life in self.lives { bytes.put(life.rawValue) }
    }

    /// As a header field has it: hexadecimal digits.
    package var fieldText: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in self.encoded() { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    /// - Returns: `nil` for anything that ``fieldText`` does not write.
    package init?(fieldText: String) {
        let digits = Array(fieldText.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for offset in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[offset..<offset + 2], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        guard let start = try? Self.decode(bytes[...]), start.fieldText == fieldText else { return nil }
        self = start
    }
}
