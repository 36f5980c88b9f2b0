import HTTPTypes
import HoldfastClient
import LogModel
import Testing

@testable import HoldfastNode

@Suite struct SegmentsAPITests {
    @Test func `a node says how far its segments are committed, and gives their bytes piece by piece`() async throws {
        try await Listener.with { listener in
            listener.log.store(Array("frames".utf8))
            let answer = try await listener.ask(.get, "/v1/segments")
            let document = try #require(JSONDocument.decode(SegmentsDocument.self, from: answer.body.utf8))
            #expect(answer.status == 200 && document.commit == "2:6" && document.bytes == 6)
            #expect(document.firstSegment == 2 && document.firstIndex == 7 && document.lastIndex == 8)
            var bytes = ""
            var position = Position(2, 0)
            while true {
                let path = "/v1/segments/\(position.segment)?offset=\(position.offset)&limit=4"
                let piece = try await listener.ask(.get, path)
                #expect(piece.status == 200 && piece.fields[.contentType] == "application/octet-stream")
                position = try #require(piece.fields[.holdfastNextPosition].flatMap { Position($0) })
                if piece.body.isEmpty { break }
                bytes += piece.body
            }
            #expect(bytes == "frames" && position == Position(2, 6))
        }
    }

    @Test func `mistakes, damage and what was trimmed are told apart`() async throws {
        try await Listener.with { listener in
            for path in [
                "/v1/segments/", "/v1/segments/x", "/v1/segments/+2", "/v1/segments/2?offset=-1",
                "/v1/segments/2?limit=0", "/v1/segments/2?limit=99999999", "/v1/segments?offset=1",
            ] {
                let answer = try await listener.ask(.get, path)
                #expect(answer.status == 400, "\(path): \(answer.body)")
            }
            let absent = try await listener.ask(.get, "/v1/segments/3")
            #expect(absent.status == 404 && absent.body.contains("NO_SUCH_FRAME"))
            listener.log.fail(reads: .damaged("segment 2"))
            let damaged = try await listener.ask(.get, "/v1/segments/2")
            #expect(damaged.status == 503 && damaged.body.contains("DAMAGED"))
            listener.log.fail(reads: .trimmed(first: LogIndex(9)))
            let trimmed = try await listener.ask(.get, "/v1/segments/2")
            #expect(trimmed.status == 410 && trimmed.body.contains("TRIMMED"))
            #expect(try await listener.ask(.put, "/v1/segments/2").status == 405)
        }
    }

    @Test func `there are so many places, and who leaves makes room`() {
        let places = PlaceCount(2)
        var first = places.take()
        let second = places.take()
        #expect(first != nil && second != nil && places.take() == nil)
        first = nil
        #expect(places.take() != nil)
    }
}
