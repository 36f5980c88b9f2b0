/// What a value is, and between which bounds: the parser and all documentation read them here.
package enum ConfigurationKind: Hashable, Sendable {
    case nodeNumber
    case directory
    case file
    case address
    case truth
    case peers
    case word([String])
    case count(ClosedRange<Int>)
    /// Milliseconds.
    case duration(ClosedRange<UInt64>)
    /// Bytes.
    case size(Range<UInt64>)

    /// In one word.
    package var typeName: String {
        switch self {
        case .nodeNumber, .count: "number"
        case .directory, .file: "path"
        case .address: "address"
        case .truth: "boolean"
        case .peers: "list"
        case .word: "word"
        case .duration: "duration"
        case .size: "size"
        }
    }

    /// What is accepted, for people.
    package var bounds: String {
        switch self {
        case .nodeNumber: "1 to \(UInt32.max)"
        case .directory, .file: "any path"
        case .address: "host:port"
        case .truth: "true or false"
        case .peers: "id=peerHost:port/clientHost:port"
        case .word(let words): words.dropLast().joined(separator: ", ") + " or " + words.suffix(1).joined()
        case .count(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .duration(let range):
            "\(Units.spelled(milliseconds: range.lowerBound)) to \(Units.spelled(milliseconds: range.upperBound))"
        case .size(let range):
            "\(Units.spelled(byteCount: range.lowerBound)) to below \(Units.spelled(byteCount: range.upperBound))"
        }
    }

    /// What a value must be, for error messages.
    ///
    /// - Parameter example: A good one.
    func expectation(_ example: String) -> String {
        switch self {
        case .nodeNumber, .count: "a whole number from \(self.bounds), for example \(example)"
        case .directory: "a directory, for example \(example)"
        case .file: "a file, for example \(example)"
        case .address: "host:port, for example \(example) or [::1]:7400"
        case .truth, .word: self.bounds
        case .peers: "a list of id=peerHost:port/clientHost:port, for example \(example)"
        case .duration: "a duration from \(self.bounds) with its unit (ms, s, m, h), for example \(example)"
        case .size: "a size from \(self.bounds), for example \(example)"
        }
    }
}
