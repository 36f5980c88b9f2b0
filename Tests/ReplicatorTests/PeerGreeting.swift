import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOCore
import NIOPosix
import ReplicaCore
import WireFormat

@testable import Replicator

/// A stream that somebody opens on a node's peer port in the name of a member.
struct PeerGreeting {
    var cluster: ClusterID
    var node = NodeID(2)
    /// Of the peer protocol, as `Holdfast-Protocol` says it; `nil` says nothing.
    var version: String?
    var path = "/peer/v1/greet"
    /// What it sends, with its length in front.
    var body: [UInt8] = []
    var tls: TLSCalling?

    var member: Member { Member(node: self.node, incarnation: Incarnation(7)) }

    /// Opens the stream, and waits for its end.
    ///
    /// - Throws: Also when it is reset after its answer's head.
    func open(on replicator: Replicator) async throws -> HTTPResponse {
        let client = HTTP2Client(
            on: MultiThreadedEventLoopGroup.singleton.next(), tls: self.tls,
            logger: Logger(label: "x") { _ in SwiftLogNoOpLogHandler() })
        let start = MemberStart(member: self.member, generation: 1, starts: 1, lives: [Life(1)])
        var head = HTTPRequest(
            method: .post, scheme: self.tls == nil ? "http" : "https", authority: "peer", path: self.path,
            headerFields: [.holdfastCluster: "\(self.cluster)", .holdfastStart: start.fieldText])
        head.headerFields[.holdfastProtocol] = self.version
        let address = HTTP2Address(host: "127.0.0.1", port: replicator.peerPort)
        let result: Result<HTTPResponse, any Error>
        do {
            result = .success(
                try await client.execute(
                    head, body: ByteBuffer(bytes: self.body), to: address, timeout: .seconds(5),
                    bodyByteCountMax: 1 << 10
                ).0)
        } catch {
            result = .failure(error)
        }
        await client.shutdown(grace: .zero)
        return try result.get()
    }
}
