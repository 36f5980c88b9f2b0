import DiskIO
import HoldfastAdmin
import HoldfastClient
import Logging

/// What is told apart of the requests that are refused: whoever watches appends must not hear of reads.
enum RequestKind: String, CaseIterable, Sendable {
    /// `POST /v1/records`, and each frame of a session.
    case append
    case other
}

/// How often requests were refused, by kind and by the code of the answer: those of ``ProblemCode``, and the admin listener's own.
///
/// All of them from the beginning: what a scraper first sees above zero has not risen, as far as it knows.
final class RefusalCounts: Sendable {
    private let counts: Lock<[NodeMetrics.Refusal: UInt64]>

    init() {
        let codes = ProblemCode.allCases.map(\.rawValue) + AdminProblem.ownCodes
        let all = codes.flatMap { code in
            RequestKind.allCases.map { NodeMetrics.Refusal(code: code, request: $0.rawValue) }
        }
        self.counts = Lock(Dictionary(uniqueKeysWithValues: all.map { ($0, 0) }))
    }

    func note(_ code: String, of kind: RequestKind) {
        self.counts.withLock { $0[NodeMetrics.Refusal(code: code, request: kind.rawValue), default: 0] += 1 }
    }

    /// Counts a refusal, and tells of it under its request's id.
    func note(_ document: ProblemDocument, of kind: RequestKind, trace: String?, _ logger: Logger) {
        self.note(document.code, of: kind)
        var metadata: Logger.Metadata = [
            "request_id": "\(document.requestID)", "status": "\(document.status)", "code": "\(document.code)",
            "applied": "\(document.applied.rawValue)",
        ]
        if let trace { metadata["trace"] = "\(trace)" }
        // Of a request that is wrong itself the detail may quote it: payload, keys and names are not for the journal.
        if document.status >= 500 { metadata["detail"] = "\(document.detail)" }
        // A cluster without a leader answers 503 to everybody: only this node's own trouble is news.
        if [500, 507].contains(document.status) {
            logger.error("request refused", metadata: metadata.merging(["hint": "\(document.hint)"]) { $1 })
        } else {
            logger.debug("request refused", metadata: metadata)
        }
    }

    var all: [NodeMetrics.Refusal: UInt64] { self.counts.withLock { $0 } }
}
