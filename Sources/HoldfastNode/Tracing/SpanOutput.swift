import LogModel
import Logging
import SystemPackage

/// Where the spans of a node go: a file, to which lines are added, or stderr.
///
/// Spans are bounded before they are here (``AppendTraces``, ``SessionSpans``), and lines by ``byteCountMax``: a disk that
/// is slow costs spans, and nothing else. The file is bounded by ``fileByteCountMax``, and so is the one before it.
final class SpanOutput: Sendable {
    /// Of lines that wait to be written.
    static let byteCountMax = 4 << 20
    /// Of the file: then it is renamed to `NAME.1`, and begun anew.
    static let fileByteCountMax = 256 << 20

    private let place: TraceOutput
    private let node: String
    private let lines: LineWriter
    private let logger: Logger

    /// Opens it; a file that is not there is made.
    ///
    /// - Throws: What the system says; nothing is open then.
    init(
        _ place: TraceOutput, node: NodeID, fileByteCountMax: Int = SpanOutput.fileByteCountMax, logger: Logger
    ) throws(Errno) {
        self.place = place
        self.node = "\(node)"
        self.logger = logger
        self.lines = LineWriter(
            try place.open(), byteCountMax: Self.byteCountMax, label: "holdfast.spans",
            successor: { current, byteCount throws(Errno) in
                try place.successor(of: current, byteCountMax: fileByteCountMax, for: byteCount)
            }
        ) { count in
            logger.warning(
                "spans lost: where they go takes them too slowly, or not at all",
                metadata: [
                    "count": "\(count)",
                    "hint":
                        "look at the disk and the directory of trace.output, or sample less; appends are not held up",
                ])
            return nil
        }
    }

    /// Spans that ended and are nowhere.
    var lostCount: UInt64 { self.lines.lostTotal }

    func ended(_ span: EndedSpan) { self.lines.write(span.line(on: self.node)) }

    /// Opens the file anew: whoever has moved it away gets the next spans in a new one.
    func reopen() {
        guard case .file = self.place else { return }
        do throws(Errno) {
            self.lines.turn(to: try self.place.open()) { try? $0.close() }
        } catch {
            self.logger.error(
                "trace.output cannot be opened anew: spans go on where they went",
                metadata: ["reason": "\(error)", "hint": "make its directory writable, then send SIGHUP again"])
        }
    }

    /// Returns once all is written, or after a second of a disk that takes nothing.
    func finish() async { await self.lines.finish() }
}
