import LogModel

/// Here and not beside the other quorums: a generic function is compiled for its callers' types in their own module alone,
/// and each acknowledgement asks this.
extension Membership {
    /// The highest value that a majority of the voters reaches, of both halves; `nil` without voters.
    package func quorumValue<Value: Comparable>(_ value: (Member) -> Value) -> Value? {
        guard let incoming = Self.majorityValue(self.voters, value) else { return nil }
        guard let outgoing = Self.majorityValue(self.outgoing, value) else { return incoming }
        return min(incoming, outgoing)
    }

    private static func majorityValue<Value: Comparable>(_ voters: [Member], _ value: (Member) -> Value) -> Value? {
        var values = voters.map(value)
        values.sort(by: >)
        return values.isEmpty ? nil : values[voters.count / 2]
    }
}
