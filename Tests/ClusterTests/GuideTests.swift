import Foundation
import HoldfastClient
import Logging
import Metrics
import ServiceLifecycle
import Testing

extension ClusterTests {
    /// Runs the code of the client's articles and of the README, and checks that it is theirs.
    @Suite struct GuideTests {
        private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

        @Test func `The client's articles do what they say`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let client = HoldfastClient(servers: cluster.servers)
                let receipt = try await self.append(client)
                try await self.tail(client, receipt)
                try await self.consume(client, receipt)
                try await self.serve(client)
                await self.open()
                let reading = Task { try await Self.readme(cluster.servers) }
                try await eventually("hello to be appended") {
                    try await cluster.log(of: cluster.nodes[0]).last?.text == "hello"
                }
                reading.cancel()
                try await reading.value
                let log = try await cluster.log(of: cluster.nodes[0]).map(\.text)
                #expect(log.count == 1_106 && Array(log.prefix(2)) == ["paid", "shipped"])
                #expect(Array(log.suffix(3)) == ["order 4711", "the last one", "hello"])
            }
        }

        private func append(_ client: HoldfastClient) async throws -> AppendReceipt {
            let producer = client.makeProducer()
            let receipt = try await producer.append([Record("paid"), Record("shipped")])
            print(
                "records \(receipt.first) to \(receipt.last), \(receipt.durability) by \(receipt.nodes) of \(receipt.voters)"
            )
            #expect(receipt.first == LogIndex(1) && receipt.last == LogIndex(2))

            let appender = client.makeAppender()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...100 {
                    group.addTask { try await appender.append(Record("event \(number)")) }
                }
                try await group.waitForAll()
            }

            var pending: [PendingReceipt] = []
            for number in 1...1_000 {
                pending.append(try await appender.send(Record("measurement \(number)")))
            }
            for pending in pending { try await print(pending.receipt.first) }
            await appender.shutdown()

            do throws(ClientError) {
                try await producer.append([Record("delivered")])
            } catch {
                switch error.applied {
                case .no: print("not in the log: \(error)")
                case .unknown: print("may be in the log: \(error)")
                case .yes: print("in the log, and not known to be on all nodes: \(error)")
                }
            }

            try await client.append([Record("order 4711")], key: "order-4711")
            return receipt
        }

        private func tail(_ client: HoldfastClient, _ receipt: AppendReceipt) async throws {
            for try await record in client.tail(from: .index(receipt.first)) {
                print(record.index, String(decoding: record.record.value, as: UTF8.self))
                if record.index == receipt.last { break }
            }

            for try await records in client.tail(from: .last(10)).batches {
                print("\(records.count) more")
                break
            }

            do throws(ClientError) {
                for try await record in client.tail(from: .first) where record.record.value == Record("shipped").value {
                    print("shipped at", record.timestamp)
                    break
                }
            } catch {
                guard case .trimmed(let first) = error else { throw error }
                print("the log begins with \(first) by now")
            }
        }

        private func consume(_ client: HoldfastClient, _ receipt: AppendReceipt) async throws {
            guard let billing = CursorName("billing") else { return }
            let consumer = client.makeConsumer(of: billing) { record in
                print("charging for", record.index)
            }
            let running = Task { try await consumer.run() }
            try await eventually("the cursor to reach the end") {
                try await client.cursor(billing)?.index == LogIndex(1_105)
            }
            running.cancel()
            try await running.value

            var options = ConsumerOptions()
            options.recordsMax = 1
            options.holdsTrims = true
            let careful = client.makeConsumer(of: billing, options) { record in
                print("charging for", record.index)
            }
            let careless = Task { try await careful.run() }
            try await eventually("the cursor to hold") { try await client.cursor(billing)?.holdsTrims ?? false }
            careless.cancel()
            try await careless.value

            try await client.setCursor(billing, to: Cursor(index: receipt.first))
            for try await record in client.tail(from: billing) {
                print(record.index)
                break
            }
        }

        private func serve(_ client: HoldfastClient) async throws {
            let (logger, metrics) = (self.logger, NOOPMetricsHandler.instance)
            let appender = client.makeAppender()
            let consumer = client.makeConsumer(of: try #require(CursorName("mail"))) { _ in }
            let group = ServiceGroup(
                services: [client, appender, consumer], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            let stopping = Task {
                try await appender.append(Record("the last one"))
                await group.triggerGracefulShutdown()
            }
            try await group.run()
            try await stopping.value

            let servers = [ServerAddress(host: "127.0.0.1", port: 7400)]
            let watched = HoldfastClient(servers: servers, logger: logger, metrics: metrics)
            await watched.shutdown()
        }

        /// The overview's client, which is asked for nothing.
        private func open() async {
            let servers = [ServerAddress(host: "127.0.0.1", port: 7400)]
            let client = HoldfastClient(servers: servers)
            await client.shutdown()
        }

        /// Ends with its task, as its tail does.
        private static func readme(_ servers: [ServerAddress]) async throws {
            let client = HoldfastClient(servers: servers)
            let receipt = try await client.makeProducer().append([Record("hello")])

            for try await record in client.tail(from: .index(receipt.first)) {
                print(record.index, String(decoding: record.record.value, as: UTF8.self))
            }
            await client.shutdown()
        }

        @Test func `Every block of the articles and of the README is in this file`() throws {
            let code = Self.letters(try String(contentsOfFile: #filePath, encoding: .utf8))
            let folder = "Sources/HoldfastClient/HoldfastClient.docc"
            let articles = try FileManager.default.contentsOfDirectory(atPath: "\(Document.root)/\(folder)")
            var blocks = try Document("README.md").blocks("swift", under: "## The client as a library")
            #expect(blocks.count == 1)
            for article in articles {
                let text = try String(contentsOfFile: "\(Document.root)/\(folder)/\(article)", encoding: .utf8)
                let title = String(text.prefix { $0 != "\n" })
                blocks += try Document("\(folder)/\(article)").blocks("swift", under: title)
            }
            #expect(blocks.count >= 16)
            for block in blocks {
                let isHere = code.contains(Self.letters(block))
                #expect(isHere, "\(block)")
            }
        }

        /// Without spaces and line ends: a line that is too long here may be a short one there.
        private static func letters(_ text: String) -> String { text.filter { !$0.isWhitespace } }
    }
}
