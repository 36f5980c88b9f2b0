import HTTP2Transport
import NIOCore

/// Room for the bodies of requests while they come, shared by all connections of the listener.
///
///     loose --whole--------------------------------------------------------------> handed on
///       | larger than a window                                                        ^
///       v                                                                             |
///     room for all of it? --yes--> reserved: the rest may come --whole----------------'
///       | no                          ^    '-- it hardly comes, and others wait: refused
///       '--> held back, in turn ------'
///                  '-- ten seconds: refused
///
/// What is given room is given it for the whole body, so that no body waits for the end of another that waits for it; those
/// that wait hold little more than a window each. Memory is bounded by the sums in ``NodeLimits/Bodies``, whatever many
/// connections do. A body that comes drop by drop keeps its room only while nobody else needs it.
///
/// Event loop only.
final class BodyRoom {
    let limits: NodeLimits.Bodies
    private let eventLoop: any EventLoop
    /// Held of bodies without room of their own.
    private(set) var looseByteCount = 0
    /// Given to bodies, whether or not they have come so far.
    private(set) var reservedByteCount = 0
    /// In the order of their turn.
    private var waiting: [BodyPlace] = []
    /// Those that are not whole after their first piece, are large, or have room.
    private var open: [ObjectIdentifier: BodyPlace] = [:]
    private var isLooking = false
    private var clearedAt: NIODeadline?

    private static let smallByteCount = 16 << 10

    init(_ limits: NodeLimits.Bodies = NodeLimits.Bodies(), on eventLoop: any EventLoop) {
        self.limits = limits
        self.eventLoop = eventLoop
    }

    var waitingCount: Int { self.waiting.count }

    // MARK: For places

    /// - Returns: `false` when there is no room for them: the place is to be left then.
    func take(_ byteCount: Int, for place: BodyPlace) -> Bool {
        let now = self.eventLoop.now
        place.noteProgress(byteCount, of: self.limits.progressByteCount, now: now)
        if place.byteCount > 0 || byteCount > Self.smallByteCount { self.open[ObjectIdentifier(place)] = place }
        if case .reserved(let room) = place.standing {
            place.byteCount += byteCount
            // A window's worth may come behind a batch that its room was for.
            if place.byteCount > room { self.reserve(place.byteCount - room, for: place) }
            return true
        }
        if self.looseByteCount + byteCount > self.limits.looseByteCountMax {
            self.refuseSlow(now: now, sparing: place) { !$0.isReserved }
            guard
                self.looseByteCount + byteCount <= self.limits.looseByteCountMax
                    || place.tally.looseByteCount + byteCount <= self.limits.connectionLooseByteCount
            else { return false }
        }
        place.byteCount += byteCount
        self.changeLoose(by: byteCount, of: place)
        return place.standing != .loose || self.ask(for: place, now: now)
    }

    /// So much is left of what was taken, and it is the beginning of another body.
    func keep(_ byteCount: Int, for place: BodyPlace) {
        guard byteCount > 0 || place.isReserved || place.isWaiting else {
            // As most of them end.
            self.changeLoose(by: -place.byteCount, of: place)
            place.byteCount = 0
            self.open[ObjectIdentifier(place)] = nil
            return
        }
        self.leave(place)
        guard byteCount > 0 else { return }
        place.byteCount = byteCount
        self.open[ObjectIdentifier(place)] = place
        self.changeLoose(by: byteCount, of: place)
    }

    /// Nothing of it is counted any more, and it waits for nothing.
    func leave(_ place: BodyPlace) {
        self.open[ObjectIdentifier(place)] = nil
        switch place.standing {
        case .loose: self.changeLoose(by: -place.byteCount, of: place)
        case .waiting:
            self.changeLoose(by: -place.byteCount, of: place)
            self.waiting.removeAll { $0 === place }
        case .reserved(let room):
            self.reservedByteCount -= room
            place.tally.reservedByteCount -= room
        }
        let hadRoom = place.isReserved
        place.byteCount = 0
        place.standing = .loose
        place.source.isHeldBack = false
        if hadRoom { self.giveRoom(now: self.eventLoop.now) }
    }

