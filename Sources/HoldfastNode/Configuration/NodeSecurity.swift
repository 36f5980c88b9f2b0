import HTTP2Transport

/// How a node's listeners are protected.
package struct NodeSecurity: Hashable, Sendable {
    /// All three files; `nil` is plain text.
    package var tls: TLSFiles?
    /// Who may connect to the client listener.
    package var clients = TLSListening.Admission.anybody
    /// The file with the tokens; `nil` asks for none.
    package var tokens: String?

    /// - Returns: `nil` when something is wrong, which is noted.
    static func read(_ reading: inout ConfigurationReading) -> NodeSecurity? {
        let before = reading.problems.count
        let certificate = reading.path(.tlsCertificate)
        let key = reading.path(.tlsKey)
        let authority = reading.path(.tlsAuthority)
        let clients = reading.word(.tlsClients)
        var security = NodeSecurity(tokens: reading.path(.tokens))
        if let certificate {
            for (missing, value) in [(ConfigurationKey.tlsKey, key), (.tlsAuthority, authority)] where value == nil {
                reading.note(.incompleteTLS(missing, origin: reading.origin(.tlsCertificate)))
            }
            security.tls = TLSFiles(certificate: certificate, key: key, authority: authority)
            if clients == "certified" { security.clients = .certified }
        } else {
            // A variable of this name may be there for the client commands.
            for said in [ConfigurationKey.tlsKey, .tlsAuthority, .tlsClients] where reading.isSaidForServing(said) {
                reading.note(.incompleteTLS(.tlsCertificate, origin: reading.origin(said)))
            }
        }
        return reading.problems.count == before ? security : nil
    }

    /// What whoever reaches the client listener need not have.
    var missingForClients: [ConfigurationKey] {
        guard self.tls != nil else { return self.tokens == nil ? [.tlsCertificate, .tokens] : [.tlsCertificate] }
        return self.tokens == nil && self.clients == .anybody ? [.tokens] : []
    }

    /// Peers show certificates, and need no token.
    var missingForPeers: [ConfigurationKey] { self.tls == nil ? [.tlsCertificate] : [] }
}

extension ConfigurationReading {
    fileprivate func isSaidForServing(_ key: ConfigurationKey) -> Bool {
        if case .environment = self.origin(key) { return false }
        return self.isSaid(key)
    }
}
