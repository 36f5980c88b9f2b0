/// A leader's period of office (Raft §5.1). Term 0 belongs to the founding checkpoint alone.
public struct Term: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public static let zero = Term(0)
    public var next: Term { Term(self.rawValue + 1) }
    public static func < (a: Term, b: Term) -> Bool { a.rawValue < b.rawValue }
    public var description: String { "\(self.rawValue)" }
}

/// The gapless number of a record, from 1.
public struct LogIndex: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public static let first = LogIndex(1)
    public static func < (a: LogIndex, b: LogIndex) -> Bool { a.rawValue < b.rawValue }
    public func advanced(by count: UInt64) -> LogIndex { LogIndex(self.rawValue + count) }
    public var description: String { "\(self.rawValue)" }
}

/// The number of a segment file, from 0.
public struct SegmentID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: UInt32
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    public static let first = SegmentID(0)
    public var next: SegmentID { SegmentID(self.rawValue + 1) }
    public static func < (a: SegmentID, b: SegmentID) -> Bool { a.rawValue < b.rawValue }
    public var description: String { "\(self.rawValue)" }
    /// `000007.wal`
    public var fileName: String {
        let digits = String(self.rawValue)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".wal"
    }
}

/// A configured number of a node, from 1; it names the node in members, frames, events and logs.
public struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: UInt32
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }
    public static func < (a: NodeID, b: NodeID) -> Bool { a.rawValue < b.rawValue }
    public var description: String { "\(self.rawValue)" }
}

/// Drawn at random for an empty directory: tells a wiped node from the one that was there before.
public struct Incarnation: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public static func < (a: Incarnation, b: Incarnation) -> Bool { a.rawValue < b.rawValue }
    public var description: String { String(self.rawValue, radix: 16) }
}

/// 128 bits that name a cluster; every segment header carries them.
public struct ClusterID: Hashable, Sendable, CustomStringConvertible {
    public var high: UInt64
    public var low: UInt64
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
    /// 32 lower-case hexadecimal digits.
    public var description: String {
        [self.high, self.low].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
    /// - Returns: `nil` unless `text` is exactly 32 hexadecimal digits.
    public init?(_ text: String) {
        guard
            text.utf8.count == 32, text.allSatisfy(\.isHexDigit),
            let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }
}

/// Nanoseconds since 1970.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var nanoseconds: UInt64
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
    public static let zero = Timestamp(nanoseconds: 0)
    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }
    public var description: String { "\(self.nanoseconds)" }
}

/// Nanoseconds of a clock that never goes back and means nothing outside its process.
package struct MonotonicTime: Hashable, Comparable, Sendable {
    package var nanoseconds: UInt64
    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
    package static let zero = MonotonicTime(nanoseconds: 0)
    package static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }
    package func advanced(byMilliseconds milliseconds: UInt64) -> Self {
        self.advanced(byNanoseconds: milliseconds * 1_000_000)
    }
    package func advanced(byNanoseconds nanoseconds: UInt64) -> Self {
        Self(nanoseconds: self.nanoseconds + nanoseconds)
    }
    /// Milliseconds since `earlier`; 0 when `earlier` is later.
    package func milliseconds(since earlier: Self) -> UInt64 {
        self.nanoseconds > earlier.nanoseconds ? (self.nanoseconds - earlier.nanoseconds) / 1_000_000 : 0
    }
}
