import ArgumentParser
import HoldfastClient

struct TransferLeaderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer-leader", abstract: "Has the leader hand over to another node; no append is refused.",
        discussion: """
            A node that is stopped (SIGTERM, cluster down) hands over by itself.

            Example: holdfast transfer-leader --to n2
            """)

    @Option(
        help: "The node that is to lead, as 2 or n2; by default the one that is furthest.",
        completion: .localNodes, transform: NodeArgument.parse)
    var to: UInt32?

    @OptionGroup var servers: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let began = ContinuousClock.now
        let leader: UInt32
        do throws(ClientError) {
            leader = try await self.servers.client.transferLeadership(to: self.to)
        } catch {
            throw CommandFailure(error)
        }
        let milliseconds = began.duration(to: .now).milliseconds
        switch self.output.output {
        case .table: self.output.console.out("n\(leader) leads, after \(milliseconds.rounded(0)) ms")
        case .json:
            self.output.console.out("{\"leader\":\(leader),\"milliseconds\":\(Int(milliseconds))}")
        }
    }
}
