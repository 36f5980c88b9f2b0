import HoldfastClient
import NIOCore
import NIOPosix

/// The links between the nodes of a cluster: every peer connection goes through here, so that each direction can be cut.
///
/// A direction is about bytes, whoever opened the connection: what n1 sends to n2 on connections of its own, and what it
/// answers on those of n2.
final class Network: Sendable {
    enum Fault: CaseIterable, Sendable {
        /// Nothing arrives, and all of it when it heals: packets are lost, and TCP sends them again.
        case stall
        /// What is sent is lost, and the connection ends when it heals.
        case swallow
        /// Connections end, and new ones are refused, in both directions.
        case refuse
        /// Connections end, and new ones as soon as they begin, in both directions.
        case hangUp
    }

    struct Direction: Hashable, Sendable {
        var from: UInt32
        var to: UInt32
        var reversed: Direction { Direction(from: self.to, to: self.from) }
    }

    private struct State {
        var relays: [Direction: Relay] = [:]
        var faults: [Direction: Fault] = [:]
    }

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let eventLoop: any EventLoop
    private let state: NIOLoopBoundBox<State>

    private init() {
        self.eventLoop = self.group.next()
        self.state = .makeBoxSendingValue(State(), eventLoop: self.eventLoop)
    }

    /// Starts a cluster whose nodes reach each other only through a network, and gives both to `body`.
    static func with(nodes count: Int = 3, _ body: (TestCluster, Network) async throws -> Void) async throws {
        let network = Network()
        do {
            try await TestCluster.with(
                nodes: count, prepare: { try await network.open($0) }
            ) { try await body($0, network) }
            await network.end()
        } catch {
            await network.end()
            throw error
        }
    }

    // MARK: Opening

    /// Listens for all directions, and writes configurations that lead there.
    ///
    /// - Returns: How `holdfast cluster up` finds them.
    private func open(_ place: TestCluster.Place) async throws -> [String] {
        try await self.onLoop { state in
            let old = state.relays.values.map { $0.close() }
            state = State()
            return old
        }
        try await self.onLoop { [eventLoop] state in
            for from in place.numbers {
                for to in place.numbers where to != from {
                    let relay = Relay(
                        port: place.relayPort(from, to: to), target: place.client(to).port + 1, on: eventLoop)
                    state.relays[Direction(from: from, to: to)] = relay
                }
            }
            return state.relays.values.map { $0.open() }
        }
        return try place.writeConfigurations { from, to in
            ServerAddress(host: "127.0.0.1", port: place.relayPort(from, to: to))
        }
    }

    private func end() async {
        try? await self.onLoop { $0.relays.values.map { $0.close() } }
        try? await self.group.shutdownGracefully()
    }

    /// Does something to the relays, and waits until it is done.
    private func onLoop(_ body: @escaping @Sendable (inout State) -> [EventLoopFuture<Void>]) async throws {
        let (state, eventLoop) = (self.state, self.eventLoop)
        try await eventLoop.flatSubmit {
            EventLoopFuture.andAllSucceed(body(&state.value), on: eventLoop)
        }.get()
    }

    // MARK: Cutting

    /// What one node sends does not reach the other; the other direction is as it was.
    func cut(from: TestCluster.Node, to: TestCluster.Node, _ fault: Fault) async throws {
        try await self.change { $0[Direction(from: from.number, to: to.number)] = fault }
    }

    /// Neither node reaches the other.
    func cut(between a: TestCluster.Node, and b: TestCluster.Node, _ fault: Fault) async throws {
        try await self.cut(from: a, to: b, fault)
        try await self.cut(from: b, to: a, fault)
    }

    /// Connections that were begun so far.
    func connectionCount() async throws -> Int {
        let state = self.state
        return try await self.eventLoop.submit { state.value.relays.values.reduce(0) { $0 + $1.connectionCount } }.get()
    }

    func heal() async throws { try await self.change { $0 = [:] } }

    private func change(_ body: @escaping @Sendable (inout [Direction: Fault]) -> Void) async throws {
        try await self.onLoop { state in
            body(&state.faults)
            return state.relays.map { direction, relay in
                relay.suffer(forward: state.faults[direction], backward: state.faults[direction.reversed])
            }
        }
    }
}
