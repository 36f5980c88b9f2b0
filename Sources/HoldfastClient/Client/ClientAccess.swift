import HTTP2Transport
import HTTPTypes

/// How a client gets in: in plain text or by TLS, and with which bearer token.
///
/// ```swift
/// let access = ClientAccess.tls(authority: "certs/ca.pem", token: token)
/// let client = HoldfastClient(servers: servers, access: access)
/// ```
public struct ClientAccess: Sendable {
    let tls: TLSCalling?
    let token: String?

    /// In plain text: for loopback addresses.
    ///
    /// - Parameter token: As `holdfast token create` has printed it; whoever sees the connection sees the token.
    public init(token: String? = nil) {
        self.tls = nil
        self.token = token
    }

    private init(_ files: TLSFiles, token: String?) {
        self.tls = TLSCalling(files)
        self.token = token
    }

    /// By TLS. The files are read once; when they cannot be used, each operation fails with
    /// ``ClientError/untrusted(_:)``.
    ///
    /// - Parameters:
    ///   - authority: A PEM file with those who sign servers' certificates; by default whom the system trusts.
    ///   - certificate: A PEM file with this client's own, where servers want one.
    ///   - key: Its key.
    public static func tls(
        authority: String? = nil, certificate: String? = nil, key: String? = nil, token: String? = nil
    ) -> ClientAccess {
        ClientAccess(TLSFiles(certificate: certificate, key: key, authority: authority), token: token)
    }

    /// A request's fields, with the token.
    func signed(_ fields: HTTPFields) -> HTTPFields {
        guard let token else { return fields }
        var fields = fields
        fields[.authorization] = "Bearer \(token)"
        return fields
    }
}
