import Testing

@testable import HoldfastAdmin

@Suite struct StreamTests {
    private static func head(_ path: String, _ fields: String...) -> String {
        ["GET \(path) HTTP/1.1", "Host: localhost"].joined(separator: "\r\n") + "\r\n"
            + fields.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    @Test func `a stream begins with the cluster and what happened, and goes on with what happens`() async throws {
        try await Listener.with { listener in
            listener.node.happened("took up its log")
            let node = listener.node
            let text = try await listener.send(Self.head("/admin/v1/stream")) { text in
                // Once the first is there, another happens.
                if text.contains("took up its log"), node.lastEvent == 1 { node.happened("leads in term 4") }
                return text.contains("leads in term 4")
            }
            #expect(
                text.contains("content-type: text/event-stream") || text.contains("Content-Type: text/event-stream"))
            #expect(text.contains("retry: 500"))
            #expect(text.contains("event: status\ndata: {\"leader\":2,\"node\":1"))
            #expect(text.contains("event: event\nid: "))
        }
    }

    @Test func `a reader that comes back gets what it lacks, and nothing twice`() async throws {
        try await Listener.with { listener in
            listener.node.happened("first")
            let accept = "Accept: text/event-stream"
            let before = try await listener.send(Self.head("/admin/v1/events", accept)) { $0.contains("event: status") }
            let id = try #require(before.split(separator: "\n").first { $0.hasPrefix("id: ") }).dropFirst(4)
            listener.node.happened("second")
            let after = try await listener.send(Self.head("/admin/v1/events", accept, "Last-Event-ID: \(id)")) {
                $0.contains("second")
            }
            #expect(!after.contains("\"first\""))
            // A place of another process, or none at all, means nothing: everything comes.
            let unknown = try await listener.send(Self.head("/admin/v1/stream", "Last-Event-ID: 0-7")) {
                $0.contains("second")
            }
            #expect(unknown.contains("\"first\""))
        }
    }

    @Test func `an open stream does not hold up the end of the node`() async throws {
        let clock = ContinuousClock()
        var stopped: Duration?
        try await Listener.with { listener in
            let (opened, opening) = AsyncStream.makeStream(of: Void.self)
            async let stream = listener.send(Self.head("/admin/v1/stream")) { text in
                if text.contains("event: status") { opening.yield() }
                return false
            }
            _ = await opened.first { true }
            stopped = await clock.measure { await listener.server.shutdown() }
            let text = try await stream
            #expect(text.contains("event: status"))
        }
        #expect(try #require(stopped) < .seconds(2))
    }

    @Test func `streams are bounded`() async throws {
        let node = FakeNode()
        let feed = StatusFeed(node: node, watch: ClusterWatch(node: node))
        var streams: [AsyncStream<Void>] = []
        while let stream = await feed.subscribe() { streams.append(stream) }
        #expect(streams.count == AdminLimits.streamsMax)
    }
}

@Suite struct ClusterWatchTests {
    @Test func `a node that is gone is named with its reason, and with what it said last`() async throws {
        let node = FakeNode()
        node.change {
            $0.peers = [2: .success(FakeNode.status(of: 2, role: "leader")), 3: .failure(PeerSilence("no connection"))]
        }
        let watch = ClusterWatch(node: node)
        let first = await watch.look()
        #expect(first.nodes.map(\.isReachable) == [true, true, false])
        #expect(first.nodes[2].reason == "no connection")
        #expect(first.nodes[2].status == nil)
        node.change { $0.peers[2] = .failure(PeerSilence("gone")) }
        let second = await watch.look()
        #expect(second.nodes[1].isReachable == false)
        #expect(second.nodes[1].status?.cluster.role == "leader")
        #expect(try #require(second.nodes[1].ageSeconds) >= 0)
    }

    @Test func `however many look, a peer is asked one thing at a time, and each sees what was so before`() async throws
    {
        let node = FakeNode()
        node.change { $0.peers = [2: .success(FakeNode.status(of: 2))] }
        let watch = ClusterWatch(node: node)
        await withTaskGroup(of: Void.self) { looking in
            for _ in 0..<50 {
                looking.addTask {
                    node.happened("asked")
                    let before = node.lastEvent
                    let view = await watch.look()
                    #expect(view.nodes[0].status.map { $0.lastEvent >= before } == true)
                }
            }
        }
        #expect(node.askingMost == 1)
    }

    @Test func `whoever knows the newest term says who leads`() async throws {
        let node = FakeNode()
        node.change { state in
            state.status.cluster.role = "leader"
            state.status.cluster.leader = 1
            state.peers = [2: .success(FakeNode.status(of: 2, role: "leader", term: 4))]
        }
        let view = await ClusterWatch(node: node).look()
        #expect(view.leader == 2)
        #expect(view.term == 4)
    }

    @Test func `events of all nodes are gathered once each, and anew from a process that began anew`() async throws {
        let node = FakeNode()
        var other = FakeNode.status(of: 2)
        other.events = [EventDocument(node: 2, number: 1, time: "t", kind: "role", text: "one")]
        let told = other
        node.change { $0.peers = [2: .success(told)] }
        node.happened("own")
        let watch = ClusterWatch(node: node)
        _ = await watch.look()
        _ = await watch.look()
        #expect(await watch.events(after: 0).map(\.event.text) == ["own", "one"])
        #expect(await watch.events(after: 1).map(\.event.text) == ["one"])
        other.started = "later"
        let later = other
        node.change { $0.peers = [2: .success(later)] }
        _ = await watch.look()
        _ = await watch.look()
        #expect(await watch.events(after: 2).map(\.event.text) == ["one"])
    }
}
