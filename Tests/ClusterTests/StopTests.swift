import Foundation
import Glibc
import HoldfastClient
import LogModel
import TestSupport
import Testing

extension ClusterTests {
    /// How a node ends that is asked to.
    @Suite struct StopTests {
        private static let curlTimedOut: Int32 = 28
        /// Of a node that waits for its clients longer than any of them takes here.
        private static let patient = ["HOLDFAST_TEST_SHUTDOWN_GRACE": "100000"]

        /// An append whose body takes minutes, and whose client gives up after one.
        private static func slowAppend(to server: ServerAddress, in scratch: Scratch) async throws -> Program.Answer {
            try scratch.write(String(repeating: "x", count: 200_000), to: "body")
            return try await Program.run(
                [
                    "--http2-prior-knowledge", "-s", "-m", "60", "--limit-rate", "1000", "--trace-ascii",
                    "\(scratch.path)/trace", "--data-binary", "@\(scratch.path)/body", "http://\(server)/v1/records",
                ], executable: "/usr/bin/curl", seconds: 70)
        }

        private static func untilAppending(in scratch: Scratch) async throws {
            try await eventually("the append to begin") {
                Processes.text("\(scratch.path)/trace")?.contains("=> Send data") ?? false
            }
        }

        /// - Parameter isAtOnce: The second signal comes right behind the first; it is another one, since two of the same
        ///   that nobody has taken yet are one.
        @Test(.enabled(if: Program.isDebugBuild, "a release waits three seconds"), arguments: [false, true])
        func `A node that stops lets its clients end, and a second signal does not wait for them`(isAtOnce: Bool)
            async throws
        {
            let scratch = try Scratch()
            defer { scratch.end() }
            let node = LoneNode(directory: "\(scratch.path)/n1", base: try Ports.freeBase(nodes: 1))
            async let served = node.serve(environment: Self.patient)
            let process = try await node.ready()
            async let client = Self.slowAppend(to: node.server, in: scratch)
            try await Self.untilAppending(in: scratch)
            kill(process, SIGTERM)
            if isAtOnce {
                kill(process, SIGINT)
            } else {
                try await eventually("the node to listen no more") {
                    guard let listener = Ports.listener(on: node.base) else { return false }
                    try listener.close()
                    return true
                }
                kill(process, SIGTERM)
            }
            let answer = try await served
            #expect(answer.status == 0, "\(answer.summary)")
            #expect(answer.errors.contains("asked again to stop: clients are let go at once"), "\(answer.summary)")
            let verify = try await Program.run(["verify", node.directory, "-o", "json"])
            #expect(try verify.json(VerifyReport.self).clean == true, "\(verify.summary)")
            // It was cut off, and had not come to its end.
            let status = try await client.status
            #expect(status != 0 && status != Self.curlTimedOut)
        }

        @Test func `A node that is asked to stop while it recovers its log ends at once, and nothing is lost`()
            async throws
        {
            let scratch = try Scratch()
            defer { scratch.end() }
            let node = LoneNode(directory: "\(scratch.path)/n1", base: try Ports.freeBase(nodes: 1))
            let first = try await node.serve { _ in
                let append = try await Program.run(["append", "--server", "\(node.server)"], input: "one\n")
                #expect(append.status == 0, "\(append.summary)")
            }
            #expect(first.status == 0, "\(first.summary)")

            // A pipe that nobody writes into: opening it to read takes for ever, as a recovery may.
            let segment = "\(node.directory)/000000.wal"
            let aside = "\(scratch.path)/segment"
            try FileManager.default.moveItem(atPath: segment, toPath: aside)
            try #require(mkfifo(segment, 0o600) == 0)
            let socket = try NotifySocket()
            async let served = node.serve(environment: ["NOTIFY_SOCKET": socket.path])
            kill(try await node.trapping(), SIGTERM)
            let answer = try await served
            #expect(answer.status == 0, "\(answer.summary)")
            #expect(answer.errors.contains("stopped while the log was being recovered"), "\(answer.summary)")
            #expect(!answer.errors.contains("serving"), "\(answer.summary)")
            #expect(socket.take() == ["STOPPING=1"])

            try FileManager.default.removeItem(atPath: segment)
            try FileManager.default.moveItem(atPath: aside, toPath: segment)
            let last = try await node.serve { _ in
                let read = try await Program.run(["read", "--server", "\(node.server)"])
                #expect(read.lines == ["one"], "\(read.summary)")
            }
            #expect(last.status == 0, "\(last.summary)")
        }

        @Test(.enabled(if: Program.isDebugBuild, "a release waits three seconds"))
        func `A leader that stops is not ready first, hands over, and only then lets its clients go`()
            async throws
        {
            try await TestCluster.with(environment: Self.patient) { cluster in
                try await cluster.append(["one"])
                let leader = try await cluster.leader().node
                // Streams without an end, and an append that keeps the node from its end until its client goes.
                let followed = "\(cluster.directory)/followed"
                async let follow = Program.run(
                    [
                        "--http2-prior-knowledge", "-sSN", "-m", "20", "-o", followed,
                        "http://\(leader.client)/v1/records?from=first&follow=true",
                    ], executable: "/usr/bin/curl")
                try await eventually("the reader to read") { Processes.text(followed)?.contains("one") ?? false }
                let client = HoldfastClient(servers: [leader.client])
                let session = try await client.openSession()
                #expect(try await session.send([Record("two")]).receipt.first == LogIndex(2))
                let slow = Task { try await Self.slowAppend(to: leader.client, in: cluster.scratch) }
                defer { slow.cancel() }
                try await Self.untilAppending(in: cluster.scratch)

                try cluster.signal(SIGTERM, leader)
                var answer = ""
                try await eventually("\(leader.name) to say that it stops", state: { answer }) {
                    answer = try await Program.run(
                        ["-s", "-w", "%{http_code}", "http://\(leader.admin)/readyz"], executable: "/usr/bin/curl"
                    ).output
                    return answer.contains("[-]serving failed: the node is stopping") && answer.hasSuffix("503")
                }
                // Told so while the slow one is let be.
                let reader = try await follow
                #expect(reader.status != 0 && reader.status != Self.curlTimedOut, "\(reader.summary)")
                await #expect(throws: ClientError.self) { try await session.send([Record("three")]).receipt }
                #expect(cluster.process(leader) != nil, "it waits for the slow append")
                await client.shutdown()
                slow.cancel()
                try await eventually("\(leader.name) to end") { cluster.process(leader) == nil }

                let steps = ["stopping", "leadership handed over", "letting clients go", "stopped"]
                let told = cluster.words(of: leader).split(separator: "\n").compactMap { line in
                    steps.first { line.replacing("\"", with: "").contains("message=\($0)") }
                }
                #expect(told == steps, "\(cluster.lastWords(of: leader))")
                try await cluster.start(leader)
                try await cluster.untilLevel()
                #expect(try await cluster.log(of: leader).map(\.text) == ["one", "two"])
            }
        }
    }
}
