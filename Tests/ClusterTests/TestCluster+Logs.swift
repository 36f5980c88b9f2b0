import Foundation
import HoldfastClient
import LogModel
import Testing

extension TestCluster {
    /// All records from an index on that a node says are committed, in order.
    func log(of node: Node, from first: LogIndex = .first) async throws -> [IndexedRecord] {
        var records: [IndexedRecord] = []
        var next = first
        while true {
            let page = try await self.observer.read(
                from: .index(next), limit: 5_000, consistency: .committed, at: node.client)
            records += page.records
            next = page.next
            if page.isUpToDate { return records }
        }
    }

    /// All records from an index on, once the node shows what it says is committed: its own disk may be the slower one.
    func wholeLog(of node: Node, from first: LogIndex = .first) async throws -> [IndexedRecord] {
        let last = try #require(await self.status(node)).lastIndex
        var log: [IndexedRecord] = []
        try await eventually("\(node.name) to show all through \(last)", state: { "it shows \(log.count) records" }) {
            log = try await self.log(of: node, from: first)
            return log.last?.index.rawValue ?? first.rawValue - 1 >= last
        }
        return log
    }

    /// Waits until every node is there, follows one leader, and has committed all that anybody holds.
    func untilLevel() async throws {
        try await eventually("all nodes to be level", within: 30, state: { await self.described() }) {
            let all = await self.statuses()
            return all.count == self.nodes.count && all.count { $0.role == "leader" } == 1
                && Set(all.map(\.leader)).count == 1 && Set(all.map(\.term)).count == 1
                && Set(all.flatMap { [$0.commit, $0.tail] }).count == 1 && Set(all.map(\.lastIndex)).count == 1
        }
    }

    /// Waits until one node has what the leader has committed by now.
    func untilCaughtUp(_ node: Node) async throws {
        let target = try await self.leader()
        let last = await self.status(target.node)?.lastIndex ?? 0
        try await eventually("\(node.name) to reach \(last)", state: { await self.described() }) {
            (await self.status(node)).map { $0.lastIndex >= last } ?? false
        }
    }

    /// What must hold after every misfortune, once all nodes run again. Ends the cluster.
    ///
    /// Every node holds the same records; they are what was acknowledged; every data directory is sound; and sealed
    /// segments are the same files.
    ///
    /// - Returns: The log.
    @discardableResult
    func expectSoundness(
        _ history: History, others: Set<String> = [], isForeign: (String) -> Bool = { _ in false }
    ) async throws -> [IndexedRecord] {
        try await self.untilLevel()
        let log = try await self.wholeLog(of: self.nodes[0])
        for node in self.nodes.dropFirst() {
            let other = try await self.wholeLog(of: node)
            let isEqual = other == log
            #expect(isEqual, "\(node.name) holds \(other.count) records, \(self.nodes[0].name) \(log.count)")
        }
        #expect(log.map(\.index.rawValue) == Array(1...UInt64(max(log.count, 1))).prefix(log.count).map { $0 })
        let findings = history.findings(in: log.map(\.text), others: others, isForeign: isForeign)
        #expect(findings.isEmpty, "\(findings.prefix(10).joined(separator: "; ")) (\(findings.count) findings)")
        try await self.control("down")
        for node in self.nodes { try await self.expectSound(node) }
        try self.expectEqualSealedSegments()
        return log
    }

    /// `holdfast verify` of a stopped node.
    func expectSound(_ node: Node) async throws {
        let answer = try await Program.run(["verify", node.dataDirectory, "-o", "json"])
        #expect(answer.status == 0, "\(answer.summary)")
        let report = try answer.json(VerifyReport.self)
        #expect(!report.findings.contains { $0.damage }, "\(answer.summary)")
        #expect(report.clean == true, "\(answer.summary)")
    }

    /// Compares, byte by byte, all segments that are sealed on every node.
    func expectEqualSealedSegments() throws {
        let names = try self.nodes.map { try self.segments(of: $0) }
        #expect(Set(names).count == 1, "\(names)")
        for name in names[0].dropLast() {
            let files = try self.nodes.map { try Data(contentsOf: URL(fileURLWithPath: "\($0.dataDirectory)/\(name)")) }
            for (node, file) in zip(self.nodes, files) where file != files[0] {
                Issue.record("\(name) of \(node.name) is not the file that \(self.nodes[0].name) has")
            }
        }
    }

    /// The longest time for which a follower waits for a silent leader, by default.
    static let electionTimeoutSeconds = 0.6

    /// When a term began, by the first frame of that term in a stopped cluster's files.
    func timeOfElection(_ term: UInt64) async throws -> Date {
        struct Frame: Decodable {
            var kind: String
            var term: UInt64
            var timestamp: String
        }
        for name in try self.segments(of: self.nodes[0]) {
            let file = "\(self.nodes[0].dataDirectory)/\(name)"
            let answer = try await Program.run(["inspect", "segment", file, "-o", "json"])
            try #require(answer.status == 0, "\(answer.summary)")
            guard let frame = try answer.jsonLines(Frame.self).first(where: { $0.term == term }) else { continue }
            #expect(frame.kind == "termStart")
            let whole = try Date.ISO8601FormatStyle(includingFractionalSeconds: true)
                .parse(String(frame.timestamp.prefix(23)) + "Z")
            return whole
        }
        throw Late(what: "a frame of term \(term)", state: "there is none")
    }

    /// Names of the segment files, in order; the last one is active.
    func segments(of node: Node) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: node.dataDirectory).filter { $0.hasSuffix(".wal") }.sorted()
    }

    /// All files of a data directory, with their bytes.
    func files(of node: Node) throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: node.dataDirectory)
        return Dictionary(
            uniqueKeysWithValues: try names.map { name in
                (name, try Data(contentsOf: URL(fileURLWithPath: "\(node.dataDirectory)/\(name)")))
            })
    }
}

/// `holdfast verify -o json`.
struct VerifyReport: Decodable {
    struct Segment: Decodable {
        var file: String
        var records: Int
        var state: String
    }
    struct Finding: Decodable {
        var file: String
        var offset: Int
        var meaning: String
        var damage: Bool
    }
    var clean: Bool?
    var segments: [Segment]
    var findings: [Finding]
}

extension IndexedRecord {
    var text: String { String(decoding: self.record.value, as: UTF8.self) }
}
