import FoundationEssentials

/// Documents that are written rarely: one line, keys sorted, slashes as they are.
package enum JSONDocument {
    package static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("\(type(of: value)) holds what JSON cannot say")
        }
        return [UInt8](data) + [UInt8(ascii: "\n")]
    }

    package static func decode<Value: Decodable>(_: Value.Type, from bytes: some Sequence<UInt8>) -> Value? {
        try? JSONDecoder().decode(Value.self, from: Data(bytes))
    }
}
