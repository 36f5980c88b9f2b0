import DiskIO
import LogModel

/// The descriptors that readers share: least recently used leaves first.
///
/// A reader holds the file it reads from; leaving the cache closes a file only once nobody reads from it.
final class DescriptorCache: Sendable {
    /// A ring of slots in the order of use, found by segment: each step is O(1), whatever the capacity.
    ///
    ///     newest -> ... -> oldest -> newest
    fileprivate struct State {
        struct Slot {
            var segment: SegmentID
            var file: any File
            var older: Int
            var newer: Int
        }

        var slots: [Slot] = []
        var places: [SegmentID: Int] = [:]
        var newest = 0
        /// Raised when segments go: a file that was opened before must not be kept for those that come.
        var forgotten: UInt64 = 0
        var hits: UInt64 = 0
        var misses: UInt64 = 0
    }

    private let files: LogFiles
    private let capacity: Int
    private let state: Lock<State>

    init(_ files: LogFiles, capacity: Int) {
        self.files = files
        self.capacity = capacity
        self.state = Lock(State())
    }

    var counts: (hits: UInt64, misses: UInt64) { self.state.withLock { ($0.hits, $0.misses) } }

    func file(of segment: SegmentID) throws(LogError) -> any File {
        let (cached, forgotten) = self.state.withLock { ($0.use(segment), $0.forgotten) }
        if let cached { return cached }
        // Opened outside the lock: another reader's hit does not wait for the disk.
        let file = try self.files.open(segment, .read)
        self.state.withLock { state in
            if state.forgotten == forgotten { state.insert(file, of: segment, capacity: self.capacity) }
        }
        return file
    }

    /// Forgets the files of segments that are gone.
    func forget(_ isGone: (SegmentID) -> Bool) {
        self.state.withLock { $0.forget(isGone) }
    }
}

extension DescriptorCache.State {
    mutating func use(_ segment: SegmentID) -> (any File)? {
        guard let place = self.places[segment] else {
            self.misses += 1
            return nil
        }
        self.hits += 1
        self.moveToFront(place)
        return self.slots[place].file
    }

    mutating func insert(_ file: any File, of segment: SegmentID, capacity: Int) {
        if let place = self.places[segment] {
            // Another reader was faster; both files are the same.
            self.moveToFront(place)
        } else if self.slots.count < capacity {
            let place = self.slots.count
            self.slots.append(.init(segment: segment, file: file, older: place, newer: place))
            self.places[segment] = place
            if place > 0 { self.link(place) }
            self.newest = place
        } else {
            // The oldest stands right before the newest in the ring.
            let place = self.slots[self.newest].newer
            self.places[self.slots[place].segment] = nil
            self.slots[place].segment = segment
            self.slots[place].file = file
            self.places[segment] = place
            self.newest = place
        }
    }

    mutating func forget(_ isGone: (SegmentID) -> Bool) {
        self.forgotten += 1
        guard self.places.keys.contains(where: isGone) else { return }
        var kept: [(segment: SegmentID, file: any File)] = []
        var place = self.slots[self.newest].newer
        for _ in self.slots.indices {
            let slot = self.slots[place]
            if !isGone(slot.segment) { kept.append((slot.segment, slot.file)) }
            place = slot.newer
        }
        self.slots = []
        self.places = [:]
        for (segment, file) in kept { self.insert(file, of: segment, capacity: kept.count) }
    }

    private mutating func moveToFront(_ place: Int) {
        guard place != self.newest else { return }
        let (older, newer) = (self.slots[place].older, self.slots[place].newer)
        self.slots[older].newer = newer
        self.slots[newer].older = older
        self.link(place)
        self.newest = place
    }

    /// Puts a slot between the newest and the oldest.
    private mutating func link(_ place: Int) {
        let oldest = self.slots[self.newest].newer
        self.slots[place].older = self.newest
        self.slots[place].newer = oldest
        self.slots[self.newest].newer = place
        self.slots[oldest].older = place
    }
}
