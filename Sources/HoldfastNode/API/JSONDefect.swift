import LogModel

/// Why a body is not the document that it should be. Places are indexes of the body's bytes.
package enum JSONDefect: Error, Hashable {
    case byteOrderMark
    case notUTF8(at: Int)
    /// Something else stands there, or nothing.
    case expected(String, at: Int)
    /// Half of a surrogate pair.
    case halfCharacter(at: Int)
    case nameTwice(String, at: Int)
    case unknownName(String, known: [String], at: Int)
    case bothNames(String, String, at: Int)
    case missing(String, at: Int)

    /// As ``words(of:)``, for a body that is one line of something else: where it is, by column.
    package func words(ofLine line: Bytes) -> String {
        let words = self.words(of: line)
        return String(words.trimmingPrefix("line 1, "))
    }

    /// One sentence, for whoever wrote `body`: where it is, by line and column, and what.
    func words(of body: Bytes) -> String {
        switch self {
        case .byteOrderMark: "it begins with a byte order mark"
        case .notUTF8(let place): "\(Self.place(place, in: body)): this is not UTF-8"
        case .expected(let what, let place):
            "\(Self.place(place, in: body)): expected \(what), found \(Self.found(place, in: body))"
        case .halfCharacter(let place): "\(Self.place(place, in: body)): half of a surrogate pair is no character"
        case .nameTwice(let name, let place): "\(Self.place(place, in: body)): \(name) is there twice"
        case .unknownName(let name, let known, let place):
            "\(Self.place(place, in: body)): \(name) is not known here; known are \(known.joined(separator: ", "))"
        case .bothNames(let one, let other, let place):
            "\(Self.place(place, in: body)): \(one) and \(other) exclude each other"
        case .missing(let what, let place): "\(Self.place(place, in: body)): \(what) is missing"
        }
    }

    private static func place(_ place: Int, in body: Bytes) -> String {
        let before = body[body.startIndex..<place]
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? before.startIndex
        // Characters, not bytes: continuation bytes of UTF-8 do not count.
        let column = before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1
        return "line \(line), column \(column)"
    }

    private static func found(_ place: Int, in body: Bytes) -> String {
        let word = body[place...].prefix { !" \t\r\n,]}:".utf8.contains($0) }
        guard let first = word.first ?? body[place...].first else { return "the end" }
        if first < 0x20 || first == 0x7F { return "a control character" }
        return word.isEmpty ? String(UnicodeScalar(first)) : String(String(decoding: word, as: UTF8.self).prefix(20))
    }
}
