/// How many frames there were, and how much DATA.
package struct FrameTally: Hashable, Sendable {
    /// What a DATA frame counts for at least: few bytes are as much work.
    package static let dataByteCountMin = 64
    private static let dataType: UInt8 = 0

    /// Frames that are not DATA, or are without any: those take nothing of a window, so that no window can have held them.
    package private(set) var otherCount = 0
    package private(set) var dataCount = 0
    /// The payloads of DATA, each as ``dataByteCountMin`` bytes at least.
    package private(set) var dataByteCount = 0

    package init() {}

    package var isEmpty: Bool { self.otherCount == 0 && self.dataCount == 0 }

    package mutating func add(type: UInt8, payloadByteCount: Int) {
        guard type == Self.dataType, payloadByteCount > 0 else { return self.otherCount += 1 }
        self.dataCount += 1
        self.dataByteCount += max(payloadByteCount, Self.dataByteCountMin)
    }

    /// What is in the first and not in the second. Never less than nothing: what the second has beside it does not count.
    package static func - (all: FrameTally, part: FrameTally) -> FrameTally {
        var rest = all
        rest.otherCount = max(0, all.otherCount - part.otherCount)
        rest.dataCount = max(0, all.dataCount - part.dataCount)
        rest.dataByteCount = max(0, all.dataByteCount - part.dataByteCount)
        return rest
    }
}
