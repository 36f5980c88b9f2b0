/// What a durable cursor is called: 1 ... 64 bytes of `A-Z a-z 0-9 . _ -`, so that it needs no escapes anywhere.
public struct CursorName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public static let byteCountMax = 64

    public let text: String

    /// - Returns: `nil` for what is no name.
    public init?(_ text: some StringProtocol) {
        guard (1...Self.byteCountMax).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else {
            return nil
        }
        self.text = String(text)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    public static func < (a: Self, b: Self) -> Bool { a.text < b.text }
    public var description: String { self.text }
}

/// How far a reader has come, kept by the log itself.
public struct Cursor: Hashable, Sendable {
    /// Of the record that the reader wants next.
    public var index: LogIndex
    /// Nothing from `index` on is trimmed.
    public var holdsTrims: Bool

    public init(index: LogIndex, holdsTrims: Bool = false) {
        self.index = index
        self.holdsTrims = holdsTrims
    }
}
