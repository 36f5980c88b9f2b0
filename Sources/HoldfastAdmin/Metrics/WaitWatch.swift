import LogModel
import NIOCore
import Synchronization

/// How long the parts of a node let those wait who come to them.
///
///     each part by itself: ask --> answered: noted; a pause, and again
///                             '--> not yet: after each pause the wait so far is noted
///
/// So a part that hangs fills its histogram with longer and longer waits, as it would if somebody came each second; what
/// noted only answers would be silent for as long as it matters. Nobody else comes, though: a part is asked once at a time,
/// however long it hangs, and keeps no other part from being asked.
package final class WaitWatch: Sendable {
    private let pause: Duration
    private let waits: Mutex<[NodePart: LatencyHistogram]>

    /// - Parameter pause: From an answer to the next question, and from one note to the next while there is no answer.
    package init(pause: Duration = .milliseconds(AdminLimits.sampleMilliseconds)) {
        self.pause = pause
        // A counter that is first seen above zero has not risen, as far as a scraper knows.
        self.waits = Mutex(Dictionary(uniqueKeysWithValues: NodePart.allCases.map { ($0, LatencyHistogram()) }))
    }

    /// By part; all of them from the beginning.
    package var histograms: [NodePart: LatencyHistogram] { self.waits.withLock { $0 } }

    /// Watches all parts until it is cancelled, and every question that is still open is answered.
    ///
    /// - Parameter reach: Returns once the part has come to it.
    package func run(_ reach: @escaping @Sendable (NodePart) async -> Void) async {
        await withTaskGroup { group in
            for part in NodePart.allCases {
                group.addTask {
                    while !Task.isCancelled {
                        await self.ask(part, reach)
                        try? await Task.sleep(for: self.pause)
                    }
                }
            }
        }
    }

    private func ask(_ part: NodePart, _ reach: @escaping @Sendable (NodePart) async -> Void) async {
        let asked = NIODeadline.now()
        await withTaskGroup { group in
            group.addTask { await reach(part) }
            group.addTask {
                while (try? await Task.sleep(for: self.pause)) != nil { self.note(part, since: asked) }
            }
            await group.next()
            group.cancelAll()
        }
        // What was asked last is answered because the node ends, and not by it.
        if !Task.isCancelled { self.note(part, since: asked) }
    }

    private func note(_ part: NodePart, since asked: NIODeadline) {
        let waited = UInt64((NIODeadline.now() - asked).nanoseconds)
        self.waits.withLock { $0[part, default: LatencyHistogram()].note(nanoseconds: waited) }
    }
}
