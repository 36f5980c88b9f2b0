import HTTPTypes

extension HTTPField.Name {
    private static func own(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is not a header name") }
        return name
    }

    package static let lastEventID = own("Last-Event-ID")
    package static let xRequestID = own("X-Request-Id")
    package static let holdfastProducer = own("Holdfast-Producer")
    package static let holdfastSequence = own("Holdfast-Sequence")
    package static let idempotencyKey = own("Idempotency-Key")
    package static let holdfastFencingToken = own("Holdfast-Fencing-Token")
    package static let holdfastDuplicate = own("Holdfast-Duplicate")
    package static let holdfastNextIndex = own("Holdfast-Next-Index")
    package static let holdfastNextPosition = own("Holdfast-Next-Position")
    package static let holdfastUpToDate = own("Holdfast-Up-To-Date")
    package static let holdfastForwarded = own("Holdfast-Forwarded")
    /// Only answers of a node's peer port have it.
    package static let holdfastProtocol = own("Holdfast-Protocol")
    package static let holdfastServedBy = own("Holdfast-Served-By")
}
