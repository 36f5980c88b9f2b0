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
package final class Journal: Sendable {
    static let byteCountMax = 1 << 20

    private let format: JournalFormat
    private let node: String
    private let limit = Mutex(RepeatLimit())
    private let lines: LineWriter

    init(_ descriptor: SystemPackage.FileDescriptor = .standardError, format: JournalFormat, node: NodeID) {
        self.format = format
        self.node = "\(node)"
        self.lines = LineWriter(descriptor, byteCountMax: Self.byteCountMax, label: "holdfast.journal") { count in
            JournalEntry(
                time: WallClock.now(), level: .warning,
                message: "\(count) entries are missing here: stderr was not read",
                metadata: [
                    "node": "\(node)", "count": "\(count)",
                    "hint": "see what holds up its reader, or ask for less: log.level",
                ], error: nil
            ).line(format)
        }
    }

    /// - Parameter isLimited: Whether it counts as a repeat of others of its kind. What is asked for by a level under `info`
    ///   does not: each refused request is looked for by its own id.
    func write(_ entry: JournalEntry, isLimited: Bool, now: MonotonicTime) {
        self.limit.withLock { limit in
            self.tellRepeats(&limit, now: now, time: entry.time)
            let kind = RepeatLimit.Kind(level: entry.level, message: entry.message)
            guard !isLimited || limit.arrived(kind, now: now) else { return }
            self.lines.write(entry.line(self.format))
        }
    }

    /// To be called about once a second: says how often what was not written has come.
    func rest(now: MonotonicTime, time: Timestamp) {
        self.limit.withLock { self.tellRepeats(&$0, now: now, time: time) }
    }

    /// Until it is cancelled: says once a second what is due.
    func rest() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            self.rest(now: MonotonicTime(nanoseconds: NIODeadline.now().uptimeNanoseconds), time: WallClock.now())
        }
    }

    /// Returns once all is written, or after a second of a reader that does not read.
    func finish() async { await self.lines.finish() }

    /// Whether all that was to be written is.
    var isIdle: Bool { self.lines.isIdle }

    private func tellRepeats(_ limit: inout RepeatLimit, now: MonotonicTime, time: Timestamp) {
        for (kind, count) in limit.ended(now: now) {
            let metadata: Logger.Metadata = ["node": "\(self.node)", "count": "\(count)"]
            let message = "repeated \(count) times more: \(kind.message)"
            let entry = JournalEntry(
                time: time, level: kind.level, message: message, metadata: metadata, error: nil)
            self.lines.write(entry.line(self.format))
        }
    }
}
