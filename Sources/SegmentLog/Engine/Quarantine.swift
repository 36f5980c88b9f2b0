import DiskIO
import LogModel
import Synchronization

/// The ranges of a log that are known to be damaged: never served, and listed until they are repaired.
///
/// Recovery, readers and the scrubber add to it; reads ask it first. Any thread. Asking costs one load while it is
/// empty, which it nearly always is.
///
/// Bounded: ranges that touch become one, and beyond ``EngineLimits/quarantinedRangesMax`` a segment has one range,
/// from its first damaged byte to its last.
package final class Quarantine: Sendable {
    private let count: Atomic<Int>
    /// Ascending, no two of a segment touch.
    private let ranges: Lock<[Damage]>

    package init(_ damage: [Damage] = []) {
        var ranges: [Damage] = []
        for damage in damage { Self.insert(damage, into: &ranges) }
        self.count = Atomic(ranges.count)
        self.ranges = Lock(ranges)
    }

    package var isEmpty: Bool { self.count.load(ordering: .acquiring) == 0 }

    /// Everything known, ascending.
    package var damage: [Damage] { self.isEmpty ? [] : self.ranges.withLock { $0 } }

    /// Adds a range.
    ///
    /// - Returns: Whether any of it was not known before.
    @discardableResult
    package func note(_ damage: Damage) -> Bool {
        self.ranges.withLock { ranges in
            let isNew = Self.insert(damage, into: &ranges)
            self.count.store(ranges.count, ordering: .releasing)
            return isNew
        }
    }

    /// What of a segment may be read from `range.lowerBound` on: up to the next damage.
    ///
    /// - Returns: The end of the part without damage, at most `range.upperBound`.
    /// - Throws: ``LogError/damaged(_:)`` when the first byte lies in a damaged range.
    package func goodEnd(of range: Range<Int>, in segment: SegmentID) throws(LogError) -> Int {
        guard !self.isEmpty else { return range.upperBound }
        let first = self.ranges.withLock { ranges in
            ranges.first { $0.segment == segment && ($0.isWhole || $0.range.upperBound > range.lowerBound) }
        }
        guard let first else { return range.upperBound }
        guard !first.isWhole, first.range.lowerBound > range.lowerBound else { throw .damaged(first) }
        return min(range.upperBound, first.range.lowerBound)
    }

    /// - Throws: ``LogError/damaged(_:)`` when the segment's file is known to be missing.
    package func checkPresence(of segment: SegmentID) throws(LogError) {
        guard !self.isEmpty else { return }
        let missing = self.ranges.withLock { ranges in ranges.first { $0.segment == segment && $0.isWhole } }
        if let missing { throw .damaged(missing) }
    }

    /// As ``goodEnd(of:in:)``, and refuses unless the whole range is good.
    package func check(_ range: Range<Int>, of segment: SegmentID) throws(LogError) {
        guard !self.isEmpty, !range.isEmpty else { return }
        let end = try self.goodEnd(of: range, in: segment)
        if end < range.upperBound { _ = try self.goodEnd(of: end..<range.upperBound, in: segment) }
    }

    /// Forgets what is known of a range that is good again; of a damage that lies partly outside, the rest stays.
    package func repaired(_ range: Range<Int>, of segment: SegmentID) {
        self.change { ranges in
            ranges = ranges.flatMap { damage -> [Damage] in
                guard damage.segment == segment else { return [damage] }
                if damage.isWhole { return [] }
                let before =
                    damage.range
                    .lowerBound..<max(damage.range.lowerBound, min(range.lowerBound, damage.range.upperBound))
                let after =
                    min(
                        damage.range.upperBound, max(range.upperBound, damage.range.lowerBound))..<damage.range
                    .upperBound
                return [before, after].filter { !$0.isEmpty }.map { Damage(segment, $0, damage.kind) }
            }
        }
    }

    /// Forgets segments that are gone, and what lies at and behind the tail of the last one.
    package func forget(before first: SegmentID, from tail: Position) {
        guard !self.isEmpty else { return }
        self.change { ranges in
            ranges.removeAll { damage in
                let start = Position(segment: damage.segment, offset: UInt32(clamping: damage.range.lowerBound))
                return damage.segment < first || start >= tail
            }
        }
    }

    private func change(_ body: (inout [Damage]) -> Void) {
        self.ranges.withLock { ranges in
            body(&ranges)
            self.count.store(ranges.count, ordering: .releasing)
        }
    }

    @discardableResult
    private static func insert(_ damage: Damage, into ranges: inout [Damage]) -> Bool {
        var merged = damage
        var isNew = true
        ranges.removeAll { known in
            guard known.touches(merged) else { return false }
            if known.covers(damage) { isNew = false }
            merged = known.merged(with: merged)
            return true
        }
        let place = ranges.firstIndex { ($0.segment, $0.range.lowerBound) > (merged.segment, merged.range.lowerBound) }
        ranges.insert(merged, at: place ?? ranges.count)
        if ranges.count > EngineLimits.quarantinedRangesMax { Self.coarsen(&ranges) }
        return isNew
    }

    /// One range for each segment, from its first damaged byte to its last.
    private static func coarsen(_ ranges: inout [Damage]) {
        var coarse: [Damage] = []
        for damage in ranges {
            if let last = coarse.last, last.segment == damage.segment {
                coarse[coarse.count - 1] = last.merged(with: damage)
            } else {
                coarse.append(damage)
            }
        }
        ranges = coarse
    }
}

extension Damage {
    /// Nothing of the segment can be read.
    var isWhole: Bool { self.kind == .missing }

    func touches(_ other: Damage) -> Bool {
        guard self.segment == other.segment else { return false }
        return self.isWhole || other.isWhole
            || self.range.lowerBound <= other.range.upperBound && other.range.lowerBound <= self.range.upperBound
    }

    fileprivate func covers(_ other: Damage) -> Bool {
        guard self.segment == other.segment else { return false }
        if self.isWhole { return true }
        return !other.isWhole && self.range.lowerBound <= other.range.lowerBound
            && self.range.upperBound >= other.range.upperBound
    }

    /// The kind that says more stays: a missing file, else the one found first.
    fileprivate func merged(with other: Damage) -> Damage {
        let range =
            min(self.range.lowerBound, other.range.lowerBound)..<max(self.range.upperBound, other.range.upperBound)
        return Damage(self.segment, range, other.isWhole ? other.kind : self.kind)
    }
}
