import Foundation
import LogModel
import Logging
import NIOCore
import NIOPosix
import Replicator
import SegmentLog
import SystemPackage

/// Three Replicators in this process, each with its own loop, directory and port.
final class ReplicatorGroup {
    private let directory: String
    private let loops = MultiThreadedEventLoopGroup(numberOfThreads: 3)
    private let peers: [ClusterPeer]
    private let change: @Sendable (inout ReplicatorConfiguration) -> Void
    private(set) var nodes: [NodeID: Replicator] = [:]

    /// - Parameter blank: Whose directory is kept aside as it was before there was a log, for ``restoreBlank(_:)``.
    init(
        blank: NodeID? = nil, change: @escaping @Sendable (inout ReplicatorConfiguration) -> Void = { _ in }
    ) async throws {
        self.directory = NSTemporaryDirectory() + "holdfast-replicator-\(UUID().uuidString)"
        self.change = change
        var peers: [ClusterPeer] = []
        var held: [any Channel] = []
        for number in UInt32(1)...3 {
            // Held until all three are known, so that they differ.
            let channel = try await Self.holdPort(on: self.loops)
            held.append(channel)
            peers.append(
                ClusterPeer(
                    node: NodeID(number), peerHost: "127.0.0.1", peerPort: channel.localAddress?.port ?? 0,
                    clientHost: "127.0.0.1", clientPort: 1))
        }
        for channel in held { try await channel.close() }
        self.peers = peers
        if let blank {
            try await self.start(blank)
            await self.stop(blank)
            try FileManager.default.copyItem(
                atPath: "\(self.directory)/\(blank)", toPath: "\(self.directory)/\(blank).blank")
        }
        for peer in peers { try await self.start(peer.node) }
    }

    /// A listener on a free port below those that the kernel gives to connections: one of these might take it meanwhile.
    private static func holdPort(on loops: MultiThreadedEventLoopGroup) async throws -> any Channel {
        while true {
            let bound = ServerBootstrap(group: loops).bind(host: "127.0.0.1", port: .random(in: 10_000..<19_900))
            do { return try await bound.get() } catch let error as IOError where error.errnoCode == EADDRINUSE {}
        }
    }

    func start(_ node: NodeID) async throws {
        guard let peer = self.peers.first(where: { $0.node == node }) else { return }
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        var configuration = ReplicatorConfiguration(
            node: node, dataDirectory: FilePath("\(self.directory)/\(node)"), peers: self.peers,
            peerHost: peer.peerHost, peerPort: peer.peerPort, logger: logger)
        self.change(&configuration)
        self.nodes[node] = try await Replicator.start(configuration, eventLoop: self.loops.next())
    }

    /// Takes a stopped node back to where it had no log, as the member that it is: only its count of starts is kept, or its
    /// peers would refuse it.
    func restoreBlank(_ node: NodeID) throws {
        let bytes = try Array(Data(contentsOf: self.file("IDENTITY", of: node)))
        guard var identity = NodeIdentity(decoding: bytes) else { throw CocoaError(.fileReadCorruptFile) }
        identity.cluster = nil
        try FileManager.default.removeItem(atPath: "\(self.directory)/\(node)")
        try FileManager.default.moveItem(
            atPath: "\(self.directory)/\(node).blank", toPath: "\(self.directory)/\(node)")
        try Data(identity.encoded()).write(to: self.file("IDENTITY", of: node))
    }

    func file(_ name: String, of node: NodeID) -> URL { URL(fileURLWithPath: "\(self.directory)/\(node)/\(name)") }

    func stop(_ node: NodeID) async {
        await self.nodes.removeValue(forKey: node)?.shutdown()
    }

    /// Waits for a condition, at most 20 seconds.
    func until(_ condition: (ReplicatorGroup) async -> Bool) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(20)
        while await !condition(self) {
            guard clock.now < deadline else { throw Expired() }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    struct Expired: Error {}

    func leader() async throws -> Replicator {
        var found: Replicator?
        try await self.until { group in
            for node in group.nodes.values {
                let status = await node.status()
                if status.role == .leader, status.isReady { found = node }
            }
            return found != nil
        }
        guard let found else { throw Expired() }
        return found
    }

    func areLevel() async -> Bool {
        var states: Set<Position> = []
        for node in self.nodes.values {
            let status = await node.status()
            states.formUnion([status.commit, status.tail])
        }
        return states.count == 1
    }

    func end() async {
        for node in self.nodes.keys.sorted() { await self.stop(node) }
        try? await self.loops.shutdownGracefully()
        try? FileManager.default.removeItem(atPath: self.directory)
    }
}
