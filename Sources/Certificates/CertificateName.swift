import LogModel

/// Whom a certificate names, as a URI among its subject alternative names (RFC 5280 §4.2.1.6):
///
///     holdfast://prod/node/2            node 2 of the cluster that is called prod
///     holdfast://prod/client/billing    a client of it
///     holdfast://prod/ca                who signs for it
///
/// The name of the cluster is chosen when its authority is made; the cluster's own id is drawn later, when it forms, and
/// no certificate could carry it. Host names do not tell nodes apart: several may share a machine.
package enum CertificateName: Hashable, Sendable {
    case node(NodeID, cluster: String)
    case client(String, cluster: String)
    case authority(cluster: String)

    private static let scheme = "holdfast://"

    /// - Returns: `nil` for a URI that is none of ours.
    package init?(uri: String) {
        guard uri.hasPrefix(Self.scheme) else { return nil }
        let parts = uri.dropFirst(Self.scheme.count).split(separator: "/", omittingEmptySubsequences: false)
        guard let cluster = parts.first.map(String.init), Self.isWord(cluster) else { return nil }
        switch (parts.count, parts.dropFirst().first) {
        case (3, "node"):
            // One spelling alone: "+1" and "007" are none.
            guard let number = UInt32(parts[2]), number > 0, "\(number)" == parts[2] else { return nil }
            self = .node(NodeID(number), cluster: cluster)
        case (3, "client"):
            guard Self.isWord(parts[2]) else { return nil }
            self = .client(String(parts[2]), cluster: cluster)
        case (2, "ca"): self = .authority(cluster: cluster)
        default: return nil
        }
    }

    package var uri: String {
        switch self {
        case .node(let node, let cluster): "\(Self.scheme)\(cluster)/node/\(node)"
        case .client(let name, let cluster): "\(Self.scheme)\(cluster)/client/\(name)"
        case .authority(let cluster): "\(Self.scheme)\(cluster)/ca"
        }
    }

    package var cluster: String {
        switch self {
        case .node(_, let cluster), .client(_, let cluster), .authority(let cluster): cluster
        }
    }

    /// Whether it may name a cluster or a client: 1 to 64 letters, digits, dots, hyphens and underscores.
    package static func isWord(_ text: some StringProtocol) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

extension CertificateName: CustomStringConvertible {
    package var description: String {
        switch self {
        case .node(let node, let cluster): "node \(node) of \(cluster)"
        case .client(let name, let cluster): "client \(name) of \(cluster)"
        case .authority(let cluster): "the authority of \(cluster)"
        }
    }
}
