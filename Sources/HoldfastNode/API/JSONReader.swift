import LogModel

/// Reads a JSON body (RFC 8259) by the shape that it must have: strictly, without copying text that has no escapes, and
/// without recursion, since a shape is never deeper than it is written.
///
/// A name that is unknown or comes twice is a defect: what was misspelt must not be ignored.
struct JSONReader {
    /// What stands at some place, by its first byte.
    enum Kind {
        case object
        case array
        case text
        case number
        case flag
        case null
        case nothing
    }

    private let bytes: Bytes
    private(set) var place: Int

    /// Reads the whole of `bytes` as one document.
    static func read<Value>(
        _ bytes: Bytes, _ body: (inout JSONReader) throws(JSONDefect) -> Value
    ) throws(JSONDefect) -> Value {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw .byteOrderMark }
        do { _ = try UTF8Span(validating: bytes.span) } catch {
            throw .notUTF8(at: bytes.startIndex + error.byteOffsets.lowerBound)
        }
        var reader = JSONReader(bytes: bytes, place: bytes.startIndex)
        let value = try body(&reader)
        guard reader.next() == nil else { throw .expected("nothing behind the document", at: reader.place) }
        return value
    }

    /// - Parameter member: Reads the value of the member that it is given the name of; all of it.
    mutating func object(
        _ member: (inout JSONReader, _ name: String) throws(JSONDefect) -> Void
    ) throws(JSONDefect) {
        try self.take("{", orElse: "an object")
        var names: [String] = []
        if self.takeIfNext("}") { return }
        while true {
            _ = self.next()
            let start = self.place
            let name = String(decoding: try self.text("a name in quotes"), as: UTF8.self)
            guard !names.contains(name) else { throw .nameTwice(name, at: start) }
            names.append(name)
            try self.take(":", orElse: "a colon")
            _ = self.next()
            try member(&self, name)
            if self.takeIfNext("}") { return }
            try self.take(",", orElse: "a comma or }")
        }
    }

    /// - Parameter element: Reads one element, all of it.
    mutating func array(_ element: (inout JSONReader) throws(JSONDefect) -> Void) throws(JSONDefect) {
        try self.take("[", orElse: "an array")
        if self.takeIfNext("]") { return }
        while true {
            _ = self.next()
            try element(&self)
            if self.takeIfNext("]") { return }
            try self.take(",", orElse: "a comma or ]")
        }
    }

    /// - Returns: A slice of the body where there are no escapes.
    mutating func text(_ what: String = "text in quotes") throws(JSONDefect) -> Bytes {
        try self.take("\"", orElse: what)
        let start = self.place
        while self.place < self.bytes.endIndex {
            switch self.bytes[self.place] {
            case UInt8(ascii: "\""):
                self.place += 1
                return self.bytes[start..<self.place - 1]
            case UInt8(ascii: "\\"): return try self.escapedText(from: start)
            case 0..<0x20: throw .expected("an escape for a control character", at: self.place)
            default: self.place += 1
            }
        }
        throw .expected("a closing quote", at: self.place)
    }

    private mutating func escapedText(from start: Int) throws(JSONDefect) -> Bytes {
        var text = Array(self.bytes[start..<self.place])
        while self.place < self.bytes.endIndex {
            let byte = self.bytes[self.place]
            switch byte {
            case UInt8(ascii: "\""):
                self.place += 1
                return text[...]
            case UInt8(ascii: "\\"): text.append(contentsOf: String(try self.escape()).utf8)
            case 0..<0x20: throw .expected("an escape for a control character", at: self.place)
            default:
                text.append(byte)
                self.place += 1
            }
        }
        throw .expected("a closing quote", at: self.place)
    }

    private mutating func escape() throws(JSONDefect) -> Unicode.Scalar {
        let start = self.place
        self.place += 1
        guard self.place < self.bytes.endIndex else { throw .expected("an escape", at: self.place) }
        let letter = self.bytes[self.place]
        self.place += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try self.fourDigits()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            guard UTF16.isLeadSurrogate(unit), self.bytes[self.place...].starts(with: "\\u".utf8) else {
                throw .halfCharacter(at: start)
            }
            self.place += 2
            let second = try self.fourDigits()
            guard UTF16.isTrailSurrogate(second) else { throw .halfCharacter(at: start) }
            return UTF16.decode(UTF16.EncodedScalar([unit, second]))
        default: throw .expected(#"one of \" \\ \/ \b \f \n \r \t \u"#, at: start)
        }
    }

    private mutating func fourDigits() throws(JSONDefect) -> UInt16 {
        let digits = self.bytes[self.place...].prefix(4)
        // A sign would be taken, too.
        guard digits.count == 4, digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-"),
            let number = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw .expected("four hexadecimal digits", at: self.place) }
        self.place += 4
        return number
    }

    mutating func wholeNumber() throws(JSONDefect) -> UInt64 {
        let start = self.place
        let word = self.bytes[start...].prefix { !" \t\r\n,]}".utf8.contains($0) }
        guard word.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            word.count == 1 || word.first != UInt8(ascii: "0"),
            let number = UInt64(String(decoding: word, as: UTF8.self))
        else { throw .expected("a whole number of 64 bits", at: start) }
        self.place = word.endIndex
        return number
    }

    mutating func flag() throws(JSONDefect) -> Bool {
        if self.takeWord("true") { return true }
        if self.takeWord("false") { return false }
        throw .expected("true or false", at: self.place)
    }

    /// Takes `null`, which says that a member is not there.
    mutating func null() -> Bool { self.takeWord("null") }

    var kind: Kind {
        guard self.place < self.bytes.endIndex else { return .nothing }
        switch self.bytes[self.place] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .text
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .flag
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: return .nothing
        }
    }

    // MARK: Bytes

    /// Skips white space; returns what stands behind it.
    mutating func next() -> UInt8? {
        while self.place < self.bytes.endIndex, " \t\r\n".utf8.contains(self.bytes[self.place]) { self.place += 1 }
        return self.place < self.bytes.endIndex ? self.bytes[self.place] : nil
    }

    private mutating func takeIfNext(_ character: Unicode.Scalar) -> Bool {
        guard self.next() == UInt8(ascii: character) else { return false }
        self.place += 1
        return true
    }

    private mutating func take(_ character: Unicode.Scalar, orElse what: String) throws(JSONDefect) {
        guard self.takeIfNext(character) else { throw .expected(what, at: self.place) }
    }

    private mutating func takeWord(_ word: StaticString) -> Bool {
        let isThere = word.withUTF8Buffer { self.bytes[self.place...].starts(with: $0) }
        if isThere { self.place += word.utf8CodeUnitCount }
        return isThere
    }
}
