import HTTPTypes
import HoldfastClient
import LogModel
import NIOCore

/// What `POST /v1/trim` asks for: `?before=INDEX`, or `{"before":INDEX}` in the body.
struct TrimRequest {
    var before: LogIndex

    /// - Throws: 400; nothing was applied.
    init(_ parameters: QueryParameters, body: ByteBuffer) throws(Problem) {
        let named = try parameters.value("before", expected: "an index: a whole number from 1") { UInt64($0) }
        let hint = #"Send {"before":INDEX}, or ?before=INDEX: records before it are not needed any more."#
        let bytes = Bytes(body.readableBytesView)
        var told: UInt64?
        do { told = bytes.isEmpty ? nil : try JSONReader.number("before", of: bytes) } catch {
            throw .badBody(#"{"before":INDEX}"#, error, of: bytes, hint: hint)
        }
        if let named, let told, named != told {
            throw .badRequest("the query says \(named), the body \(told)", hint: hint)
        }
        guard let index = named ?? told else { throw .badRequest("no index is given", hint: hint) }
        guard index > 0 else { throw .badRequest("0 is not an index", hint: "Indexes are whole numbers from 1.") }
        self.before = LogIndex(index)
    }
}
