import HTTPTypes
import HoldfastClient
import Testing

@testable import HoldfastNode

@Suite struct RequestLabelTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    @Test(arguments: ["a", "8f14e45f-ceea-467a-9575-6e2f1c3d7a10", "gate:7.x_1", String(repeating: "x", count: 128)])
    func `a good id is kept`(id: String) {
        #expect(RequestLabel([.xRequestID: id]).id == id)
    }

    @Test(arguments: ["", "a b", "a\"b", "ä", "a;b", String(repeating: "x", count: 129)])
    func `a bad id is replaced by one of sixteen digits`(id: String) {
        let label = RequestLabel([.xRequestID: id])
        #expect(label.id != id && label.id.count == 16 && UInt64(label.id, radix: 16) != nil)
    }

    @Test func `a trace is sampled when its flags say so, whatever else they say`() {
        let sampled = ["00", "01", "02", "03", "ff"].map {
            RequestLabel([.traceparent: "00-\(Self.trace)-00f067aa0ba902b7-\($0)"]).isSampled
        }
        #expect(sampled == [false, true, false, true, true])
        #expect(!RequestLabel([:]).isSampled && !RequestLabel([.traceparent: "01"]).isSampled)
    }

    @Test func `the trace of a right traceparent is taken, and of no other`() {
        #expect(RequestLabel([.traceparent: "00-\(Self.trace)-00f067aa0ba902b7-01"]).trace == Self.trace)
        #expect(RequestLabel([.traceparent: "01-\(Self.trace)-00f067aa0ba902b7-01-later"]).trace == Self.trace)
        for wrong in [
            "", "00", "00-\(Self.trace)-00f067aa0ba902b7", "00-\(Self.trace)-00f067aa0ba902b7-01-more",
            "ff-\(Self.trace)-00f067aa0ba902b7-01", "00-\(Self.trace.uppercased())-00f067aa0ba902b7-01",
            "00-\(String(repeating: "0", count: 32))-00f067aa0ba902b7-01", "00-\(Self.trace)-0000000000000000-01",
            "00-\(Self.trace)x-00f067aa0ba902b7-01", "00-\(Self.trace)-00f067aa0ba902b7-0g",
        ] {
            #expect(RequestLabel([.traceparent: wrong]).trace == nil, "\(wrong)")
        }
    }

    @Test func `every answer names its request, also the leader's through a follower`() async throws {
        let leader = try await Listener.start()
        let follower = try await Listener.start(leader: leader.address)
        do {
            for listener in [leader, follower] {
                let given = try await listener.ask(.post, "/v1/records", [.xRequestID: "mine-1"], body: "a")
                #expect(given.status == 201 && given.fields[.xRequestID] == "mine-1")
                let drawn = try await listener.ask(.post, "/v1/records", [.xRequestID: "not mine"], body: "a")
                #expect(drawn.status == 201 && drawn.fields[.xRequestID]?.count == 16)
                let refused = try await listener.ask(.get, "/v1/nothing", [.xRequestID: "mine-2"])
                #expect(refused.status == 404 && refused.fields[.xRequestID] == "mine-2")
                #expect(refused.body.contains(#""request_id":"mine-2""#))
                let head = try await listener.ask(.head, "/v1/records", [.xRequestID: "mine-3"])
                #expect(head.status == 200 && head.fields[.xRequestID] == "mine-3")
            }
            let following = try await leader.ask(
                .get, "/v1/records?follow=true&limit=1", [.xRequestID: "mine-4"])
            #expect(following.status == 200 && following.fields[.xRequestID] == "mine-4")
        } catch {
            await follower.stop()
            await leader.stop()
            throw error
        }
        await follower.stop()
        await leader.stop()
    }
}
