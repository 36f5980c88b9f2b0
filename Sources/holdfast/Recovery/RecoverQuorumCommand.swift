import ArgumentParser
import Foundation
import HoldfastClient
import LogModel
import ReplicaDisk
import SegmentLog

struct RecoverQuorumCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover-quorum",
        abstract: "Goes on with what is left when most voters are lost for good: --plan first, then --apply.",
        discussion: """
            Run it on the stopped survivors' data directories, all of them. --plan only reads: it says what each one \
            has, with whose log the cluster would go on, and what would be lost. --apply changes that one directory: \
            the node leads alone from then on, in a new generation of the cluster. Nodes of the old one that come back \
            are refused; their place is taken with an empty data directory: holdfast member replace N.

            Example: holdfast recover-quorum --plan data/n1 data/n2
            """)

    @Argument(help: "The data directories of all nodes that are left, stopped.", completion: .directory)
    var directories: [String]

    @Flag(help: "Looks, and says what would be done.")
    var plan = false

    @Flag(help: "Does it.")
    var apply = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard self.plan != self.apply else { throw ValidationError("Say either --plan or --apply.") }
    }

    func run() throws {
        let plan = try self.planned()
        guard self.apply else {
            switch self.output.output {
            case .json: self.output.console.out(bytes: JSONDocument.encode(QuorumRecoveryDocument(plan)))
            case .table: for line in plan.lines { self.output.console.out(line) }
            }
            let apply = Invocation.command(["recover-quorum"] + self.directories + ["--apply"])
            return self.output.console.note("nothing was changed; to do it: \(apply)")
        }
        let applied: QuorumRecoveryPlan.Applied
        do throws(QuorumRecoveryError) {
            let seconds = Date().timeIntervalSince1970
            applied = try plan.apply(now: Timestamp(nanoseconds: UInt64(max(0, seconds) * 1e9)))
        } catch {
            throw self.failure(error)
        }
        switch self.output.output {
        case .json: self.output.console.out(bytes: JSONDocument.encode(QuorumRecoveryDocument(plan, applied)))
        case .table: for line in plan.lines(applied) { self.output.console.out(line) }
        }
        self.output.console.note(
            "start node \(plan.chosen.identity.node): it leads alone. Each other one comes back with an empty data "
                + "directory: \(Invocation.command("member", "replace")) N, with --peer and --client for one that is not in "
                + "the others' configuration")
    }

    private func planned() throws(CommandFailure) -> QuorumRecoveryPlan {
        var survivors: [Survivor] = []
        for path in self.directories {
            let expected = "a stopped node's data directory"
            guard case .directory(let directory) = try DataPath(path, expected: expected) else {
                throw CommandFailure(.usage, "\(path) is a file", next: "name \(expected)")
            }
            if let holder = DataPath.holder(of: directory) {
                throw CommandFailure(
                    .refused, "\(path) is in use by \(holder): a node that runs is no survivor to be recovered",
                    next: "stop the node; nothing was changed")
            }
            let bar = ProgressBar(path, self.output.console)
            defer { bar.end() }
            do throws(QuorumRecoveryError) {
                survivors.append(
                    try Survivor.look(at: .init(Files.absolute(directory))) { bar.show(done: $0, of: $1) })
            } catch {
                throw self.failure(error)
            }
        }
        do throws(QuorumRecoveryError) { return try QuorumRecoveryPlan(survivors) } catch { throw self.failure(error) }
    }

    private func failure(_ error: QuorumRecoveryError) -> CommandFailure {
        switch error {
        case .log(.locked(let holder)):
            CommandFailure(.refused, "the directory is in use by \(holder)", next: "stop the node; nothing was changed")
        case .log(.noSpace):
            CommandFailure(.system, "the disk is full", next: "make room, and call the same again")
        case .laterFormat(let path, let version):
            LaterFormatRefusal(
                path.removingLastComponent().string, path.lastComponent?.string ?? "", version: version
            ).failure(self.output)
        case .log(let error):
            CommandFailure(.system, "\(error)", next: "see what holdfast verify says, and call the same again")
        case .changed(let directory):
            CommandFailure(
                .refused, "\(directory) is not as it was a moment ago; nothing was changed",
                next: "see that no node uses it, and plan again")
        case .state(let what):
            CommandFailure(.damaged, "the log cannot be taken up: \(what)", next: "nothing was changed")
        case .damaged(let directory):
            CommandFailure(
                .damaged, "\(directory) is damaged; nothing was changed",
                next: Invocation.command("repair", directory.string, "--plan") + ", and plan again")
        case .blank(let directory):
            CommandFailure(.usage, "\(directory) holds no log of a cluster", next: "name a survivor's data directory")
        case .otherCluster(let directory):
            CommandFailure(.usage, "\(directory) is of another cluster than the others", next: "leave it out")
        case .sameNode(let node):
            CommandFailure(.usage, "two of the directories are node \(node)'s", next: "name the newer one")
        case .notAMember(let directory):
            CommandFailure(
                .refused, "\(directory): its own log does not name it as a member",
                next: "its place was taken since; name the directories of members")
        case .hasQuorum:
            CommandFailure(
                .refused, "these nodes are a majority that can elect a leader: nothing has to be given up",
                next: "start them; nothing was changed")
        }
    }
}
