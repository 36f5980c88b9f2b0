import DequeModule
import LogModel

/// How far the leader has come with one follower.
///
///     disconnected --connected--> idle --openStream--> greeting --welcomed--> streaming
///          ^                       ^                      |'--trimmed--> fetching |
///          '------ disconnected ---'---- closed, refused -'------------------'---'
package struct FollowerProgress: Sendable {
    package enum Phase: Hashable, Sendable {
        case disconnected
        /// Connected; a stream may be opened from `retryAt` on.
        case idle(retryAt: MonotonicTime)
        case greeting(StreamID, deadline: MonotonicTime)
        case streaming(StreamID)
        /// What it needs is trimmed: it fetches this log's first segment, and closes the stream when it is done.
        case fetching(StreamID)
    }

    package var phase: Phase
    /// Who answers there, by its own word.
    package private(set) var member: Member?
    /// By its own word it neither votes nor counts.
    package private(set) var isRetired = false
    /// No member any more: hears so until then.
    package var leavesAt: MonotonicTime?
    /// The end of what has been shipped on this stream.
    package private(set) var sent: LogPoint = .zero
    /// The header checksum of the frame that ends there; 0 where the leader has not read it.
    package private(set) var sentChecksum: UInt32 = 0
    /// Received and persisted, as the follower last said.
    package var received: LogPoint = .zero
    package var persisted: LogPoint = .zero
    package private(set) var inFlightByteCount = 0
    /// A read from the files is under way.
    package var isLoading = false
    package var toldCommit: Position = .zero
    /// The first RANGE of a stream is due even when it is empty: it confirms the common point.
    package var owesConfirmation = false
    /// Ranges in a row that it took nothing of, as far as they could be read.
    package private(set) var refusedRangeCount = 0
    private var inFlight: Deque<(end: Position, byteCount: Int)> = []

    package init(phase: Phase) {
        self.phase = phase
    }

    /// What is done for it now, in one word.
    package var shipping: String {
        switch self.phase {
        case .disconnected: "disconnected"
        case .idle: "idle"
        case .greeting: "greeting"
        case .streaming: "streaming"
        case .fetching: "fetching"
        }
    }

    package var stream: StreamID? {
        switch self.phase {
        case .disconnected, .idle: nil
        case .greeting(let stream, _), .streaming(let stream), .fetching(let stream): stream
        }
    }

    package mutating func began(at point: LogPoint, checksum: UInt32, on stream: StreamID, to start: MemberStart) {
        self.phase = .streaming(stream)
        self.member = start.member
        self.isRetired = start.isRetired
        self.sent = point
        self.sentChecksum = checksum
        self.toldCommit = .zero
        self.owesConfirmation = true
        self.isLoading = false
        self.forgetInFlight()
    }

    package mutating func ended(_ phase: Phase) {
        self.phase = phase
        // It may come back as another release.
        if phase == .disconnected { self.refusedRangeCount = 0 }
        self.isLoading = false
        self.forgetInFlight()
    }

    package mutating func shipped(through end: LogPoint, checksum: UInt32, byteCount: Int, commit: Position) {
        self.sent = end
        self.sentChecksum = checksum
        self.toldCommit = max(self.toldCommit, commit)
        self.owesConfirmation = false
        guard byteCount > 0 else { return }
        self.inFlight.append((end.position, byteCount))
        self.inFlightByteCount += byteCount
    }

    /// It cannot read what it was sent, or not take it.
    package mutating func refusedRange() { self.refusedRangeCount += 1 }

    package mutating func acknowledged(received: LogPoint, persisted: LogPoint) {
        if received.position > self.received.position { self.refusedRangeCount = 0 }
        self.received = received
        self.persisted = persisted
        while let oldest = self.inFlight.first, oldest.end <= received.position {
            self.inFlightByteCount -= oldest.byteCount
            self.inFlight.removeFirst()
        }
    }

    private mutating func forgetInFlight() {
        self.inFlight.removeAll()
        self.inFlightByteCount = 0
    }
}
