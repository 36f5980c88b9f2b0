import HTTP2Transport
import NIOCore

/// Where a body comes from: a stream.
protocol BodySource: AnyObject {
    /// See ``HTTP2Stream/isHeldBack``.
    var isHeldBack: Bool { get set }
    func record(_ breach: HTTP2Breach)
}

extension HTTP2Stream: BodySource {}

/// What one request, or the batch of a session that is not whole, has of the ``BodyRoom``. Event loop only.
final class BodyPlace {
    enum Standing: Equatable {
        case loose
        case waiting(since: NIODeadline)
        /// Of so many bytes.
        case reserved(Int)
    }

    private let room: BodyRoom
    let source: any BodySource
    let tally: BodyTally
    /// How long the body says it is; whoever does not say it may be of any length.
    var announcedByteCount: Int?
    /// It is not the peer who keeps it from being whole, or handed on.
    var waitsForUs = false
    private var refused: ((Problem) -> Void)?
    // The room's.
    var standing = Standing.loose
    var byteCount = 0
    /// Until when it has progressed last, and how far since.
    private var progressedAt: NIODeadline = .uptimeNanoseconds(0)
    private var progressByteCount = 0

    /// - Parameter refused: Called once, when what was taken before has to be given up.
    init(
        in room: BodyRoom, of source: any BodySource, _ tally: BodyTally, announcing announcedByteCount: Int? = nil,
        refused: @escaping (Problem) -> Void
    ) {
        self.room = room
        self.source = source
        self.tally = tally
        self.announcedByteCount = announcedByteCount
        self.refused = refused
    }

    /// Counts bytes that came and are kept.
    ///
    /// - Returns: `false` when there is no room for them; the peer is told by whoever asked.
    func take(_ byteCount: Int) -> Bool {
        guard self.refused != nil else { return false }
        if self.room.take(byteCount, for: self) { return true }
        self.source.record(.unfinishedBodies)
        self.leave()
        return false
    }

    /// What was taken has been handed on but for so many bytes, which begin another body.
    func keep(_ byteCount: Int, announcing announcedByteCount: Int?) {
        self.announcedByteCount = announcedByteCount
        guard self.refused != nil, byteCount != self.byteCount else { return }
        self.room.keep(byteCount, for: self)
    }

    /// It is whole, and waits to be handed on.
    func ended() { self.waitsForUs = true }

    /// It keeps nothing any more.
    func leave() {
        guard self.refused != nil else { return }
        self.refused = nil
        self.room.leave(self)
    }

    func refuse(_ problem: Problem) {
        let refused = self.refused
        self.leave()
        refused?(problem)
    }

    // MARK: For the room

    var isReserved: Bool { if case .reserved = self.standing { true } else { false } }
    var isWaiting: Bool { if case .waiting = self.standing { true } else { false } }

    /// At most what one request, or one batch, may have.
    var neededByteCount: Int {
        max(self.byteCount, min(self.announcedByteCount ?? .max, NodeLimits.bodyByteCountMax))
    }

    func noteProgress(_ byteCount: Int, of progressByteCount: Int, now: NIODeadline) {
        self.progressByteCount += byteCount
        if self.byteCount == 0 || self.progressByteCount >= progressByteCount { self.beganProgress(now: now) }
    }

    func beganProgress(now: NIODeadline) {
        self.progressedAt = now
        self.progressByteCount = 0
    }

    func isSlow(_ time: TimeAmount, now: NIODeadline) -> Bool {
        !self.waitsForUs && !self.isWaiting && now >= self.progressedAt + time
    }

    func hasWaited(_ time: TimeAmount, now: NIODeadline) -> Bool {
        guard case .waiting(let since) = self.standing else { return false }
        return now >= since + time
    }
}
