import HTTPTypes

/// Header fields of the peer port.
extension HTTPField.Name {
    /// The cluster of whoever asks, 32 hexadecimal digits.
    static let holdfastCluster = peer("Holdfast-Cluster")
    /// Who speaks, see ``MemberStart/fieldText``.
    static let holdfastStart = peer("Holdfast-Start")
    /// The versions of the peer protocol that are spoken, see ``ProtocolRange``; without it version 1, which did not name
    /// itself at first.
    static let holdfastProtocol = peer("Holdfast-Protocol")
    /// A segment's number.
    static let holdfastSegment = peer("Holdfast-Segment")
    /// How long the whole segment is.
    static let holdfastSegmentLength = peer("Holdfast-Segment-Length")

    private static func peer(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("no name of a field: \(name)") }
        return name
    }
}

extension HTTPFields {
    /// What is said of the speaker's protocol; `nil` when that is no range of versions.
    var protocolRange: ProtocolRange? { self[.holdfastProtocol].map { ProtocolRange($0) } ?? ProtocolRange(1...1) }
}
