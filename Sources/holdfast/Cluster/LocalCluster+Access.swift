import HTTP2Transport
import HoldfastClient
import HoldfastNode

/// How its nodes are asked, and what of this shell's environment is about another cluster.
extension LocalCluster {
    /// As the nodes' own files say. Of this shell is what they have no files for: a token, and a client's certificate.
    var access: ClientAccess {
        let environment = Environment.all
        let token = Files.text(self.tokenFile) ?? environment["HOLDFAST_TOKEN"]
        if self.isSecure { return .tls(authority: self.certificates.authorityFile, token: token) }
        guard let files = self.configuredTLS else { return ClientAccess(token: token) }
        return .tls(
            authority: files.authority, certificate: environment["HOLDFAST_TLS_CERT"],
            key: environment["HOLDFAST_TLS_KEY"], token: token)
    }

    /// `holdfast WORDS` for one of its nodes, ready to be typed, with what lets in there.
    func clientCommand(_ words: String..., at node: Node) -> String {
        var words = words + ["--server", self.isTLS ? "https://\(node.client)" : node.client.description]
        if let authority { words += ["--tls-ca", authority] }
        if Files.exists(self.tokenFile) { words += ["--token-file", self.tokenFile] }
        return Invocation.command(words)
    }

    /// Variables of this shell that say otherwise than the cluster's own files, and do not count for it; one line for
    /// people, `nil` when there are none.
    var contradiction: String? {
        let environment = Environment.all
        var names: [String] = []
        if let authority = environment["HOLDFAST_TLS_CA"], !self.takes(authority: authority) {
            names.append("HOLDFAST_TLS_CA")
        }
        if let servers = environment["HOLDFAST_SERVER"], !self.takes(servers: servers) {
            names.append("HOLDFAST_SERVER")
        }
        guard !names.isEmpty else { return nil }
        let isOne = names.count == 1
        return "\(names.joined(separator: " and ")) \(isOne ? "is" : "are") about another cluster than that under "
            + "\(self.directory), and not used here: unset \(names.joined(separator: " ")) before other commands ask it"
    }

    /// By what the file says: a link to the cluster's own, or a copy, is the same.
    private func takes(authority path: String) -> Bool {
        guard let authority else { return false }
        if Files.absolute(path) == Files.absolute(authority) { return true }
        return Files.text(authority).map { $0 == Files.text(path) } ?? false
    }

    private func takes(servers text: String) -> Bool {
        guard let list = ServerList(text) else { return false }
        let isTLS = self.isTLS
        return list.isSecure ?? isTLS == isTLS
            && list.addresses.allSatisfy { address in
                self.servers.contains {
                    $0.port == address.port && ($0.host == address.host || $0.isLoopback && address.isLoopback)
                }
            }
    }

    private var isTLS: Bool { self.isSecure || self.configuredTLS != nil }

    /// Who signs its nodes' certificates, a PEM file; `nil` for plain text.
    private var authority: String? {
        self.isSecure ? self.certificates.authorityFile : self.configuredTLS?.authority
    }

    /// What the first node's configuration says; `nil` for plain text, and where it cannot be read.
    private var configuredTLS: TLSFiles? {
        guard let node = self.nodes.first else { return nil }
        let input = ConfigurationInput(file: node.config, flags: [.dataDirectory: [self.dataDirectory(node)]])
        return (try? NodeConfiguration.load(input))?.security.tls
    }
}
