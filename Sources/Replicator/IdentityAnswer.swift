import HTTP2Transport
import HTTPTypes
import NIOCore
import WireFormat

/// What came of asking a peer who it is.
enum IdentityAnswer: Hashable, Sendable {
    case identity(PeerIdentity)
    /// It runs a release that this node does not understand; the highest version that it speaks.
    case otherVersion(UInt16)
    /// Nobody answered in time, or with something else.
    case silence

    private static let timeoutMilliseconds: Int64 = 500
    private static let byteCountMax = 64 << 10

    var identity: PeerIdentity? {
        if case .identity(let identity) = self { identity } else { nil }
    }

    static func of(_ peer: ClusterPeer, _ client: HTTP2Client) async -> IdentityAnswer {
        let request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/peer/v1/identity")
        let address = HTTP2Address(host: peer.peerHost, port: peer.peerPort)
        guard
            let (response, body) = try? await client.execute(
                request, to: address, timeout: .milliseconds(Self.timeoutMilliseconds),
                bodyByteCountMax: Self.byteCountMax), response.status == .ok
        else { return .silence }
        guard let spoken = response.headerFields.protocolRange else { return .silence }
        guard PeerProtocol.spoken.highestCommon(with: spoken) != nil else { return .otherVersion(spoken.highest) }
        do throws(WireError) { return .identity(try PeerIdentity.decode(Array(buffer: body)[...])) } catch {
            if case .unsupportedVersion(let version) = error { return .otherVersion(version) }
            return .silence
        }
    }
}
