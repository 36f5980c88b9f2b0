import HTTPTypes
import HoldfastClient

/// The header fields that an append may carry, found in one pass: they are looked at for every record.
struct AppendFields {
    private(set) var contentType: String?
    private(set) var contentEncoding: String?
    private(set) var producer: String?
    private(set) var sequence: String?
    private(set) var idempotencyKey: String?
    private(set) var ifMatch: String?
    private(set) var fencingToken: String?

    /// - Throws: 400 for a field that is sent twice.
    init(_ fields: HTTPFields) throws(Problem) {
        for field in fields {
            switch field.name {
            case .contentType: try Self.add(field, to: &self.contentType)
            case .contentEncoding: try Self.add(field, to: &self.contentEncoding)
            case .holdfastProducer: try Self.add(field, to: &self.producer)
            case .holdfastSequence: try Self.add(field, to: &self.sequence)
            case .idempotencyKey: try Self.add(field, to: &self.idempotencyKey)
            case .ifMatch: try Self.add(field, to: &self.ifMatch)
            case .holdfastFencingToken: try Self.add(field, to: &self.fencingToken)
            default: break
            }
        }
    }

    private static func add(_ field: HTTPField, to value: inout String?) throws(Problem) {
        guard value == nil else {
            throw .badRequest("\(field.name.canonicalName) is there twice", hint: "Send it once: it has one value.")
        }
        value = field.value
    }
}
