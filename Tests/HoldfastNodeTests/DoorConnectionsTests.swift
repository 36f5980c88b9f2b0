import HTTP2Transport
import NIOCore
import NIOPosix
import Testing

@testable import HoldfastNode

/// Who gets which stream, with connections that never come about.
@Suite(.timeLimit(.minutes(1))) struct DoorConnectionsTests {
    private final class Door {
        let connections: DoorConnections
        private let made: NIOLoopBoundBox<[EventLoopPromise<HTTP2Connection>]>
        /// Those that got a stream, in this order, and those that got none.
        private(set) var served: [(name: String, need: DoorConnections.Need, connection: DoorConnections.Connection)] =
            []
        private(set) var refused: [String] = []

        /// Two connections of one stream each.
        init(on loop: any EventLoop, waitingMax: Int = 3) {
            let made = NIOLoopBoundBox<[EventLoopPromise<HTTP2Connection>]>([], eventLoop: loop)
            self.connections = DoorConnections(
                DoorConnections.Bounds(connectionsMax: 2, streamsMax: 1, waitingMax: waitingMax), on: loop
            ) {
                let promise = loop.makePromise(of: HTTP2Connection.self)
                made.value.append(promise)
                return promise.futureResult
            }
            self.made = made
        }

        var names: [String] { self.served.map(\.name) }
        var connectionCount: Int { self.made.value.count }

        @discardableResult
        func ask(_ name: String, isRepeated: Bool = false, until deadline: NIODeadline = .distantFuture)
            -> DoorConnections.Waiting?
        {
            let need = DoorConnections.Need(isReader: false, isRepeated: isRepeated)
            return self.connections.take(need, until: deadline) { connection in
                guard let connection else { return self.refused.append(name) }
                self.served.append((name, need, connection))
            }
        }

        func end(_ name: String) {
            guard let one = self.served.first(where: { $0.name == name }) else { return }
            self.connections.ended(one.need, one.connection)
        }

        func close() { for promise in self.made.value { promise.fail(ChannelError.ioOnClosedChannel) } }
    }

    private static func with(_ body: @escaping @Sendable (Door) throws -> Void) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        try await loop.submit {
            let door = Door(on: loop)
            defer { door.close() }
            try body(door)
        }.get()
    }

    @Test func `whoever may have a connection made is not kept from it by one before him that may not`() async throws {
        try await Self.with { door in
            door.ask("first")
            door.ask("repeated", isRepeated: true)
            #expect(door.names == ["first"] && door.connections.load.waitingCount == 1)
            door.ask("third")
            #expect(door.names == ["first", "third"] && door.connectionCount == 2)
            door.ask("fourth")
            #expect(door.connections.load == .init(streamCount: 2, waitingCount: 2))
            door.end("third")
            #expect(door.names == ["first", "third", "repeated"], "a stream that comes free is his who came first")
            door.end("first")
            #expect(door.names.last == "fourth" && door.connections.load == .init(streamCount: 2))
        }
    }

    @Test func `whoever is one too many is refused at once, and whoever gave up makes room`() async throws {
        try await Self.with { door in
            for name in ["a", "b"] { door.ask(name) }
            let waiting = ["c", "d", "e"].map { door.ask($0) }
            door.ask("f")
            #expect(door.refused == ["f"] && door.connections.load.waitingCount == 3)
            if let first = waiting[0] { door.connections.giveUp(first) }
            door.ask("g")
            #expect(door.refused == ["f"])
            for name in ["a", "b", "d", "e"] { door.end(name) }
            #expect(door.names == ["a", "b", "d", "e", "g"] && door.connections.load == .init(streamCount: 1))
        }
    }

    @Test func `a request waits until its own deadline, however late it asks`() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let door = try await loop.submit {
            let door = Door(on: loop)
            for name in ["a", "b"] { door.ask(name) }
            door.ask("again", isRepeated: true, until: .now())
            return NIOLoopBound(door, eventLoop: loop)
        }.get()
        while try await loop.submit({ door.value.refused.isEmpty }).get() {
            try await Task.sleep(for: .milliseconds(5))
        }
        try await loop.submit {
            #expect(door.value.refused == ["again"] && door.value.connections.load == .init(streamCount: 2))
            door.value.close()
        }.get()
    }
}
