import Foundation
import HoldfastClient

extension TestCluster {
    /// Where a cluster is about to be: its directory, and ten ports for each node.
    ///
    ///     client, peer, admin, then one for what it sends to n1, n2, ...
    struct Place: Sendable {
        var directory: String
        var base: Int
        var count: Int
        var segmentSize: String

        var numbers: ClosedRange<UInt32> { 1...UInt32(self.count) }

        /// How `holdfast cluster up` makes the configurations itself.
        var arguments: [String] {
            ["--base-port", "\(self.base)", "-n", "\(self.count)", "--segment-size", self.segmentSize]
        }

        func client(_ number: UInt32) -> ServerAddress {
            ServerAddress(host: "127.0.0.1", port: self.base + (Int(number) - 1) * 10)
        }

        func peer(_ number: UInt32) -> ServerAddress {
            ServerAddress(host: "127.0.0.1", port: self.client(number).port + 1)
        }

        func relayPort(_ from: UInt32, to: UInt32) -> Int { self.peer(from).port + 1 + Int(to) }

        /// Configurations of nodes that find each peer at an address of their own for it.
        ///
        /// - Parameter keys: Further YAML of each node.
        /// - Returns: How `holdfast cluster up` finds them.
        func writeConfigurations(
            adding keys: (_ number: UInt32) -> String = { _ in "" },
            peer address: (_ from: UInt32, _ to: UInt32) -> ServerAddress
        ) throws -> [String] {
            let configurations = "\(self.directory)/configured"
            try FileManager.default.createDirectory(atPath: configurations, withIntermediateDirectories: true)
            for number in self.numbers {
                let peers = self.numbers.map { other in
                    let peer = other == number ? self.peer(number) : address(number, other)
                    return "  - \(other)=\(peer)/\(self.client(other))\n"
                }
                let text =
                    "node:\n  id: \(number)\npeers:\n\(peers.joined())segment:\n  size: \(self.segmentSize)\n"
                try (text + keys(number)).write(
                    toFile: "\(configurations)/n\(number).yaml", atomically: true, encoding: .utf8)
            }
            return ["--config-dir", configurations]
        }

        /// The same of nodes that find each other without detours.
        func writeConfigurations(adding keys: (_ number: UInt32) -> String) throws -> [String] {
            try self.writeConfigurations(adding: keys) { _, other in self.peer(other) }
        }
    }
}
