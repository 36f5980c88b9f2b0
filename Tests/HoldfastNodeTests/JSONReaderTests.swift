import HoldfastClient
import LogModel
import Testing

@testable import HoldfastNode

@Suite struct JSONReaderTests {
    private func bytes(_ text: String) -> Bytes { Array(text.utf8)[...] }

    @Test func `records are read as they are written, escapes and all`() throws {
        let body = #"""
             [ "plain", "é😀", "\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00", {"key":"k","value":"v"}, {"valueBase64":"AAE="},
              {"keyBase64":"/w==","tombstone":true}, {"value":"","ttl_ms":18446744073709551615},
              {"value":"x","key":null,"tombstone":false,"ttl_ms":null},
              {"index":1,"term":2,"position":"0:64","timestamp":"2026-11-22T19:20:00.123456789Z","value":"again"} ]
            """#
        let expected = [
            Record("plain"), Record("é😀"), Record("\"\\/\u{8}\u{C}\n\r\té😀"),
            Record(key: self.bytes("k"), value: self.bytes("v")), Record(value: [0, 1]),
            Record(key: [0xFF], value: [], isTombstone: true), Record(value: [], timeToLiveMilliseconds: .max),
            Record("x"), Record("again"),
        ]
        #expect(try JSONReader.records(of: self.bytes(body)) == expected)
        #expect(try JSONReader.records(of: self.bytes("{\"records\" : \(body)}\n")) == expected)
        #expect(try JSONReader.records(of: self.bytes("[]")) == [])
    }

    @Test func `a record that was read is appended as it was`() throws {
        let record = Record(key: self.bytes("k\u{1}"), value: [0xC3], isTombstone: true, timeToLiveMilliseconds: 3)
        var writer = JSONWriter()
        writer.array {
            $0.record(
                IndexedRecord(
                    index: LogIndex(7), position: Position(1, 64), term: Term(2), timestamp: .zero, record: record))
        }
        #expect(try JSONReader.records(of: writer.bytes[...]) == [record])
    }

    private static let defects: [(String, String)] = [
        ("", "line 1, column 1: expected an array or an object, found the end"),
        ("null", "line 1, column 1: expected an array or an object, found null"),
        ("5", "expected an array or an object, found 5"), ("\"a\"", "expected an array or an object, found \"a\""),
        ("[null]", "line 1, column 2: expected a record: text in quotes or an object, found null"),
        ("[1]", "found 1"), ("[[\"a\"]]", "line 1, column 2: expected a record"), ("[true]", "found true"),
        ("[\"a\",]", "line 1, column 6: expected a record: text in quotes or an object, found ]"),
        ("[\"a\"", "expected a comma or ], found the end"),
        ("[\"a\" \"b\"]", "line 1, column 6: expected a comma or ]"),
        ("[\"a\"] x", "expected nothing behind the document, found x"), ("[\"a\"][", "found ["),
        ("['a']", "found 'a'"), ("[NaN]", "found NaN"), ("[\"a", "expected a closing quote, found the end"),
        ("[\"é\n\"]", "line 1, column 4: expected an escape for a control character, found a control character"),
        ("[\n \"a\",\n  b]", "line 3, column 3: expected a record: text in quotes or an object, found b"),
        (#"["\x"]"#, #"expected one of \" \\"#), (#"["\u12g4"]"#, "expected four hexadecimal digits"),
        (#"["\u+123"]"#, "expected four hexadecimal digits"), (#"["\u-000"]"#, "expected four hexadecimal digits"),
        (#"["\u12"#, "expected four hexadecimal digits"),
        (#"["\ud800"]"#, "half of a surrogate pair"), (#"["\ud800\u0041"]"#, "half of a surrogate pair"),
        (#"["\udc00"]"#, "half of a surrogate pair"), ("{}", "line 1, column 1: records is missing"),
        (#"{"recs":[]}"#, "recs is not known here; known are records"),
        (#"{"records":null}"#, "expected an array, found null"),
        (#"{"records":"a"}"#, "expected an array, found \"a\""),
        (#"{"records":[],"records":[]}"#, "column 15: records is there twice"),
        (#"{"records":[],}"#, "expected a name in quotes, found }"), (#"{records:[]}"#, "expected a name in quotes"),
        (#"{"records" []}"#, "expected a colon, found ["), (#"{"records":[]"#, "expected a comma or }, found the end"),
        ("[{}]", "line 1, column 2: a value is missing"), (#"[{"value":null}]"#, "a value is missing"),
        (#"[{"key":"k"}]"#, "a value is missing"), (#"[{"value":1}]"#, "expected text in quotes, found 1"),
        (#"[{"value":{}}]"#, "expected text in quotes, found {"),
        (#"[{"value":"a","value":"b"}]"#, "value is there twice"),
        (#"[{"value":"a","valueBase64":"YQ=="}]"#, "valueBase64 and value exclude each other"),
        (#"[{"keyBase64":"YQ==","key":"a","value":""}]"#, "key and keyBase64 exclude each other"),
        (#"[{"valueBase64":"?"}]"#, "expected base64 with padding, found \"?\""),
        (#"[{"valueBase64":"YQ"}]"#, "base64"),
        (#"[{"value":"a","vlaue":"b"}]"#, "vlaue is not known here; known are key, keyBase64, value"),
        (#"[{"value":"a","vlaue":null}]"#, "column 23: vlaue is not known here"),
        (#"[{"value":"a","tombstone":"yes"}]"#, "expected true or false, found \"yes\""),
        (#"[{"value":"a","ttl_ms":-1}]"#, "expected a whole number of 64 bits, found -1"),
        (#"[{"value":"a","ttl_ms":1.5}]"#, "found 1.5"), (#"[{"value":"a","ttl_ms":1e400}]"#, "found 1e400"),
        (#"[{"value":"a","ttl_ms":01}]"#, "found 01"), (#"[{"value":"a","ttl_ms":}]"#, "found }"),
        (#"[{"value":"a","ttl_ms":18446744073709551616}]"#, "found 18446744073709551616"),
        (#"[{"value":"a","index":"1"}]"#, "expected a whole number"),
        ("\u{FEFF}[\"a\"]", "begins with a byte order mark"),
        (String(repeating: "[", count: 5_000), "line 1, column 2: expected a record"),
    ]

    @Test(arguments: defects)
    func `what is no batch of records is refused with the place and the reason`(text: String, words: String) {
        let body = self.bytes(text)
        let defect = #expect(throws: JSONDefect.self) { try JSONReader.records(of: body) }
        let said = defect?.words(of: body) ?? ""
        #expect(said.contains(words), "\(said)")
    }

    @Test func `bytes that are no UTF-8 are refused where they stand`() {
        for (body, words) in [
            ([0x5B, 0x22, 0x61, 0xFF, 0x22, 0x5D], "line 1, column 4: this is not UTF-8"),
            ([0xFF, 0xFE, 0x5B, 0x00], "line 1, column 1: this is not UTF-8"),
            ([0x5B, 0x00, 0x22, 0x00], "found a control character"),
        ] as [([UInt8], String)] {
            let defect = #expect(throws: JSONDefect.self) { try JSONReader.records(of: body[...]) }
            let said = defect?.words(of: body[...]) ?? ""
            #expect(said.contains(words), "\(said)")
        }
    }

    @Test func `every end of a good document but the last is a defect, and no byte makes it fail otherwise`() {
        let whole = self.bytes(#"{"records":["a\u00e9",{"key":"k","value":"v","ttl_ms":12,"tombstone":true}]}"#)
        for count in 0..<whole.count {
            #expect(throws: JSONDefect.self) { try JSONReader.records(of: whole.prefix(count)) }
        }
        for place in whole.indices {
            for byte in UInt8.min ... .max {
                var changed = whole
                changed[place] = byte
                do { _ = try JSONReader.records(of: changed) } catch {
                    #expect(!error.words(of: changed).isEmpty)
                }
            }
        }
    }
}
