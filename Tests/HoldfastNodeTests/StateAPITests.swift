import HTTPTypes
import HoldfastClient
import LogModel
import ReplicaCore
import Testing

@testable import HoldfastNode

@Suite struct IdempotencyTests {
    @Test func `a repeated key is answered with the first result, and another one appends`() async throws {
        try await Listener.with { listener in
            let first = try await listener.ask(.post, "/v1/records", [.idempotencyKey: "order-1"], body: "a")
            let again = try await listener.ask(.post, "/v1/records", [.idempotencyKey: "order-1"], body: "a")
            let other = try await listener.ask(.post, "/v1/records", [.idempotencyKey: "order-2"], body: "b")
            #expect([first.status, again.status, other.status] == [201, 200, 201])
            #expect(again.fields[.holdfastDuplicate] == "true" && first.fields[.holdfastDuplicate] == nil)
            #expect(again.body == first.body)
            #expect(listener.log.values == ["a", "b"])
        }
    }

    @Test func `a key, its expected index and its token go through a follower`() async throws {
        try await Listener.with { leader in
            let follower = try await Listener.start(leader: leader.address)
            let fields: HTTPFields = [.idempotencyKey: "k", .holdfastFencingToken: "4"]
            let first = try await follower.ask(.post, "/v1/records?expect=1", fields, body: "a")
            let again = try await follower.ask(.post, "/v1/records?expect=1", fields, body: "a")
            #expect(first.status == 201 && again.status == 200)
            #expect(again.fields[.holdfastDuplicate] == "true")
            let late = try await follower.ask(.post, "/v1/records", [.ifMatch: "\"1\""], body: "b")
            #expect(late.status == 412 && late.fields[.holdfastNextIndex] == "2")
            let old = try await follower.ask(.post, "/v1/records", [.holdfastFencingToken: "3"], body: "b")
            #expect(old.status == 409 && old.body.contains("FENCED"))
            #expect(leader.log.values == ["a"] && follower.log.values.isEmpty)
            await follower.stop()
        }
    }

    @Test func `the hash of a key never changes`() {
        // SHA-256 of "abc", FIPS 180-2: ba7816bf 8f01cfea 414140de 5dae2223 ...
        let key = IdempotencyKey(hashing: "abc")
        #expect(key == IdempotencyKey(high: 0xba78_16bf_8f01_cfea, low: 0x4141_40de_5dae_2223))
    }
}

@Suite struct ConditionTests {
    @Test func `a failed condition says what comes next, as a header and in the problem`() async throws {
        try await Listener.with { listener in
            #expect(try await listener.ask(.post, "/v1/records?expect=1", body: "a").status == 201)
            let tail = try await listener.ask(.head, "/v1/records")
            let tag = try #require(tail.fields[.eTag])
            #expect(try await listener.ask(.post, "/v1/records", [.ifMatch: tag], body: "b").status == 201)
            for answer in [
                try await listener.ask(.post, "/v1/records", [.ifMatch: tag], body: "c"),
                try await listener.ask(.post, "/v1/records?expect=9", body: "c"),
            ] {
                #expect(answer.status == 412)
                #expect(answer.fields[.holdfastNextIndex] == "3")
                let problem = try #require(ProblemDocument(json: answer.body.utf8))
                #expect(problem.code == "CONDITION_FAILED" && problem.applied == .no && problem.nextIndex == 3)
            }
            #expect(listener.log.values == ["a", "b"])
        }
    }

