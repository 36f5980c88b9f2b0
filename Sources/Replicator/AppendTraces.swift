import LogModel
import Tracing

/// Where an append that somebody traces spends its time inside the log, as spans below that of its request:
///
///     placed --> append.sync                     until this node has it on disk
///           '--> append.replicate, one a peer    until the follower has it on disk
///           '--> append.commit                   until a quorum has
///
/// Only appends come here whose caller traces them, and only where the program has a tracer: for all others a loop asks
/// whether there are any, and no more. Bounded: beyond ``countMax`` at once, an append has its request's span alone.
struct AppendTraces {
    private final class Trace {
        /// Of the batch that the append was placed with: it is written and synced as one.
        let end: Position
        var sync: (any Span)?
        var commit: (any Span)?
        var replications: [NodeID: any Span]

        init(end: Position, sync: any Span, commit: any Span, replications: [NodeID: any Span]) {
            self.end = end
            self.sync = sync
            self.commit = commit
            self.replications = replications
        }
    }

    static let countMax = 256

    private let tracer: (any Tracer)?
    private var traces: [UInt64: Trace] = [:]

    init(_ tracer: (any Tracer)?) { self.tracer = tracer }

    var isEmpty: Bool { self.traces.isEmpty }

    mutating func placed(_ id: UInt64, in context: ServiceContext, through end: Position, followers: [NodeID]) {
        guard let tracer, self.traces.count < Self.countMax else { return }
        let begin = { (name: String, kind: SpanKind) in
            let span = tracer.startAnySpan(name, context: context, ofKind: kind)
            if let id = context.requestID { span.attributes["holdfast.request_id"] = id }
            return span
        }
        let replications = followers.map { node in
            let span = begin("append.replicate", .producer)
            span.attributes["holdfast.peer"] = Int64(node.rawValue)
            return (node, span)
        }
        self.traces[id] = Trace(
            end: end, sync: begin("append.sync", .internal), commit: begin("append.commit", .internal),
            replications: Dictionary(uniqueKeysWithValues: replications))
    }

    /// - Parameters:
    ///   - persisted: Of this node's log, on its own disk.
    ///   - followers: What each is known to have on its disk; `nil` for one that is not followed any more.
    func advanced(persisted: Position, commit: Position, followers: (NodeID) -> Position?) {
        for trace in self.traces.values {
            if persisted >= trace.end { trace.sync = trace.sync.ended() }
            if commit >= trace.end { trace.commit = trace.commit.ended() }
            for (node, span) in trace.replications where (followers(node) ?? .zero) >= trace.end {
                span.end()
                trace.replications[node] = nil
            }
        }
    }

    /// Nobody waits any more: a commit that was not reached by then is an error, a disk that was not needed late.
    mutating func answered(_ id: UInt64) {
        guard let trace = self.traces.removeValue(forKey: id) else { return }
        if let commit = trace.commit {
            commit.setStatus(.init(code: .error, message: "not reached before the answer"))
            commit.end()
        }
        for span in [trace.sync].compactMap({ $0 }) + trace.replications.values {
            span.attributes["holdfast.late"] = true
            span.end()
        }
    }
}

extension (any Span)? {
    /// What takes its place.
    fileprivate func ended() -> (any Span)? {
        self?.end()
        return nil
    }
}
