import Testing

@testable import HoldfastNode

@Suite struct AcceptanceTests {
    private static let offers = ["application/json", "application/x-ndjson", "text/event-stream"]
    private static let cases: [(String?, String?)] = [
        (nil, "application/json"), ("", "application/json"), ("*/*", "application/json"),
        ("application/x-ndjson", "application/x-ndjson"), ("Application/X-NDJSON", "application/x-ndjson"),
        ("*/*, application/x-ndjson", "application/x-ndjson"), ("application/*", "application/json"),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", "application/json"),
        ("application/json;q=0.5, application/x-ndjson;q=0.6", "application/x-ndjson"),
        ("application/json;q=0, */*", "application/x-ndjson"), ("text/*", "text/event-stream"),
        ("application/x-ndjson ; charset=utf-8 ; q=1", "application/x-ndjson"), ("image/png", nil), ("json", nil),
        ("application/json;q=0", nil), ("application/json;q=x", nil), ("application/jsonx", nil),
        (",", "application/json"),
    ]

    @Test(arguments: cases)
    func `what is liked best is given, and nothing that is not taken`(field: String?, best: String?) {
        #expect(Acceptance(field).best(of: Self.offers) == best)
    }
}
