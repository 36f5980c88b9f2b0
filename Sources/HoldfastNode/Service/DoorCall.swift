import HTTP2Transport
import HTTPTypes
import HoldfastAdmin
import NIOCore

/// One attempt to have a request answered by the client listener, which can be given up at any time.
///
///     waits for a stream --> waits for its connection --> sent --the answer begins--> its reader's
///             '----------------------'---- given up -------'--> has no stream, and fails
///
/// Event loop only.
final class DoorCall {
    private enum State {
        case waiting(DoorConnections.Waiting)
        case connecting
        case sent(HTTP2Stream)
        case over
    }

    private let head: HTTPRequest
    private let body: [ByteBuffer]
    private let need: DoorConnections.Need
    private let connections: DoorConnections
    private let answer: EventLoopPromise<DoorAnswer>
    private var state = State.over

    init(
        _ head: HTTPRequest, body: [ByteBuffer], _ need: DoorConnections.Need, over connections: DoorConnections,
        answer: EventLoopPromise<DoorAnswer>
    ) {
        self.head = head
        self.body = body
        self.need = need
        self.connections = connections
        self.answer = answer
    }

    /// - Parameter deadline: For getting a stream.
    func begin(until deadline: NIODeadline) {
        let waiting = self.connections.take(self.need, until: deadline) { self.got($0) }
        if let waiting { self.state = .waiting(waiting) }
    }

    /// Nobody waits for the answer any more. What was sent may be acted on all the same.
    ///
    /// For as long as the answer has not begun; then its body is what has to be let go of.
    func giveUp() {
        let state = self.state
        self.state = .over
        switch state {
        case .waiting(let waiting):
            self.connections.giveUp(waiting)
            self.answer.fail(DoorFailure.givenUp)
        // The stream is given back once the connection stands, or does not.
        case .connecting: self.answer.fail(DoorFailure.givenUp)
        // Its handler hears of it, and fails the answer.
        case .sent(let stream): stream.reset(.cancel)
        case .over: break
        }
    }

    private func got(_ connection: DoorConnections.Connection?) {
        guard let connection else {
            self.state = .over
            return self.answer.fail(DoorFailure.noStream)
        }
        self.state = .connecting
        connection.connected.assumeIsolated().whenComplete { self.connected($0, connection) }
    }

    private func connected(_ result: Result<HTTP2Connection, any Error>, _ connection: DoorConnections.Connection) {
        let (connections, need) = (self.connections, self.need)
        guard case .connecting = self.state else { return connections.ended(need, connection) }
        guard case .success(let made) = result else {
            self.state = .over
            connections.ended(need, connection)
            return self.answer.fail(DoorFailure.unsent)
        }
        // The stream does not keep this call, whose promise would keep the answer from whoever lets go of it.
        let stream = DoorExchange.begin(self.head, body: self.body, on: made, answer: self.answer) {
            connections.ended(need, connection)
        }
        self.state = .sent(stream)
    }
}
