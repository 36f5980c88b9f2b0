import ArgumentParser
import HoldfastClient

/// How a command gets into a cluster: by TLS, and with a token.
struct AccessOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Who signs the nodes' certificates, a PEM file: the connection is by TLS. Also HOLDFAST_TLS_CA.",
            discussion: "Without it, https:// in --server trusts whom the system trusts."),
        completion: .file(extensions: ["pem"]))
    var tlsCa: String?

    @Option(
        help: "This client's certificate, where nodes want one (tls.clients). Also HOLDFAST_TLS_CERT.",
        completion: .file(extensions: ["pem"]))
    var tlsCert: String?

    @Option(help: "The key of --tls-cert. Also HOLDFAST_TLS_KEY.", completion: .file())
    var tlsKey: String?

    @Option(
        help: "A file with the token to show, as `token create` printed it. Also HOLDFAST_TOKEN_FILE.",
        completion: .file())
    var tokenFile: String?

    @Option(help: "The token itself; other users of this machine see arguments. Also HOLDFAST_TOKEN.")
    var token: String?

    func validate() throws {
        guard (self.certificate == nil) == (self.key == nil) else {
            throw ValidationError("--tls-cert and --tls-key are said together, or neither.")
        }
        guard self.token == nil || self.tokenFile == nil else {
            throw ValidationError("--token and --token-file are the same: say one of them.")
        }
        if let file = self.readFile, Self.token(in: file) == nil {
            throw ValidationError("\(file) cannot be read, or holds no token.")
        }
    }

    private var authority: String? { self.tlsCa ?? Environment.all["HOLDFAST_TLS_CA"] }
    private var certificate: String? { self.tlsCert ?? Environment.all["HOLDFAST_TLS_CERT"] }
    private var key: String? { self.tlsKey ?? Environment.all["HOLDFAST_TLS_KEY"] }

    /// A flag wins over the environment, and there the token itself over its file.
    private var readFile: String? {
        if self.token != nil { return nil }
        if let tokenFile { return tokenFile }
        return Environment.all["HOLDFAST_TOKEN"] == nil ? Environment.all["HOLDFAST_TOKEN_FILE"] : nil
    }

    private static func token(in path: String) -> String? {
        let text = Files.text(path)?.split(whereSeparator: \.isWhitespace).first.map(String.init)
        return text?.isEmpty == false ? text : nil
    }

    /// - Parameter isSecure: What the servers' list says of it: `https://`, `http://`, or nothing.
    func access(isSecure: Bool?) -> ClientAccess {
        let token = self.readFile.flatMap(Self.token) ?? self.token ?? Environment.all["HOLDFAST_TOKEN"]
        guard isSecure ?? (self.authority != nil) else { return ClientAccess(token: token) }
        return .tls(authority: self.authority, certificate: self.certificate, key: self.key, token: token)
    }
}

/// Servers as people list them, with a scheme or without.
struct ServerList {
    var addresses: [ServerAddress]
    /// `nil` when no scheme is said.
    var isSecure: Bool?

    /// Parses `https://127.0.0.1:7400,https://127.0.0.1:7410`.
    ///
    /// - Returns: `nil` for what is no list of addresses, and where some are said to be secure and others not.
    init?(_ text: String) {
        var schemes: Set<Bool?> = []
        var plain: [String] = []
        for server in text.split(separator: ",") {
            if server.hasPrefix("https://") {
                schemes.insert(true)
                plain.append(String(server.dropFirst("https://".count)))
            } else {
                schemes.insert(server.hasPrefix("http://") ? false : nil)
                plain.append(String(server))
            }
        }
        guard schemes.count == 1, let scheme = schemes.first,
            let addresses = ServerAddress.list(plain.joined(separator: ","))
        else { return nil }
        self.addresses = addresses
        self.isSecure = scheme
    }
}
