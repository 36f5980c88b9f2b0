import HTTPTypes
import LogModel
import Testing

@testable import HoldfastClient

@Suite struct JSONTests {
    @Test func `strings are escaped as JSON wants it`() {
        var writer = JSONWriter()
        writer.array {
            $0.string("a\"b\\c\n\r\t\u{01}\u{1F}é")
            $0.number(-3)
            $0.object {
                $0.member("yes", true)
                $0.member("n", UInt64.max)
            }
        }
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"["a\"b\\c\n\r\t\u0001\u001fé",-3,{"yes":true,"n":18446744073709551615}]"#)
    }

    @Test func `a record's golden form never changes`() {
        let record = IndexedRecord(
            index: LogIndex(7), position: Position(1, 64), term: Term(2),
            timestamp: Timestamp(nanoseconds: 1_795_375_200_123_456_789),
            record: Record(key: Bytes("k".utf8), value: [0xFF, 0], isTombstone: true, timeToLiveMilliseconds: 9))
        var writer = JSONWriter()
        writer.record(record)
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"index":7,"term":2,"position":"1:64","timestamp":"2026-11-22T19:20:00.123456789Z","key":"k","#
                + #""tombstone":true,"ttl_ms":9,"valueBase64":"/wA="}"#)
        #expect(JSONDocument.decode(RecordDocument.self, from: writer.bytes)?.indexed == record)
    }

    @Test func `every byte value survives`() {
        for byte in UInt8.min ... .max {
            for value: Bytes in [[byte], [byte, byte], [0x61, byte], []] {
                var writer = JSONWriter()
                writer.record(Record(value: value))
                #expect(JSONDocument.decode(RecordDocument.self, from: writer.bytes)?.record == Record(value: value))
            }
        }
    }

    @Test func `a receipt's golden form never changes`() {
        let receipt = AppendReceipt(
            first: LogIndex(1), last: LogIndex(2), position: Position(0, 64), term: Term(3), durability: .persisted,
            nodes: 2, voters: 3, isDuplicate: false)
        #expect(
            String(decoding: receipt.json, as: UTF8.self)
                == #"{"first":1,"last":2,"position":"0:64","term":3,"durability":"persisted","nodes":2,"voters":3}"#
                + "\n")
        #expect(AppendReceipt(json: receipt.json, isDuplicate: false) == receipt)
        #expect(AppendReceipt(json: receipt.json.dropLast(3), isDuplicate: false) == nil)
    }
}

