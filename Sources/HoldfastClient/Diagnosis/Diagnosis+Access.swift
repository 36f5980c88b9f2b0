import HTTP2Transport

/// Nodes that run, and do not let whoever asks in.
extension Diagnosis {
    /// Why waiting helps nobody who asks like this: no node answers, and one does not let in, or all are wrong ports.
    ///
    /// - Returns: `nil` while it may help.
    package static func denial(_ sight: ClusterSight) -> Finding? {
        guard !sight.isAnybodyThere else { return nil }
        let silences = sight.nodes.flatMap { self.troubles(of: $0, in: sight) }
        guard let finding = silences.ofAccess else { return nil }
        return finding.code != .wrongPort || silences.allSatisfy { $0.code == .wrongPort } ? finding : nil
    }

    /// - Parameter code: Of the node's problem document.
    static func denial(of node: ClusterSight.Node, _ code: String, _ detail: String) -> Finding {
        guard code != "TLS_REQUIRED" else {
            return .trouble(
                .tlsRequired, node.number, "\(node.place) speaks TLS, and was asked in plain text",
                next: "say https:// before each address of --server, and --tls-ca FILE (HOLDFAST_TLS_CA)")
        }
        return .trouble(
            .tokenNeeded, node.number, "\(node.place) does not let you in: \(detail)",
            next:
                "show a token that it knows and that is for this: --token-file FILE (HOLDFAST_TOKEN_FILE), or HOLDFAST_TOKEN"
        )
    }
}

extension [Finding] {
    /// One that says that a node runs and is only not asked as it wants to be: the first that does not let in, rather than
    /// a wrong port; `nil` when it is not so.
    package var ofAccess: Finding? {
        let denials: Set<Finding.Code> = [.tokenNeeded, .tlsRequired, .untrusted]
        return self.first { denials.contains($0.code) } ?? self.first { $0.code == .wrongPort }
    }
}

extension TLSRefusal {
    /// What a client does about it.
    var remedy: String {
        switch self {
        case .plainText: "ask it without TLS: no https:// in --server, no --tls-ca, no HOLDFAST_TLS_CA"
        case .noCertificate, .unknownSigner:
            "say who signs the nodes' certificates: --tls-ca FILE (HOLDFAST_TLS_CA), or have the system trust them"
        case .toldNoCertificate, .toldUnknownSigner, .toldBadCertificate, .toldExpired, .noNode:
            "show a certificate that its authority has signed and that holds now: --tls-cert FILE and --tls-key FILE"
        case .otherHost: "say in --server the name or address that its certificate is for"
        case .expired, .notYetValid: "renew its certificate, or set the clocks right"
        case .ownFiles: "see that the files of --tls-ca, --tls-cert and --tls-key are there and can be read"
        case .noServer, .otherCluster, .otherNode, .oldVersion, .noHTTP2, .closed, .failed:
            "is this the client port of a node? See --server, --tls-ca and the node's log"
        }
    }
}
