import HTTP2Transport
import NIOCore
import NIOEmbedded
import Testing

@testable import HoldfastNode

/// Who has room for a body, in turn and in time, without a socket.
@Suite struct BodyRoomTests {
    private final class Source: BodySource {
        var isHeldBack = false
        var breaches: [HTTP2Breach] = []
        func record(_ breach: HTTP2Breach) { self.breaches.append(breach) }
    }

    /// Windows of 100 bytes; room for 1,000 loose ones, and for 1,000 of large bodies.
    private static var limits: NodeLimits.Bodies {
        var limits = NodeLimits.Bodies()
        limits.looseBodyByteCountMax = 100
        limits.looseByteCountMax = 1_000
        limits.connectionLooseByteCount = 50
        limits.reservedByteCountMax = 1_000
        limits.connectionReservedByteCountMax = 700
        limits.progressByteCount = 50
        return limits
    }

    private final class Body {
        let source = Source()
        let place: BodyPlace
        private(set) var refusals: [Problem] = []

        init(_ room: BodyRoom, _ tally: BodyTally = BodyTally(), announcing byteCount: Int? = nil) {
            var refused: (Problem) -> Void = { _ in }
            self.place = BodyPlace(in: room, of: self.source, tally, announcing: byteCount) { refused($0) }
            refused = { [weak self] problem in self?.refusals.append(problem) }
        }
    }

    private let loop = EmbeddedEventLoop()
    private let room: BodyRoom

    init() { self.room = BodyRoom(Self.limits, on: self.loop) }