@Suite struct TimestampTests {
    @Test(arguments: [
        (UInt64(0), "1970-01-01T00:00:00.000000000Z"), (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"),
        (1_709_251_199_999_999_999, "2024-02-29T23:59:59.999999999Z"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
        (18_446_744_073_709_551_615, "2554-07-21T23:34:33.709551615Z"),
    ])
    func `known moments`(nanoseconds: UInt64, text: String) {
        #expect(RFC3339.text(Timestamp(nanoseconds: nanoseconds)) == text)
    }

    @Test func `every day of two centuries comes back`() {
        for day in UInt64(0)..<73_000 {
            let timestamp = Timestamp(nanoseconds: day * 86_400_000_000_000 + day)
            #expect(RFC3339.timestamp(RFC3339.text(timestamp)) == timestamp)
        }
    }

    @Test(arguments: [
        "", "2026-11-22", "2026-11-22T19:20:00Z", "2026-13-22T19:20:00.123456789Z", "2026-11-22T24:20:00.123456789Z",
        "2026-11-22 19:20:00.123456789Z", "2026-11-22T19:20:00.12345678xZ", "1969-11-22T19:20:00.123456789Z",
    ])
    func `anything else is refused`(text: String) {
        #expect(RFC3339.timestamp(text) == nil)
    }

    @Test(arguments: [
        ("2026-11-22", "2026-11-22T00:00:00.000000000Z"), ("2026-11-22T19:20", "2026-11-22T19:20:00.000000000Z"),
        ("2024-02-29", "2024-02-29T00:00:00.000000000Z"), ("2026-12-31", "2026-12-31T00:00:00.000000000Z"),
        ("2026-11-22 19:20Z", "2026-11-22T19:20:00.000000000Z"),
        ("2026-11-22T19:20:07Z", "2026-11-22T19:20:07.000000000Z"),
        ("2026-11-22 19:20:07.5", "2026-11-22T19:20:07.500000000Z"),
        ("2026-11-22T19:20:07.123456789Z", "2026-11-22T19:20:07.123456789Z"),
    ])
    func `people leave out of a moment what is zero`(typed: String, whole: String) {
        #expect(RFC3339.moment(typed).map { RFC3339.text($0) } == whole)
    }

    @Test(arguments: [
        "", "T", "2026", "2026-11", "26-11-22", "2026-11-22T", "2026-11-22T19", "2026-11-22T19:2", "19:20",
        "2026-11-22T19:20:07.", "2026-11-22T19:20:07.1234567890", "2026-11-22T19:20+01:00", "2026-11-22T19:20:07ZZ",
        "2026-11-22  19:20", "2026-02-30", "2026-02-29", "2026-04-31T19:20", "2100-02-29",
    ])
    func `a moment that is not clear is refused`(text: String) {
        #expect(RFC3339.moment(text) == nil)
    }
}

@Suite struct ServerAddressTests {
    @Test func `addresses are read as people write them`() {
        #expect(ServerAddress("127.0.0.1:7400") == ServerAddress(host: "127.0.0.1", port: 7400))
        #expect(ServerAddress("http://localhost:7400/") == ServerAddress(host: "localhost", port: 7400))
        #expect(ServerAddress("[::1]:7400")?.description == "[::1]:7400")
        #expect(ServerAddress.list("a:1,b:2")?.count == 2)
    }

    @Test(arguments: ["", ":1", "a", "a:", "a:b", "a:65536", "::1:7400", "a b:1", "http://a:1/v1", "a:-1"])
    func `anything else is refused`(text: String) {
        #expect(ServerAddress(text) == nil)
        #expect(ServerAddress.list("x:1,\(text),y:2") == nil || text.isEmpty)
    }
}

@Suite struct AppendBodyTests {
    @Test func `one plain record travels as it is`() {
        let body = AppendBody([Record("a\nb")])
        #expect(body.contentType == "application/octet-stream")
        #expect(body.bytes == Array("a\nb".utf8))
    }

    @Test func `plain lines travel as lines`() {
        let body = AppendBody([Record("a"), Record("b")])
        #expect(body.contentType == "application/x-ndjson")
        #expect(body.bytes == Array("a\nb\n".utf8))
    }

    @Test func `what lines cannot say travels as JSON`() {
        let batches = [
            [Record("a"), Record("")], [Record("a"), Record("b\n")], [Record(key: Bytes("k".utf8), value: [1])],
            [Record("a"), Record(value: Bytes("b".utf8), isTombstone: true)],
        ]
        for records in batches {
            let body = AppendBody(records)
            #expect(body.contentType == "application/json")
            #expect(JSONDocument.decode([RecordDocument].self, from: body.bytes)?.map(\.record) == records)
        }
    }
}

@Suite struct AppendHistoryTests {
    private func history() -> AppendHistory {
        let history = AppendHistory(producers: 2)
        history.acknowledged(0, 1, Self.receipt(term: 1))
        history.unknown(0, 2)
        history.acknowledged(0, 3, Self.receipt(term: 1))
        history.acknowledged(1, 1, Self.receipt(term: 1))
        history.refused(1, 2)
        return history
    }

    @Test func `a log that holds what was acknowledged is good, with the unknown or without it`() {
        for log in [["p0-1", "p1-1", "p0-3"], ["p1-1", "p0-1", "p0-2", "p0-3"]] {
            let findings = self.history().compared(with: log)
            #expect(findings.lost + findings.duplicated + findings.reordered + findings.foreign == 0)
            #expect(findings.unknown == 1)
        }
    }

    @Test func `each kind of fault is found`() {
        #expect(self.history().compared(with: ["p0-1", "p1-1"]).lost == 1)
        #expect(self.history().compared(with: ["p0-1", "p1-1", "p0-3", "p0-3"]).duplicated == 1)
        #expect(self.history().compared(with: ["p0-3", "p1-1", "p0-1"]).reordered == 1)
        #expect(self.history().compared(with: ["p0-1", "p1-1", "p0-3", "p1-2"]).foreign == 1)
        #expect(self.history().compared(with: ["p0-1", "p1-1", "p0-3", "else", "p9-1", "p0-9"]).foreign == 3)
    }

    @Test func `a gap runs from the killed leader's last acknowledgement to its successor's first`() {
        let history = AppendHistory(producers: 1)
        history.acknowledged(0, 1, Self.receipt(term: 4))
        history.killing(leaderOf: Term(4))
        #expect(history.gap == nil)
        // Sent before the leader died, read after.
        history.acknowledged(0, 2, Self.receipt(term: 4))
        #expect(history.gap == nil)
        history.acknowledged(0, 3, Self.receipt(term: 5))
        let gap = history.gap
        #expect(gap != nil)
        history.acknowledged(0, 4, Self.receipt(term: 5))
        #expect(history.gap == gap)
    }

    @Test func `a retry's answer comes from the successor, whatever its term`() {
        let history = AppendHistory(producers: 1)
        history.killing(leaderOf: Term(4))
        history.acknowledged(0, 1, Self.receipt(term: 4, isDuplicate: true))
        #expect(history.gap != nil)
    }

    private static func receipt(term: UInt64, isDuplicate: Bool = false) -> AppendReceipt {
        AppendReceipt(
            first: LogIndex(1), last: LogIndex(1), position: Position(0, 64), term: Term(term), durability: .persisted,
            nodes: 2, voters: 3, isDuplicate: isDuplicate)
    }
}
