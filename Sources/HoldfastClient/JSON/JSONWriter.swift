import LogModel

/// Writes JSON straight into bytes: no intermediate values, no reflection.
///
/// For what is written often (records, acknowledgements); rare documents use `Codable`.
package struct JSONWriter {
    package private(set) var bytes: [UInt8]
    /// Whether the next member or element needs a comma before it.
    private var needsComma = false

    package init(reserving byteCount: Int = 256) {
        self.bytes = []
        self.bytes.reserveCapacity(byteCount)
    }

    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        self.open(UInt8(ascii: "{"))
        body(&self)
        self.close(UInt8(ascii: "}"))
    }

    package mutating func array(_ body: (inout JSONWriter) -> Void) {
        self.open(UInt8(ascii: "["))
        body(&self)
        self.close(UInt8(ascii: "]"))
    }

    /// A member's name, which the next write gives its value. `name` needs no escapes.
    package mutating func name(_ name: StaticString) {
        self.separate()
        self.bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { self.bytes.append(contentsOf: $0) }
        self.bytes.append(UInt8(ascii: "\""))
        self.bytes.append(UInt8(ascii: ":"))
        self.needsComma = false
    }

    /// The same for a name that is not known when this is compiled.
    package mutating func name(quoting name: String) {
        self.string(name)
        self.bytes.append(UInt8(ascii: ":"))
        self.needsComma = false
    }

    package mutating func member(_ name: StaticString, _ value: some BinaryInteger) {
        self.name(name)
        self.number(value)
    }

    package mutating func member(_ name: StaticString, _ value: Bool) {
        self.name(name)
        self.separate()
        self.bytes.append(contentsOf: (value ? "true" : "false").utf8)
        self.needsComma = true
    }

    package mutating func member(_ name: StaticString, _ value: String) {
        self.name(name)
        self.string(value)
    }

    package mutating func number(_ value: some BinaryInteger) {
        self.separate()
        if let value = UInt64(exactly: value) {
            self.digits(of: value)
        } else {
            self.bytes.append(contentsOf: String(value).utf8)
        }
        self.needsComma = true
    }

    private mutating func digits(of value: UInt64) {
        let start = self.bytes.count
        var rest = value
        repeat {
            self.bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        self.bytes[start...].reverse()
    }

    package mutating func string(_ value: String) {
        self.separate()
        self.quote(value.utf8)
        self.needsComma = true
    }

    /// Bytes as a string under `name` when they are valid UTF-8, otherwise under `base64Name`.
    package mutating func member(_ name: StaticString, orBase64 base64Name: StaticString, _ value: Bytes) {
        if (try? UTF8Span(validating: value.span)) != nil {
            self.name(name)
            self.separate()
            self.quote(value)
            self.needsComma = true
        } else {
            self.member(base64Name, Base64.encode(value))
        }
    }

    /// A line end between the documents of NDJSON.
    package mutating func endLine() {
        self.bytes.append(UInt8(ascii: "\n"))
        self.needsComma = false
    }

    private mutating func open(_ bracket: UInt8) {
        self.separate()
        self.bytes.append(bracket)
        self.needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        self.bytes.append(bracket)
        self.needsComma = true
    }

    private mutating func separate() {
        if self.needsComma { self.bytes.append(UInt8(ascii: ",")) }
    }

    /// How long `text` becomes as a string, but for its quotes.
    package static func quotedByteCount(of text: Bytes) -> Int {
        var escapes = 0
        var controls = 0
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
                escapes += 1
            case 0..<0x20: controls += 1
            default: break
            }
        }
        return text.count + escapes + 5 * controls
    }

    private mutating func quote(_ text: some Sequence<UInt8>) {
        self.bytes.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                self.bytes.append(UInt8(ascii: "\\"))
                self.bytes.append(byte)
            case UInt8(ascii: "\n"): self.bytes.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): self.bytes.append(contentsOf: "\\r".utf8)
            case UInt8(ascii: "\t"): self.bytes.append(contentsOf: "\\t".utf8)
            case 0..<0x20:
                self.bytes.append(contentsOf: byte < 0x10 ? "\\u000".utf8 : "\\u001".utf8)
                let digit = byte & 0xf
                self.bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            default: self.bytes.append(byte)
            }
        }
        self.bytes.append(UInt8(ascii: "\""))
    }
}
