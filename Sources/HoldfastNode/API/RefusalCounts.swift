import DiskIO
import HoldfastAdmin

/// What is told apart of the requests that are refused: whoever watches appends must not hear of reads.
enum RequestKind: String, CaseIterable, Sendable {
    /// `POST /v1/records`, and each frame of a session.
    case append
    case other
}

/// How often requests were refused, by kind and by the code of the answer; there are as many codes as ``ProblemCode`` has.
///
/// All of them from the beginning: what a scraper first sees above zero has not risen, as far as it knows.
final class RefusalCounts: Sendable {
    private let counts: Lock<[NodeMetrics.Refusal: UInt64]>

    init() {
        let all = ProblemCode.allCases.flatMap { code in
            RequestKind.allCases.map { NodeMetrics.Refusal(code: code.rawValue, request: $0.rawValue) }
        }
        self.counts = Lock(Dictionary(uniqueKeysWithValues: all.map { ($0, 0) }))
    }

    func note(_ code: String, of kind: RequestKind) {
        self.counts.withLock { $0[NodeMetrics.Refusal(code: code, request: kind.rawValue), default: 0] += 1 }
    }

    var all: [NodeMetrics.Refusal: UInt64] { self.counts.withLock { $0 } }
}
