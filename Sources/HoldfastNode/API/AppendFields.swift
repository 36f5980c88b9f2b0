import HTTPTypes
import HoldfastClient

/// The header fields that an append may carry, found in one pass: they are looked at for every record.
struct AppendFields {
    private(set) var contentType: String?
    private(set) var producer: String?
    private(set) var sequence: String?
    private(set) var idempotencyKey: String?
    private(set) var ifMatch: String?
    private(set) var fencingToken: String?

    init(_ fields: HTTPFields) {
        for field in fields {
            switch field.name {
            case .contentType: Self.add(field, to: &self.contentType)
            case .holdfastProducer: Self.add(field, to: &self.producer)
            case .holdfastSequence: Self.add(field, to: &self.sequence)
            case .idempotencyKey: Self.add(field, to: &self.idempotencyKey)
            case .ifMatch: Self.add(field, to: &self.ifMatch)
            case .holdfastFencingToken: Self.add(field, to: &self.fencingToken)
            default: break
            }
        }
    }

    /// A field that is sent twice has both values (RFC 9110 §5.3), and is refused for what they make together.
    private static func add(_ field: HTTPField, to value: inout String?) {
        value = value.map { "\($0), \(field.value)" } ?? field.value
    }
}