    @Test func `small bodies are taken until there are too many, and of each connection a little even then`() {
        let (one, other) = (BodyTally(), BodyTally())
        let bodies = (0..<10).map { _ in Body(self.room, one, announcing: 100) }
        for body in bodies { #expect(body.place.take(100)) }
        let late = Body(self.room, one, announcing: 100)
        #expect(!late.place.take(20))
        #expect(late.source.breaches == [.unfinishedBodies])
        #expect(Body(self.room, other, announcing: 50).place.take(50))
        #expect(!Body(self.room, other, announcing: 50).place.take(1))
        bodies[0].place.leave()
        #expect(Body(self.room, one, announcing: 50).place.take(50))
        #expect(self.room.looseByteCount == 1_000)
    }

    @Test func `a large body has room for all of it, and the next one is held back until it has`() {
        let first = Body(self.room, announcing: 600)
        let second = Body(self.room, announcing: 500)
        #expect(first.place.take(10) && second.place.take(10))
        #expect(self.room.reservedByteCount == 600)
        #expect(!first.source.isHeldBack && second.source.isHeldBack)
        #expect(second.place.take(90), "what was on its way already")
        #expect(first.place.take(590))
        #expect(self.room.looseByteCount == 100)
        first.place.leave()
        #expect(!second.source.isHeldBack)
        #expect(self.room.reservedByteCount == 500 && self.room.looseByteCount == 0)
        second.place.leave()
        #expect(self.room.reservedByteCount == 0)
    }

    @Test func `a body that does not say how long it is asks for room in the middle of its window`() {
        var limits = Self.limits
        limits.reservedByteCountMax = NodeLimits.bodyByteCountMax
        limits.connectionReservedByteCountMax = NodeLimits.bodyByteCountMax
        let room = BodyRoom(limits, on: self.loop)
        let body = Body(room)
        #expect(body.place.take(50))
        #expect(room.reservedByteCount == 0)
        #expect(body.place.take(1))
        #expect(room.reservedByteCount == NodeLimits.bodyByteCountMax)
        body.place.leave()
    }

    @Test func `one connection has its share of the room, and keeps nobody behind it waiting`() {
        let greedy = BodyTally()
        let (first, second) = (Body(self.room, greedy, announcing: 600), Body(self.room, greedy, announcing: 200))
        let other = Body(self.room, announcing: 300)
        #expect(first.place.take(1) && second.place.take(1) && other.place.take(1))
        #expect(second.source.isHeldBack && !other.source.isHeldBack)
        #expect(self.room.reservedByteCount == 900)
        let third = Body(self.room, announcing: 101)
        #expect(third.place.take(1))
        #expect(third.source.isHeldBack)
        third.place.leave()
        first.place.leave()
        #expect(!second.source.isHeldBack)
        #expect(self.room.reservedByteCount == 500 && self.room.waitingCount == 0)
    }

    @Test func `who waits for too long is refused, and so is a slow body for which others wait`() {
        let slow = Body(self.room, announcing: 650)
        #expect(slow.place.take(1))
        self.loop.advanceTime(by: .seconds(60))
        #expect(slow.refusals.isEmpty, "nobody needs its room")
        let waiting = Body(self.room, announcing: 600)
        #expect(waiting.place.take(1))
        self.loop.advanceTime(by: .seconds(1))
        #expect(slow.refusals == [.bodyTooSlow] && slow.source.breaches == [.unfinishedBodies])
        #expect(!waiting.source.isHeldBack, "it has the room")
        let late = Body(self.room, announcing: 600)
        #expect(late.place.take(1))
        for _ in 0..<10 {
            #expect(waiting.place.take(49) && waiting.place.take(1))
            self.loop.advanceTime(by: .seconds(1))
        }
        #expect(waiting.refusals.isEmpty)
        self.loop.advanceTime(by: .seconds(1))
        #expect(late.refusals == [.bodiesUnfinished] && late.source.breaches.isEmpty)
        #expect(!late.source.isHeldBack)
        #expect(self.room.waitingCount == 0 && self.room.looseByteCount == 0)
    }

    @Test func `small bodies that do not go on make place, but not those that wait for the node`() {
        let silent = (0..<9).map { _ in Body(self.room, announcing: 100) }
        for body in silent { #expect(body.place.take(50) && body.place.take(50)) }
        let whole = Body(self.room, announcing: 100)
        #expect(whole.place.take(50) && whole.place.take(50))
        whole.place.ended()
        let tally = BodyTally()
        #expect(!Body(self.room, tally, announcing: 100).place.take(100), "they have only just come")
        self.loop.advanceTime(by: .seconds(3))
        #expect(Body(self.room, tally, announcing: 100).place.take(100))
        #expect(silent.allSatisfy { $0.refusals == [.bodyTooSlow] })
        #expect(whole.refusals.isEmpty)
        #expect(self.room.looseByteCount == 200)
    }

    @Test func `a session keeps what is left behind a batch, and asks anew for the next`() {
        let session = Body(self.room)
        session.place.announcedByteCount = 600
        #expect(session.place.take(80))
        #expect(self.room.reservedByteCount == 600)
        #expect(session.place.take(540))
        session.place.keep(20, announcing: 650)
        #expect(self.room.reservedByteCount == 0 && self.room.looseByteCount == 20)
        #expect(session.place.take(10))
        #expect(self.room.reservedByteCount == 650 && self.room.looseByteCount == 0)
        session.place.keep(0, announcing: nil)
        #expect(self.room.reservedByteCount == 0 && self.room.looseByteCount == 0)
    }

    @Test func `in whatever order bodies come, the sums hold and each of them comes to its end`() {
        var random = SplitMix(state: 7)
        for _ in 0..<200 {
            let tallies = (0..<3).map { _ in BodyTally() }
            var sent = (0..<9).map { number in
                let byteCount = Int(random.next() % 700) + 1
                return (
                    body: Body(self.room, tallies[number % 3], announcing: byteCount), missing: byteCount, window: 100
                )
            }
            while !sent.isEmpty {
                var hasMoved = false
                for index in sent.indices.reversed() {
                    if !sent[index].body.source.isHeldBack { sent[index].window = 100 }
                    let count = min(sent[index].missing, sent[index].window, Int(random.next() % 60) + 1)
                    guard count > 0 else { continue }
                    hasMoved = true
                    #expect(sent[index].body.place.take(count))
                    sent[index].missing -= count
                    sent[index].window -= count
                    if sent[index].missing == 0 { sent.remove(at: index).body.place.leave() }
                }
                #expect(hasMoved, "all wait for each other")
                guard hasMoved else { return }
                #expect(self.room.looseByteCount <= 1_000 && self.room.reservedByteCount <= 1_000)
                #expect(tallies.reduce(0) { $0 + $1.looseByteCount } == self.room.looseByteCount)
                #expect(tallies.reduce(0) { $0 + $1.reservedByteCount } == self.room.reservedByteCount)
            }
            #expect(self.room.looseByteCount == 0 && self.room.reservedByteCount == 0 && self.room.waitingCount == 0)
        }
    }

    private struct SplitMix {
        var state: UInt64
        mutating func next() -> UInt64 {
            self.state &+= 0x9e37_79b9_7f4a_7c15
            var value = self.state
            value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
            return value ^ value >> 31
        }
    }
}