    // MARK: Giving room

    /// - Returns: `false` when too many wait already.
    private func ask(for place: BodyPlace, now: NIODeadline) -> Bool {
        let isLarge =
            place.announcedByteCount.map { $0 > self.limits.looseBodyByteCountMax }
            ?? (place.byteCount > self.limits.looseBodyByteCountMax / 2)
        guard isLarge, !place.waitsForUs else { return true }
        guard self.waiting.count < self.limits.waitingMax else { return false }
        place.standing = .waiting(since: now)
        self.waiting.append(place)
        self.giveRoom(now: now)
        guard place.isWaiting else { return true }
        place.source.isHeldBack = true
        self.lookLater()
        return true
    }

    private func hasRoom(for place: BodyPlace) -> Bool {
        self.reservedByteCount + place.neededByteCount <= self.limits.reservedByteCountMax
            && place.tally.reservedByteCount + place.neededByteCount <= self.limits.connectionReservedByteCountMax
    }

    private func giveRoom(to place: BodyPlace, now: NIODeadline) {
        self.changeLoose(by: -place.byteCount, of: place)
        self.reserve(place.neededByteCount, for: place)
        place.beganProgress(now: now)
        self.open[ObjectIdentifier(place)] = place
        place.source.isHeldBack = false
    }

    private func reserve(_ byteCount: Int, for place: BodyPlace) {
        if case .reserved(let room) = place.standing {
            place.standing = .reserved(room + byteCount)
        } else {
            place.standing = .reserved(byteCount)
        }
        self.reservedByteCount += byteCount
        place.tally.reservedByteCount += byteCount
    }

    /// To those whose turn it is. One whose connection has its share waits for that, and keeps up nobody else.
    private func giveRoom(now: NIODeadline) {
        var index = 0
        while index < self.waiting.count {
            let place = self.waiting[index]
            guard self.reservedByteCount + place.neededByteCount <= self.limits.reservedByteCountMax else { return }
            if self.hasRoom(for: place) {
                self.waiting.remove(at: index)
                self.giveRoom(to: place, now: now)
            } else {
                index += 1
            }
        }
    }

    private func changeLoose(by byteCount: Int, of place: BodyPlace) {
        self.looseByteCount += byteCount
        place.tally.looseByteCount += byteCount
    }

    // MARK: Taking it away

    private func lookLater() {
        guard !self.isLooking else { return }
        self.isLooking = true
        self.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(self.limits.lookMilliseconds)) { [weak self] in
            guard let self else { return }
            self.isLooking = false
            self.look(now: self.eventLoop.now)
        }
    }

    private func look(now: NIODeadline) {
        let patience = TimeAmount.milliseconds(self.limits.waitMilliseconds)
        for place in self.waiting where place.hasWaited(patience, now: now) { place.refuse(.bodiesUnfinished) }
        if !self.waiting.isEmpty { self.refuseSlow(now: now, sparing: nil) { $0.isReserved } }
        if !self.waiting.isEmpty { self.lookLater() }
    }

    private func refuseSlow(now: NIODeadline, sparing spared: BodyPlace?, where isMeant: (BodyPlace) -> Bool) {
        // All of them are looked at, for which not every piece that finds no room is reason enough.
        let pause = TimeAmount.milliseconds(self.limits.lookMilliseconds / 2)
        if let clearedAt, now < clearedAt + pause { return }
        self.clearedAt = now
        let progress = TimeAmount.milliseconds(self.limits.progressMilliseconds)
        for place in Array(self.open.values)
        where place !== spared && isMeant(place) && place.isSlow(progress, now: now) {
            place.source.record(.unfinishedBodies)
            place.refuse(.bodyTooSlow)
        }
    }
}
