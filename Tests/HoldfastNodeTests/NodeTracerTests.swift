import Foundation
import Glibc
import HTTPTypes
import HoldfastClient
import LogModel
import Logging
import Testing
import Tracing

@testable import HoldfastNode

/// Spans on their way into the file of `trace.output`.
@Suite(.timeLimit(.minutes(1))) struct NodeTracerTests {
    /// What is tested of a line that a collector takes.
    private struct Line: Decodable {
        struct Resource: Decodable { var scopeSpans: [Scope] }
        struct Scope: Decodable { var spans: [Span] }
        struct Span: Decodable {
            var traceId, spanId, name: String
            var parentSpanId: String?
        }
        var resourceSpans: [Resource]
    }

    private static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    /// A directory, gone when the test is over.
    private static func inDirectory(_ body: (String) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "spans-\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    private static func output(
        _ path: String, node: UInt32 = 1, fileByteCountMax: Int = SpanOutput.fileByteCountMax
    ) throws -> SpanOutput {
        try SpanOutput(
            .file(path), node: NodeID(node), fileByteCountMax: fileByteCountMax,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static func spans(_ path: String) throws -> [Line.Span] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").flatMap {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8)).resourceSpans.flatMap(\.scopeSpans).flatMap(
                \.spans)
        }
    }

    @Test func `a span is one line of OpenTelemetry's JSON`() throws {
        let parent = try #require(TraceParent(Self.parent))
        let own = try #require(TraceParent("00-\(parent.traceID)-1112131415161718-01"))
        var other = ServiceContext.topLevel
        other.traceParent = parent
        let span = EndedSpan(
            name: "append", own: own, parent: parent.spanID, kind: .server, start: 1_700_000_000_000_000_001,
            end: 1_700_000_000_000_000_009,
            attributes: ["holdfast.node": .int64(3), "holdfast.late": .bool(true), "a": .string("\"x\"")],
            status: SpanStatus(code: .error, message: "gone"),
            events: [SpanEvent(name: "seen", at: Instant(nanosecondsSinceEpoch: 7))],
            links: [SpanLink(context: other, attributes: [:])])
        let expected =
            #"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.instance.id","value":{"stringValue":"3"}},"#
            + #"{"key":"service.name","value":{"stringValue":"holdfast"}}]},"scopeSpans":[{"scope":{"name":"holdfast"},"#
            + #""spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"1112131415161718","#
            + #""parentSpanId":"00f067aa0ba902b7","flags":1,"name":"append","kind":2,"#
            + #""startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"1700000000000000009","#
            + #""attributes":[{"key":"a","value":{"stringValue":"\"x\""}},"#
            + #"{"key":"holdfast.late","value":{"boolValue":true}},{"key":"holdfast.node","value":{"intValue":"3"}}],"#
            + #""events":[{"timeUnixNano":"7","name":"seen","attributes":[]}],"#
            + #""links":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","attributes":[]}],"#
            + #""status":{"message":"gone","code":2}}]}]}]}"# + "\n"
        #expect(String(decoding: span.line(on: "3"), as: UTF8.self) == expected)
    }

    private struct Instant: TracerInstant {
        var nanosecondsSinceEpoch: UInt64
        static func < (a: Self, b: Self) -> Bool { a.nanosecondsSinceEpoch < b.nanosecondsSinceEpoch }
    }

    @Test func `a span that ends twice is told once, and never ends before it began`() async throws {
        try await Self.inDirectory { directory in
            let output = try Self.output(directory + "/spans")
            let tracer = NodeTracer(output)
            let span = tracer.startSpan("a", context: .topLevel, at: Instant(nanosecondsSinceEpoch: 9))
            #expect(span.isRecording)
            span.end(at: Instant(nanosecondsSinceEpoch: 3))
            span.end(at: Instant(nanosecondsSinceEpoch: 30))
            #expect(!span.isRecording)
            await output.finish()
            let text = try String(contentsOfFile: directory + "/spans", encoding: .utf8)
            #expect(text.contains(#""startTimeUnixNano":"9","endTimeUnixNano":"9""#))
            #expect(text.split(separator: "\n").count == 1)
        }
    }

    @Test func `a trace goes from node to node, each span below the one that called it`() async throws {
        try await Self.inDirectory { directory in
            let outputs = try (1...2).map { try Self.output("\(directory)/n\($0)", node: $0) }
            let leader = try await Listener.start(tracer: NodeTracer(outputs[0]))
            let follower = try await Listener.start(leader: leader.address, tracer: NodeTracer(outputs[1]))
            let answer = try await follower.ask(.post, "/v1/records", [.traceparent: Self.parent], body: "x")
            #expect(answer.status == 201)
            await follower.stop()
            await leader.stop()
            for output in outputs { await output.finish() }
            let inner = try #require(try Self.spans("\(directory)/n1").first)
            let outer = try #require(try Self.spans("\(directory)/n2").first)
            #expect([inner.traceId, outer.traceId] == Array(repeating: "4bf92f3577b34da6a3ce929d0e0e4736", count: 2))
            #expect(outer.parentSpanId == "00f067aa0ba902b7" && inner.parentSpanId == outer.spanId)
        }
    }

    @Test func `a file that was moved away is followed by a new one`() async throws {
        try await Self.inDirectory { directory in
            let (path, moved) = (directory + "/spans", directory + "/spans.1")
            let output = try Self.output(path)
            let tracer = NodeTracer(output)
            tracer.startSpan("before", context: .topLevel).end()
            await output.finish()
            try FileManager.default.moveItem(atPath: path, toPath: moved)
            tracer.startSpan("moved", context: .topLevel).end()
            await output.finish()
            output.reopen()
            tracer.startSpan("after", context: .topLevel).end()
            await output.finish()
            #expect(try Self.spans(moved).map(\.name) == ["before", "moved"])
            #expect(try Self.spans(path).map(\.name) == ["after"])
            #expect(output.lostCount == 0)
        }
    }

    @Test func `a file that is full is kept beside a new one, and the one before it is gone`() async throws {
        try await Self.inDirectory { directory in
            let path = directory + "/spans"
            // Longer names make longer lines: two of them are too much for a file.
            let output = try Self.output(path, fileByteCountMax: 6_000)
            let tracer = NodeTracer(output)
            for number in 1...5 {
                tracer.startSpan("\(number)" + String(repeating: "x", count: 3_000), context: .topLevel).end()
                await output.finish()
            }
            #expect(try Self.spans(path).map { $0.name.first } == ["5"])
            #expect(try Self.spans(path + ".1").map { $0.name.first } == ["4"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == ["spans", "spans.1"])
            #expect(output.lostCount == 0)
            // What was written before a start counts, too.
            let later = try Self.output(path, fileByteCountMax: 6_000)
            NodeTracer(later).startSpan("6" + String(repeating: "x", count: 3_000), context: .topLevel).end()
            await later.finish()
            #expect(try Self.spans(path + ".1").map { $0.name.first } == ["5"])
        }
    }

    @Test func `a full file that was moved away replaces nothing`() async throws {
        try await Self.inDirectory { directory in
            let path = directory + "/spans"
            let output = try Self.output(path, fileByteCountMax: 10)
            let tracer = NodeTracer(output)
            tracer.startSpan("first", context: .topLevel).end()
            await output.finish()
            // By somebody who has not said so yet, and has put another in its place.
            try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
            try "".write(toFile: path, atomically: false, encoding: .utf8)
            tracer.startSpan("second", context: .topLevel).end()
            await output.finish()
            #expect(try Self.spans(path + ".1").map(\.name) == ["first"])
            #expect(try Self.spans(path).map(\.name) == ["second"])
        }
    }

    @Test func `a full file that cannot be renamed costs spans, and grows no more`() async throws {
        try await Self.inDirectory { directory in
            let path = directory + "/spans"
            let output = try Self.output(path, fileByteCountMax: 10)
            let tracer = NodeTracer(output)
            tracer.startSpan("first", context: .topLevel).end()
            await output.finish()
            try FileManager.default.createDirectory(atPath: path + ".1", withIntermediateDirectories: false)
            tracer.startSpan("lost", context: .topLevel).end()
            await output.finish()
            #expect(output.lostCount == 1)
            try FileManager.default.removeItem(atPath: path + ".1")
            tracer.startSpan("second", context: .topLevel).end()
            await output.finish()
            #expect(try Self.spans(path + ".1").map(\.name) == ["first"])
            #expect(try Self.spans(path).map(\.name) == ["second"])
        }
    }

    @Test func `a place that takes nothing costs spans, which are counted`() async throws {
        let output = try Self.output("/dev/full")
        let tracer = NodeTracer(output)
        for _ in 0..<10 { tracer.startSpan("a", context: .topLevel).end() }
        await output.finish()
        #expect(output.lostCount == 10)
    }

    @Test func `nobody waits for a place that is slow, and what waits for it is bounded`() async throws {
        try await Self.inDirectory { directory in
            // A pipe without a reader: the thread fills it and stays in there.
            signal(SIGPIPE, SIG_IGN)
            let path = directory + "/pipe"
            try #require(mkfifo(path, 0o600) == 0)
            let reader = open(path, O_RDONLY | O_NONBLOCK)
            try #require(reader >= 0)
            let output = try Self.output(path)
            let tracer = NodeTracer(output)
            let count = 2 * SpanOutput.byteCountMax / 300
            for _ in 0..<count { tracer.startSpan("a", context: .topLevel).end() }
            let lost = output.lostCount
            #expect(lost > 0 && lost < count)
            // With its reader gone the thread comes back.
            close(reader)
            await output.finish()
            while output.lostCount < lost + 1 { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test func `a file that cannot be opened is an error with its reason`() {
        #expect(throws: (any Error).self) { try Self.output("/nowhere/spans") }
    }
}
