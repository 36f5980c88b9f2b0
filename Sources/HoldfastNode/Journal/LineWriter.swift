import DiskIO
import Dispatch
import Glibc
import SystemPackage

/// Writes lines to a descriptor, one after the other, on a thread of its own.
///
///     any thread --line--> [byteCountMax] --thread--> descriptor
///                               '-- full, or it fails: lost, counted, told afterwards
///
/// Whoever reads may stop reading, and a disk may hang: an event loop that wrote there itself would stop with it.
final class LineWriter: Sendable {
    private struct State {
        var lines: [[UInt8]] = []
        var byteCount = 0
        /// Since it was told last, and ever.
        var lostCount = 0
        var lostTotal: UInt64 = 0
        var isWriting = false
        /// Whether the last line was begun and not ended: the next one must not go on with it.
        var isTorn = false
        var descriptor: SystemPackage.FileDescriptor

        mutating func lose() {
            self.lostCount += 1
            self.lostTotal += 1
        }
    }

    /// Says where the next line goes, instead of to the descriptor so far; `nil` for the same place. It knows how long the
    /// line is.
    typealias Successor =
        @Sendable (
            SystemPackage.FileDescriptor, _ byteCount: Int
        ) throws(Errno) -> SystemPackage.FileDescriptor?

    private let byteCountMax: Int
    private let state: Lock<State>
    private let gap: @Sendable (Int) -> [UInt8]?
    private let successor: Successor?
    private let thread: DispatchQueue

    /// - Parameters:
    ///   - byteCountMax: What waits for the thread at most.
    ///   - successor: Asked on the thread before each line. The descriptor so far is closed when there is another; a line for
    ///     which it fails is lost.
    ///   - gap: Called on the thread when so many lines were lost since the last call. Returns a line to write in their
    ///     place, if any.
    init(
        _ descriptor: SystemPackage.FileDescriptor, byteCountMax: Int, label: String,
        successor: Successor? = nil, gap: @escaping @Sendable (Int) -> [UInt8]?
    ) {
        self.byteCountMax = byteCountMax
        self.state = Lock(State(descriptor: descriptor))
        self.successor = successor
        self.gap = gap
        self.thread = DispatchQueue(label: label)
    }

    // MARK: Any thread

    /// Never waits.
    ///
    /// - Parameter line: With its line end.
    func write(_ line: [UInt8]) {
        let starts = self.state.withLock { state in
            if state.byteCount + line.count > self.byteCountMax {
                state.lose()
            } else {
                state.byteCount += line.count
                state.lines.append(line)
            }
            guard !state.isWriting else { return false }
            state.isWriting = true
            return true
        }
        if starts { self.thread.async { self.drain() } }
    }

    /// From the next line on; the thread calls `old` with the one before, which nothing is written to any more.
    func turn(
        to descriptor: SystemPackage.FileDescriptor,
        then old: @escaping @Sendable (SystemPackage.FileDescriptor) -> Void
    ) {
        let before = self.state.withLock { state in
            let before = state.descriptor
            state.descriptor = descriptor
            return before
        }
        self.thread.async { old(before) }
    }

    /// Returns once all is written, or after a second of a reader that does not read.
    func finish() async {
        for _ in 0..<200 {
            if self.isIdle { return }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Whether all that was to be written is.
    var isIdle: Bool { self.state.withLock { !$0.isWriting } }

    /// Lines that are nowhere, because the thread was too far behind or could not write them.
    var lostTotal: UInt64 { self.state.withLock { $0.lostTotal } }

    // MARK: On the thread

    private func drain() {
        while true {
            let (lines, lost) = self.state.withLock { state in
                let taken = (state.lines, state.lostCount)
                state.lines = []
                state.lostCount = 0
                if taken.0.isEmpty, taken.1 == 0 { state.isWriting = false }
                return taken
            }
            guard !lines.isEmpty || lost > 0 else { return }
            for line in lines {
                let isWritten = self.put(line)
                self.state.withLock {
                    $0.byteCount -= line.count
                    if !isWritten { $0.lose() }
                }
            }
            if lost > 0, let line = self.gap(lost) { _ = self.put(line) }
        }
    }

    /// - Returns: Where a line of so many bytes goes; `nil` for nowhere.
    private func descriptor(for byteCount: Int) -> SystemPackage.FileDescriptor? {
        let current = self.state.withLock { $0.descriptor }
        guard let successor else { return current }
        do throws(Errno) {
            guard let next = try successor(current, byteCount) else { return current }
            let (unused, place) = self.state.withLock { state in
                // Else it was turned elsewhere meanwhile, and whoever did that sees to the one before.
                guard state.descriptor == current else { return (next, state.descriptor) }
                state.descriptor = next
                state.isTorn = false
                return (current, next)
            }
            try? unused.close()
            return place
        } catch {
            return nil
        }
    }

    /// - Returns: `false` for a line of which something is missing. A descriptor that is closed or fails takes nothing.
    private func put(_ line: [UInt8]) -> Bool {
        guard let descriptor = self.descriptor(for: line.count) else { return false }
        let isTorn = self.state.withLock { $0.isTorn }
        let whole = isTorn ? [UInt8(ascii: "\n")] + line : line
        var rest = whole[...]
        while !rest.isEmpty {
            do {
                rest = rest.dropFirst(try rest.withUnsafeBytes { try descriptor.write($0) })
            } catch Errno.resourceTemporarilyUnavailable {
                var poll = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
                _ = Glibc.poll(&poll, 1, 1_000)
            } catch {
                if rest.count < whole.count { self.state.withLock { $0.isTorn = true } }
                return false
            }
        }
        if isTorn { self.state.withLock { $0.isTorn = false } }
        return true
    }
}
