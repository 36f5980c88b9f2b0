/// Requests whose every value is to be recognized wherever it turns up.
enum Marked {
    /// Stands in every value that a client may send; no other word contains it.
    static let word = "zq7secret"

    /// Paths and what curl is told beside: what is taken, and what is refused with its own words in the answer.
    static let requests: [[String]] = {
        let json = ["-H", "Content-Type: application/json", "-d"]
        return [
            ["/v1/records", "-d", "\(word) payload"],
            ["/v1/records", "-H", "Idempotency-Key: \(word)-key", "-d", "x"],
            ["/v1/records", "-H", "Authorization: Bearer \(word)", "-H", "Cookie: \(word)=1", "-d", "x"],
            ["/v1/records"] + json + [#"{"records":[{"key":"\#(word)","value":"\#(word)"}]}"#],
            ["/v1/records"] + json + [#"{"records":[{"\#(word)":"x"}]}"#],
            ["/v1/records"] + json + [#"{"records":["\#(word)"#],
            ["/v1/records", "-H", "Content-Type: text/\(word)", "-d", "x"],
            ["/v1/records", "-H", "If-Match: \(word)", "-d", "x"],
            ["/v1/records", "-H", "Holdfast-Fencing-Token: \(word)", "-d", "x"],
            ["/v1/records?expect=\(word)", "-d", "x"], ["/v1/records?\(word)=1"], ["/v1/records?from=\(word)"],
            ["/v1/\(word)"], ["/v1/records/\(word)"], ["/v1/records", "-X", "PATCH", "-d", word],
            ["/v1/records", "-H", "Accept: application/\(word)"],
            ["/v1/cursors/\(word)", "-X", "PUT"] + json + [#"{"index":1,"hold":true}"#],
            ["/v1/cursors/\(word)", "-X", "PUT"] + json + [#"{"index":1,"\#(word)":2}"#],
            ["/v1/cursors/\(word)-not"], ["/v1/records", "-H", "Last-Event-ID: \(word)"],
            ["/v1/records", "-H", "X-Request-Id: not \(word) an id"],
        ]
    }()
}