    @Test func `a lower token is refused, and the log's is named`() async throws {
        try await Listener.with { listener in
            let raised = try await listener.ask(.put, "/v1/fencing-token", body: #"{"token":7}"#)
            #expect(raised.status == 200 && raised.body == #"{"token":7}"# + "\n")
            let old = try await listener.ask(.post, "/v1/records", [.holdfastFencingToken: "6"], body: "a")
            #expect(old.status == 409)
            let problem = try #require(ProblemDocument(json: old.body.utf8))
            #expect(problem.code == "FENCED" && problem.applied == .no && problem.fencingToken == 7)
            #expect(try await listener.ask(.put, "/v1/fencing-token", body: #"{"token":6}"#).status == 409)
            let new = try await listener.ask(.post, "/v1/records", [.holdfastFencingToken: "8"], body: "b")
            #expect(new.status == 201)
            #expect(try await listener.ask(.put, "/v1/fencing-token", body: "8").status == 400)
        }
    }

    @Test(
        arguments: [
            ([.ifMatch: "1"], ""), ([.ifMatch: "*"], ""), ([.ifMatch: "\"0\""], ""), ([.ifMatch: "W/\"1\""], ""),
            ([.ifMatch: "\"2\""], "expect=1"), ([:], "expect=0"), ([:], "expect=-1"),
            ([.holdfastFencingToken: "x"], ""),
            ([.holdfastFencingToken: "-1"], ""), ([.idempotencyKey: ""], ""),
            ([.idempotencyKey: String(repeating: "k", count: 256)], ""),
            ([.idempotencyKey: "k", .holdfastProducer: "7", .holdfastSequence: "1"], ""),
        ] as [(HTTPFields, String)])
    func `what is not understood is 400`(fields: HTTPFields, query: String) {
        let head = HTTPRequest(
            method: .post, scheme: "http", authority: "x", path: "/v1/records", headerFields: fields)
        let problem = #expect(throws: Problem.self) { try AppendRequest(head: head, QueryParameters(query[...])) }
        #expect(problem?.document.status == 400)
        #expect(problem?.document.applied == .no)
    }
}

@Suite struct CursorTests {
    @Test func `a cursor is set, moved, listed and deleted`() async throws {
        try await Listener.with { listener in
            #expect(try await listener.ask(.get, "/v1/cursors").body == #"{"cursors":[]}"# + "\n")
            let set = try await listener.ask(.put, "/v1/cursors/jobs", body: #"{"index":9}"#)
            #expect(set.status == 200)
            #expect(set.body == #"{"hold":false,"index":9,"name":"jobs"}"# + "\n")
            let moved = try await listener.ask(.put, "/v1/cursors/jobs", body: #"{"index":4,"hold":true}"#)
            let read = try await listener.ask(.get, "/v1/cursors/jobs")
            #expect(moved.status == 200 && read.status == 200 && read.body == moved.body)
            #expect(read.body.contains(#""hold":true,"index":4"#))
            _ = try await listener.ask(.put, "/v1/cursors/a.b_C-1", body: #"{"index":1}"#)
            let list = try await listener.ask(.get, "/v1/cursors")
            #expect(list.body.contains(#"[{"hold":false,"index":1,"name":"a.b_C-1"},{"hold":true"#))
            let deleted = try await listener.ask(.delete, "/v1/cursors/jobs")
            #expect(deleted.status == 204 && deleted.body.isEmpty)
            for method in [HTTPRequest.Method.get, .delete] {
                let missing = try await listener.ask(method, "/v1/cursors/jobs")
                #expect(missing.status == 404 && missing.body.contains("NO_SUCH_CURSOR"))
            }
        }
    }

    @Test func `a follower's cursors are the leader's`() async throws {
        try await Listener.with { leader in
            let follower = try await Listener.start(leader: leader.address)
            #expect(try await follower.ask(.put, "/v1/cursors/jobs", body: #"{"index":9}"#).status == 200)
            #expect(try await leader.ask(.get, "/v1/cursors/jobs").body.contains(#""index":9"#))
            #expect(try await follower.ask(.get, "/v1/cursors/jobs").body.contains(#""index":9"#))
            #expect(try await follower.ask(.delete, "/v1/cursors/jobs").status == 204)
            #expect(try await follower.ask(.put, "/v1/fencing-token", body: #"{"token":3}"#).status == 200)
            await follower.stop()
        }
    }

    @Test func `a cursor that may have moved is moved again`() async throws {
        try await Listener.with { listener in
            listener.log.fail(appends: .leadershipLost)
            let answer = try await listener.ask(.put, "/v1/cursors/jobs", body: #"{"index":9}"#)
            let problem = try #require(ProblemDocument(json: answer.body.utf8))
            #expect(answer.status == 504 && problem.applied == .unknown)
            #expect(problem.hint.contains("twice"))
        }
    }

    @Test(arguments: ["", "x", "{}", #"{"index":0}"#, #"{"index":-1}"#, #"{"index":"7"}"#])
    func `a body without a place is 400`(body: String) async throws {
        try await Listener.with { listener in
            let answer = try await listener.ask(.put, "/v1/cursors/jobs", body: body)
            #expect(answer.status == 400)
        }
    }

    @Test func `what is too long, and names that are none, are refused`() async throws {
        try await Listener.with { listener in
            let long = #"{"index":1}"# + String(repeating: " ", count: 5_000)
            let answer = try await listener.ask(.put, "/v1/cursors/jobs", body: long)
            #expect(answer.status == 413)
            for name in ["", "a%2Fb", "a/b", String(repeating: "a", count: 65)] {
                #expect(try await listener.ask(.get, "/v1/cursors/\(name)").status == 400, "\(name)")
            }
            #expect(try await listener.ask(.post, "/v1/cursors/jobs", body: "{}").status == 405)
            #expect(try await listener.ask(.put, "/v1/cursors", body: "{}").status == 405)
            #expect(try await listener.ask(.get, "/v1/fencing-token").status == 405)
        }
    }
}
