import Foundation
import NIOCore
import Replicator

/// Keeps systemd informed while a node starts and runs: what it does, and that it lives.
///
///     starting: much read since the last look? --> a further half minute
///     running:  each loop and the disk thread reached --> watchdog; what they say, where it has changed --> status
///
/// The watchdog is a proof: whatever hangs is waited for, and meanwhile nothing is sent, until systemd ends the node.
struct LifeSigns: Sendable {
    private let notifier: ServiceNotifier
    static let startingPause = TimeAmount.seconds(5)
    /// Between two looks; the look itself reads a little.
    static let readByteCountMin: UInt64 = 64 << 10
    private static let extensionMicroseconds: UInt64 = 30_000_000
    /// However often systemd wants to hear, the looks themselves must not become the work.
    static let pauseMicroseconds: ClosedRange<UInt64> = 1_000...1_000_000

    init(_ notifier: ServiceNotifier) { self.notifier = notifier }

    /// Has the time for starting extended while recovery reads: a long one ends, a hung one does not read.
    ///
    /// - Parameters:
    ///   - eventLoop: Recovery itself keeps its thread busy.
    ///   - readByteCount: Of this process, so far.
    func starting(
        on eventLoop: any EventLoop, every pause: TimeAmount = Self.startingPause,
        readByteCount: @escaping @Sendable () -> UInt64 = Self.readByteCount
    ) -> RepeatedTask {
        let notifier = self.notifier
        let last = NIOLoopBoundBox.makeBoxSendingValue(readByteCount(), eventLoop: eventLoop)
        return eventLoop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { _ in
            let now = readByteCount()
            if now >= last.value + Self.readByteCountMin {
                notifier.tell(.extend(microseconds: Self.extensionMicroseconds))
            }
            last.value = now
        }
    }

    /// Until it is cancelled.
    ///
    /// - Parameters:
    ///   - reach: Returns once all that the node's life hangs on has answered.
    ///   - words: What the node does, in a line.
    func running(
        reach: @escaping @Sendable () async -> Void, words: @escaping @Sendable () async -> String
    ) async {
        // Thrice as often as needed: one that is late is no reason to be ended.
        let wanted = (self.notifier.watchdogMicroseconds ?? .max) / 3
        let pause = min(max(wanted, Self.pauseMicroseconds.lowerBound), Self.pauseMicroseconds.upperBound)
        var told = ""
        while !Task.isCancelled {
            await reach()
            guard !Task.isCancelled else { return }
            if self.notifier.watchdogMicroseconds != nil { self.notifier.tell(.watchdog) }
            let now = await words()
            if now != told { self.notifier.tell(.status(now)) }
            told = now
            try? await Task.sleep(for: .microseconds(Int64(pause)))
        }
    }

    /// All that this process has read so far, from files or sockets; 0 when the system does not say.
    @Sendable
    static func readByteCount() -> UInt64 {
        guard let text = try? String(contentsOfFile: "/proc/self/io", encoding: .utf8) else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix("rchar: ") }
        return line.flatMap { UInt64($0.dropFirst("rchar: ".count)) } ?? 0
    }
}

extension ReplicatorStatus {
    /// For `systemctl status`.
    var words: String {
        guard self.phase == .running else { return "\(self.phase.rawValue); node \(self.node)" }
        let committed = "committed through \(self.nextIndex.rawValue - 1)"
        switch self.leader {
        case self.node:
            let behind = self.peers.compactMap { peer in
                peer.missingByteCount.flatMap {
                    $0 > 0 ? "node \(peer.node) lacks \(Units.described(byteCount: $0))" : nil
                }
            }
            let silent = self.peers.filter { !$0.isConnected }.map { "node \($0.node) is not connected" }
            return (["leads in term \(self.term)", committed] + silent + behind).joined(separator: "; ")
        case let leader?: return "follows node \(leader) in term \(self.term); \(committed)"
        case nil: return "knows no leader in term \(self.term); \(committed)"
        }
    }
}
