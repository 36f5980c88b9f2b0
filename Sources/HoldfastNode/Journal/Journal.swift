import Dispatch
import Glibc
import LogModel
import Logging
import NIOCore
import Replicator
import Synchronization
import SystemPackage

/// Writes a node's entries to stderr, one after the other, on a thread of its own.
///
///     any thread --entry--> [limit of repeats] --line--> [1 MiB] --thread--> stderr
///                                                            '-- full: dropped, counted, told afterwards
///
/// Whoever reads stderr may stop reading: an event loop that wrote there itself would stop with it.
package final class Journal: Sendable {
    private struct State {
        var limit = RepeatLimit()
        var lines: [[UInt8]] = []
        var byteCount = 0
        var droppedCount = 0
        var isWriting = false
    }

    static let byteCountMax = 1 << 20

    private let descriptor: SystemPackage.FileDescriptor
    private let format: JournalFormat
    private let node: String
    private let state = Mutex(State())
    private let thread = DispatchQueue(label: "holdfast.journal")

    init(_ descriptor: SystemPackage.FileDescriptor = .standardError, format: JournalFormat, node: NodeID) {
        self.descriptor = descriptor
        self.format = format
        self.node = "\(node)"
    }

    // MARK: Any thread

    /// - Parameter isLimited: Whether it counts as a repeat of others of its kind. What is asked for by a level under `info`
    ///   does not: each refused request is looked for by its own id.
    func write(_ entry: JournalEntry, isLimited: Bool, now: MonotonicTime) {
        let starts = self.state.withLock { state in
            self.tellRepeats(&state, now: now, time: entry.time)
            let kind = RepeatLimit.Kind(level: entry.level, message: entry.message)
            guard !isLimited || state.limit.arrived(kind, now: now) else { return Self.starts(&state) }
            self.add(entry, to: &state)
            return Self.starts(&state)
        }
        if starts { self.thread.async { self.drain() } }
    }

    /// To be called about once a second: says how often what was not written has come.
    func rest(now: MonotonicTime, time: Timestamp) {
        let starts = self.state.withLock { state in
            self.tellRepeats(&state, now: now, time: time)
            return Self.starts(&state)
        }
        if starts { self.thread.async { self.drain() } }
    }

    /// Until it is cancelled: says once a second what is due.
    func rest() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            self.rest(now: MonotonicTime(nanoseconds: NIODeadline.now().uptimeNanoseconds), time: WallClock.now())
        }
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

    private func tellRepeats(_ state: inout State, now: MonotonicTime, time: Timestamp) {
        for (kind, count) in state.limit.ended(now: now) {
            let metadata: Logger.Metadata = ["node": "\(self.node)", "count": "\(count)"]
            let message = "repeated \(count) times more: \(kind.message)"
            self.add(
                JournalEntry(time: time, level: kind.level, message: message, metadata: metadata, error: nil),
                to: &state)
        }
    }

    private func add(_ entry: JournalEntry, to state: inout State) {
        let line = entry.line(self.format)
        guard state.byteCount + line.count <= Self.byteCountMax else { return state.droppedCount += 1 }
        state.byteCount += line.count
        state.lines.append(line)
    }

    private static func starts(_ state: inout State) -> Bool {
        guard !state.isWriting, !state.lines.isEmpty else { return false }
        state.isWriting = true
        return true
    }

    // MARK: On the thread

    private func drain() {
        while true {
            let (lines, dropped) = self.state.withLock { state in
                let taken = (state.lines, state.droppedCount)
                state.lines = []
                state.droppedCount = 0
                if taken.0.isEmpty, taken.1 == 0 { state.isWriting = false }
                return taken
            }
            guard !lines.isEmpty || dropped > 0 else { return }
            for line in lines {
                self.put(line)
                self.state.withLock { $0.byteCount -= line.count }
            }
            if dropped > 0 { self.put(self.gap(dropped)) }
        }
    }

    private func gap(_ count: Int) -> [UInt8] {
        JournalEntry(
            time: WallClock.now(), level: .warning, message: "\(count) entries are missing here: stderr was not read",
            metadata: ["node": "\(self.node)", "count": "\(count)"], error: nil
        ).line(self.format)
    }

    /// A stderr that is closed or fails takes nothing: there is no other place to say so.
    private func put(_ line: [UInt8]) {
        var rest = line[...]
        while !rest.isEmpty {
            do {
                rest = rest.dropFirst(try rest.withUnsafeBytes { try self.descriptor.write($0) })
            } catch Errno.resourceTemporarilyUnavailable {
                var poll = pollfd(fd: self.descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
                _ = Glibc.poll(&poll, 1, 1_000)
            } catch {
                return
            }
        }
    }
}
