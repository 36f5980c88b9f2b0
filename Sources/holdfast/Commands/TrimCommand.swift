import ArgumentParser
import HoldfastClient
import LogModel

struct TrimCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trim", abstract: "Removes the beginning of the log, on every node.",
        discussion: """
            Whole sealed segments go that hold only records before the index; the newest sealed one and the active one \
            stay, so more may be kept than is asked for. Asking again is safe. What is trimmed is gone for good: \
            holdfast status -o json says where the log begins and ends.

            Example: holdfast trim --before 100000
            """)

    @Option(help: "The index of the first record that is still needed: a whole number from 1.")
    var before: UInt64

    @OptionGroup var servers: ServerOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard self.before > 0 else { throw ValidationError("--before is an index, a whole number from 1.") }
    }

    func run() async throws {
        let receipt: TrimReceipt
        do throws(ClientError) {
            receipt = try await self.servers.client.trim(before: LogIndex(self.before))
        } catch {
            throw Self.failure(error)
        }
        switch self.output.output {
        case .table:
            self.output.console.out(
                "the log begins at record \(receipt.firstIndex), with segment \(receipt.firstSegment.fileName)")
            if receipt.firstIndex.rawValue < self.before {
                self.output.console.note(
                    "records before \(self.before) stay: only whole sealed segments go, and not the newest of them, nor what "
                        + "a cursor holds")
                await self.noteEnd()
            }
        case .json: self.output.console.out(bytes: receipt.json)
        }
        if receipt.firstIndex.rawValue < self.before {
            self.output.console.note(
                "more is kept than was asked for; why: \(Invocation.clientCommand("explain", "trim"))")
        }
    }

    /// Of records that are not there yet nobody can tell what holds them.
    private func noteEnd() async {
        guard let leader = await ClusterProbe(client: self.servers.client).look().leader,
            leader.lastIndex < self.before - 1
        else { return }
        self.output.console.note(
            leader.lastIndex == 0
                ? "the log is empty so far"
                : "the log ends with record \(leader.lastIndex): what comes later is not there yet")
    }

    private static func failure(_ error: ClientError) -> CommandFailure {
        if case .refused(let problem) = error, problem.applied == .unknown {
            return CommandFailure(.outcomeUnknown, error.description, applied: .unknown, next: problem.hint)
        }
        return CommandFailure(error, isAppend: true)
    }
}
