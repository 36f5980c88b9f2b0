import LogModel
import ReplicaCore
import Replicator
import SegmentFormat
import Testing

@Suite(.serialized) struct ReplicatorTests {
    private func records(_ texts: [String]) throws -> Submission {
        Submission(try .records(texts.map { Record($0) }))
    }

    private func text(_ record: IndexedRecord) -> String { String(decoding: record.record.value, as: UTF8.self) }

    @Test func `three blank nodes form, append, and every one of them shows it`() async throws {
        let group = try await ReplicatorGroup()
        do {
            let leader = try await group.leader()
            let outcome = try await leader.append(try self.records(["one", "two"]))
            #expect(outcome.first == LogIndex(1) && outcome.last == LogIndex(2))
            #expect(outcome.durability == .persisted)
            for node in group.nodes.values {
                #expect(await node.waitForCommit(of: LogIndex(2), timeoutMilliseconds: 10_000))
                let page = try await node.read(from: .first, limit: 10, byteCountMax: 1 << 20, consistency: .committed)
                #expect(page.records.map(self.text) == ["one", "two"])
            }
        } catch { Issue.record(error) }
        await group.end()
    }

    @Test func `an answered append can be read at once, linearizably`() async throws {
        let group = try await ReplicatorGroup()
        do {
            let leader = try await group.leader()
            for number in 1...50 {
                let outcome = try await leader.append(try self.records(["value \(number)"]))
                let page = try await leader.read(
                    from: .index(outcome.first), limit: 1, byteCountMax: 1 << 20, consistency: .linearizable)
                #expect(page.records.map(self.text) == ["value \(number)"])
            }
        } catch { Issue.record(error) }
        await group.end()
    }

    @Test func `large ranges of text cross the wire deflated, noise as it is`() async throws {
        let group = try await ReplicatorGroup()
        do {
            let leader = try await group.leader()
            let line = "{\"level\":\"info\",\"message\":\"request served\",\"path\":\"/v1/records\",\"status\":200}"
            for _ in 0..<20 { _ = try await leader.append(try self.records((0..<800).map { "\(line) \($0)" })) }
            let afterText = await leader.status().counters
            #expect(afterText.rangeBytesRaw > 2_000_000)
            #expect(afterText.rangeBytesOnWire * 10 < afterText.rangeBytesRaw * 3)
            var random = SystemRandomNumberGenerator()
            let noise = Record(value: ArraySlice((0..<400_000).map { _ in UInt8.random(in: 0...255, using: &random) }))
            _ = try await leader.append(Submission(try .records([noise])))
            try await group.until { await $0.areLevel() }
            let afterNoise = await leader.status().counters
            let raw = afterNoise.rangeBytesRaw - afterText.rangeBytesRaw
            #expect(afterNoise.rangeBytesOnWire - afterText.rangeBytesOnWire == raw)
        } catch { Issue.record(error) }
        await group.end()
    }

    @Test(arguments: [(RangeCompression.never, UInt64(100)), (.always, 30)])
    func `a node that is told to compresses all that shrinks, or nothing; each follower is counted for itself`(
        compression: RangeCompression, percent: UInt64
    ) async throws {
        let group = try await ReplicatorGroup { $0.compression = compression }
        do {
            let leader = try await group.leader()
            let line = "{\"level\":\"info\",\"message\":\"request served\",\"path\":\"/v1/records\",\"status\":200}"
            // Each below what `auto` looks at.
            for _ in 0..<20 { _ = try await leader.append(try self.records((0..<100).map { "\(line) \($0)" })) }
            try await group.until { await $0.areLevel() }
            let status = await leader.status()
            #expect(status.peers.count == 2)
            for shipped in status.peers.map(\.shipped) {
                #expect(shipped.bytesRaw > 150_000 && shipped.rangeCount >= 20)
                #expect(shipped.bytesOnWire * 100 <= shipped.bytesRaw * percent)
                #expect(compression == .always || shipped.bytesOnWire == shipped.bytesRaw)
            }
            #expect(status.counters.rangeBytesRaw == status.peers.reduce(0) { $0 + $1.shipped.bytesRaw })
        } catch { Issue.record(error) }
        await group.end()
    }

    @Test func `a follower that was away over rotations catches up from the files`() async throws {
        let group = try await ReplicatorGroup {
            $0.segmentByteCountMax = 1 << 20
            $0.limits.tailByteCountMax = 64 << 10
        }
        do {
            let leader = try await group.leader()
            let leading = await leader.status().node
            let away = try #require(group.nodes.keys.sorted().first { $0 != leading })
            await group.stop(away)
            for number in 0..<40 {
                let texts = (0..<400).map { "\(number) \($0) " + String(repeating: "x", count: 300) }
                _ = try await leader.append(try self.records(texts))
            }
            try await group.start(away)
            try await group.until { await $0.areLevel() }
            let status = try #require(await group.nodes[away]?.status())
            #expect(status.tail.segment >= SegmentID(4))
            #expect(status.nextIndex == LogIndex(16_001))
        } catch { Issue.record(error) }
        await group.end()
    }

    @Test(arguments: [FsyncPolicy.batch(windowMilliseconds: 2), .os]) func `the other policies say what they vouch for`(
        policy: FsyncPolicy
    ) async throws {
        let group = try await ReplicatorGroup { $0.policy = policy }
        do {
            let leader = try await group.leader()
            let outcome = try await leader.append(try self.records(["one"]))
            #expect(outcome.durability == (policy == .os ? .replicated : .persisted))
        } catch { Issue.record(error) }
        await group.end()
    }

    @Test func `a page begins inside a batch, ends at its limits, and says where to go on`() async throws {
        let group = try await ReplicatorGroup()
        do {
            let leader = try await group.leader()
            for batch in 0..<5 { _ = try await leader.append(try self.records((0..<10).map { "\(batch)/\($0)" })) }
            let page = try await leader.read(
                from: .index(LogIndex(18)), limit: 6, byteCountMax: 1 << 20, consistency: .committed)
            #expect(page.records.map(\.index.rawValue) == Array(18...23))
            #expect(page.records.first.map(self.text) == "1/7")
            #expect(page.next == LogIndex(24) && !page.isUpToDate)
            let last = try await leader.read(from: .last(3), limit: 9, byteCountMax: 1 << 20, consistency: .committed)
            #expect(last.records.map(self.text) == ["4/7", "4/8", "4/9"] && last.isUpToDate)
            let beyond = try await leader.read(
                from: .index(LogIndex(99)), limit: 9, byteCountMax: 1 << 20, consistency: .committed)
            #expect(beyond.records.isEmpty && beyond.nextIndex == LogIndex(51))
            let narrow = try await leader.read(from: .first, limit: 9, byteCountMax: 4, consistency: .committed)
            #expect(narrow.records.count == 2)
        } catch { Issue.record(error) }
        await group.end()
    }
}
