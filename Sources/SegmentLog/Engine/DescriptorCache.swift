import DiskIO
import LogModel

/// The descriptors that readers share: least recently used leaves first.
///
/// A reader holds the file it reads from; leaving the cache closes a file only once nobody reads from it.
final class DescriptorCache: Sendable {
    private struct State {
        /// Most recently used last. Bounded by the capacity, so a linear pass is cheaper than a list.
        var entries: [(segment: SegmentID, file: any File)] = []
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
        let cached = self.state.withLock { state -> (any File)? in
            guard let place = state.entries.lastIndex(where: { $0.segment == segment }) else {
                state.misses += 1
                return nil
            }
            state.hits += 1
            let entry = state.entries.remove(at: place)
            state.entries.append(entry)
            return entry.file
        }
        if let cached { return cached }
        // Opened outside the lock: another reader's hit does not wait for the disk.
        let file = try self.files.open(segment, .read)
        self.state.withLock { state in
            state.entries.removeAll { $0.segment == segment }
            if state.entries.count >= self.capacity { state.entries.removeFirst() }
            state.entries.append((segment, file))
        }
        return file
    }

    /// Forgets the files of segments that are gone.
    func forget(_ isGone: (SegmentID) -> Bool) {
        self.state.withLock { state in state.entries.removeAll { isGone($0.segment) } }
    }
}
