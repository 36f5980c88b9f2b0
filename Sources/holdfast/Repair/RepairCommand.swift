import ArgumentParser
import Foundation
import HoldfastClient
import SegmentLog

struct RepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Repairs the data directory of a stopped node: --plan first, then --apply.",
        discussion: """
            --plan looks at everything, says what it would do, what would be kept and what dropped, and stores that as \
            repair-plan.json in the directory. --apply does exactly that, if the directory is still as it was, and \
            keeps a copy of all that it drops (*.damaged). Killed in between, it goes on when it is called again.

            Example: holdfast repair data/n3 --plan --peer data/n1
            """)

    @Argument(help: "A stopped node's data directory.", completion: .directory)
    var directory: String

    @Flag(help: "Looks, says what is to be done, and stores it.")
    var plan = false

    @Flag(help: "Does what was planned.")
    var apply = false

    @Option(
        help: "With --plan: another node's data directory, from which whole segments are taken; that node may run.",
        completion: .directory)
    var peer: String?

    @Option(help: "With --plan: this node's number, when IDENTITY cannot be read.")
    var node: UInt32?

    @Flag(help: "With --apply: records that were acknowledged may go.")
    var acceptLoss = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard self.plan != self.apply else { throw ValidationError("Say either --plan or --apply.") }
        guard self.plan || (self.peer == nil && self.node == nil) else {
            throw ValidationError("--peer and --node are part of the plan: give them with --plan.")
        }
        guard self.apply || !self.acceptLoss else { throw ValidationError("--accept-loss goes with --apply.") }
        guard self.node != 0 else { throw ValidationError("--node must be above 0: nodes are numbered from 1.") }
    }

    func run() throws {
        let expected = "a node's data directory (IDENTITY, DURABLE, 000000.wal ...)"
        let directory = try self.logDirectory(self.directory, expected)
        if let peer, try self.logDirectory(peer, "another node's data directory") == directory {
            throw CommandFailure(.usage, "--peer is the directory itself", next: "name another node's data directory")
        }
        let bar = ProgressBar(self.directory, self.output.console)
        defer { bar.end() }
        do {
            let repair = try LogRepair(
                .init(self.directory), encode: { JSONDocument.encode($0) },
                decode: { JSONDocument.decode(RepairPlan.self, from: $0) })
            if self.plan {
                try self.makePlan(repair, bar)
            } else {
                try self.applyPlan(repair, bar)
            }
        } catch let error as LogError {
            throw self.failure(error)
        } catch let error as RepairError {
            throw self.failure(error)
        }
    }

    /// A directory that holds a log, or what is left of one: nothing is ever written into any other.
    private func logDirectory(_ path: String, _ expected: String) throws(CommandFailure) -> String {
        guard case .directory(let directory) = try DataPath(path, expected: expected) else {
            throw CommandFailure(.usage, "\(path) is a file", next: "name \(expected)")
        }
        let names = Files.names(in: directory)
        guard names.contains(where: { $0.hasSuffix(".wal") || ["IDENTITY", "DURABLE", "VOTE"].contains($0) }) else {
            throw CommandFailure(.usage, "\(path) holds no log", next: "name \(expected)")
        }
        return Files.absolute(directory)
    }

    private func makePlan(_ repair: LogRepair, _ bar: ProgressBar) throws {
        let plan = try repair.plan(
            RepairPlan.Options(
                peer: self.peer.map(Files.absolute), node: self.node, incarnation: .random(in: 1 ... .max),
                startsAfterLoss: UInt64(max(0, Date().timeIntervalSince1970) * 1_000))
        ) { bar.show(done: $0, of: $1) }
        bar.end()
        let console = self.output.console
        switch self.output.output {
        case .json: console.out(bytes: JSONDocument.encode(RepairDocument(self.directory, plan)))
        case .table: for line in plan.lines { console.out(line) }
        }
        guard plan.unresolved.isEmpty else {
            throw CommandFailure(
                .damaged, "not everything can be repaired: \(plan.unresolved.joined(separator: "; "))",
                next: "see what each line says; nothing was changed")
        }
        guard !plan.actions.isEmpty else {
            guard plan.unknown.isEmpty else {
                throw CommandFailure(
                    .damaged, "nothing of what is wrong can be mended here: there is nothing to apply",
                    next: "see what stays unknown; nothing was changed")
            }
            return
        }
        if plan.needsAcceptance, self.peer == nil {
            console.note(
                "to lose nothing, take it from a node that has it: "
                    + Invocation.command("repair", self.directory, "--plan") + " --peer OTHER_DIRECTORY")
        } else if plan.needsAcceptance, let peer {
            console.note(
                "\(peer) does not have all of what is missing here: see what stays unknown; try another node's")
        }
        console.note(
            "stored as \(self.directory)/\(RepairPlan.fileName); to do it: "
                + Invocation.command("repair", self.directory, "--apply")
                + (plan.needsAcceptance ? " --accept-loss" : ""))
    }

    private func applyPlan(_ repair: LogRepair, _ bar: ProgressBar) throws {
        let console = self.output.console
        let outcome = try repair.apply(acceptsLoss: self.acceptLoss) { bar.show(done: $0, of: $1) }
        bar.end()
        guard case .applied(let plan, let report) = outcome else {
            switch self.output.output {
            case .json: console.out("{\"applied\":false,\"applied_before\":true}")
            case .table:
                console.out(
                    "the last plan was applied before; nothing was done. To look again: "
                        + Invocation.command("repair", self.directory, "--plan"))
            }
            return
        }
        let document = VerifyDocument(self.directory, report, openedBy: nil, seconds: 0)
        switch self.output.output {
        case .json: console.out(bytes: JSONDocument.encode(RepairDocument(self.directory, plan, applied: document)))
        case .table:
            for action in plan.actions { for line in action.lines(isDone: true) { console.out(line) } }
            document.print(console)
        }
        guard !report.isDamaged else {
            throw CommandFailure(
                .damaged, "\(self.directory) was repaired as planned, and is still damaged",
                next: "see the findings above")
        }
        console.note("\(self.directory) is good, and can be opened again")
    }

    // MARK: Refusals

    private func failure(_ error: LogError) -> CommandFailure {
        switch error {
        case .locked(let holder):
            CommandFailure(
                .refused, "\(self.directory) is in use by \(holder): a running node is not repaired",
                next: "stop the node first; \(Invocation.command("verify", self.directory)) may run beside it")
        case .noSpace:
            CommandFailure(
                .system, "the disk is full: no copy can be kept of what would be dropped",
                next: "make room and call the same again")
        case .laterFormat(let file, let version):
            LaterFormatRefusal(self.directory, file, version: version).failure(self.output)
        default:
            CommandFailure(.system, "\(self.directory): \(error)", next: "check the path and its permissions")
        }
    }

    private func failure(_ error: RepairError) -> CommandFailure {
        let plan = Invocation.command("repair", self.directory, "--plan")
        let apply = Invocation.command("repair", self.directory, "--apply")
        switch error {
        case .log(let error): return self.failure(error)
        case .noPlan:
            return CommandFailure(
                .refused, "no plan is stored in \(self.directory): none was made, or the last one had nothing to do",
                next: plan)
        case .begunUnreadable:
            return CommandFailure(
                .refused, "a repair of \(self.directory) was begun, and \(RepairPlan.begunFileName) cannot be read",
                next: "plan for what is there now: \(plan)")
        case .sourceChanged(let source):
            return CommandFailure(
                .refused, "\(source) is not there any more, or not as it was when the plan was made",
                next: "plan anew, with this peer or another: \(plan) --peer DIR")
        case .stale:
            return CommandFailure(
                .refused, "the directory, or the peer's, is not as it was when the plan was made",
                next: "run --plan again: \(plan)")
        case .openedSince:
            return CommandFailure(
                .refused,
                "the log was opened after a repair that was not finished: the rest of the plan is no longer right",
                next: "plan for what is there now: \(plan)")
        case .needsAcceptance:
            return CommandFailure(
                .refused, "records that were acknowledged would go; nothing was done",
                next:
                    "\(plan) --peer DIR takes it from another node's directory; or give up what is damaged here, and let the "
                    + "node fetch it from the others when it starts: \(apply) --accept-loss"
            )
        case .unresolved(let reasons):
            return CommandFailure(.damaged, reasons.joined(separator: "; "), next: "nothing was changed")
        case .inTheWay(let name):
            return CommandFailure(
                .refused, "\(self.directory)/\(name) exists, and is not what this repair would make",
                next: "move it away, and call the same again")
        }
    }
}
