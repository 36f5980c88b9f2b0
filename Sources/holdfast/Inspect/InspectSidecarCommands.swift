import ArgumentParser
import HoldfastClient
import LogModel
import SegmentLog

struct InspectVoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vote", abstract: "Shows term and vote of a node's directory.",
        discussion: "Example: holdfast inspect vote data/n1")

    @Argument(help: "A node's data directory.", completion: .directory)
    var directory: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        let bytes = try InspectCommand.bytes(of: "VOTE", in: self.directory)
        let slots = VoteSlot.slots(file: bytes).map { $0.map { SlotTable.Slot(content: $0, sequence: $0.sequence) } }
        let table = SlotTable(
            slots: slots, columns: ["TERM", "VOTED FOR", "INCARNATION"],
            cells: { vote in
                [
                    "\(vote.term)", vote.member.map { "n\($0.node)" } ?? "nobody",
                    vote.member.map { "\($0.incarnation)" } ?? "-",
                ]
            },
            remark: { vote in
                vote.retirement.map { "counts for nothing any more: \($0.reason)" }
                    ?? (vote.bar == .none ? nil : "barred until it holds what a leader has committed")
            },
            members: { vote, writer in
                writer.member("term", vote.term.rawValue)
                if let member = vote.member {
                    writer.member("voted_for", member.node.rawValue)
                    writer.member("incarnation", member.incarnation.description)
                }
                writer.member("barred", vote.bar != .none)
                if let retirement = vote.retirement { writer.member("retired", retirement.reason) }
            })
        table.show(self.output)
        guard table.newest != nil else {
            throw CommandFailure(
                .damaged, "both slots of VOTE are damaged: whom this node voted for is unknown",
                next: "nothing offline: started, the node stores the log and counts for nothing; then: "
                    + "\(Invocation.command("member", "replace")) N")
        }
    }
}

struct InspectDurableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "durable", abstract: "Shows how far a directory's log was synced and committed.",
        discussion: "Example: holdfast inspect durable data/n1 -o json")

    @Argument(help: "A data directory.", completion: .directory)
    var directory: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        let bytes = try InspectCommand.bytes(of: "DURABLE", in: self.directory)
        let slots = DurableRecord.slots(file: bytes).map { slot in
            slot.map { SlotTable.Slot(content: $0.record, sequence: $0.sequence) }
        }
        let table = SlotTable(
            slots: slots, columns: ["SYNCED UP TO", "TERM", "COMMITTED", "FIRST SEGMENT", "CLEAN"],
            cells: { record in
                [
                    "\(record.durable.position)", "\(record.durable.term)", "\(record.commit)", "\(record.first)",
                    "\(record.isClean)",
                ]
            },
            remark: { $0.isSyncOpen ? "a sync was under way" : nil },
            members: { record, writer in
                writer.member("durable", record.durable.position.description)
                writer.member("term", record.durable.term.rawValue)
                writer.member("commit", record.commit.description)
                writer.member("first_segment", record.first.rawValue)
                writer.member("clean", record.isClean)
                writer.member("sync_open", record.isSyncOpen)
            })
        table.show(self.output)
        guard table.newest != nil else {
            throw CommandFailure(
                .damaged, "both slots of DURABLE are damaged: how far the log was synced is unknown",
                next: Invocation.command("repair", self.directory, "--plan"))
        }
    }
}

struct InspectIdentityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity", abstract: "Shows whose directory this is.",
        discussion: "Example: holdfast inspect identity data/n1")

    @Argument(help: "A data directory.", completion: .directory)
    var directory: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        let directory = try InspectCommand.directory(self.directory, with: "IDENTITY")
        let bytes = try InspectCommand.bytes(of: "IDENTITY", in: self.directory)
        guard let identity = NodeIdentity(decoding: bytes) else {
            throw CommandFailure(
                .damaged, "IDENTITY is not what its checksum says",
                next: "\(Invocation.command("repair", self.directory, "--plan")) --node N, with this node's number")
        }
        var writer = JSONWriter()
        writer.object {
            if let cluster = identity.cluster { $0.member("cluster", cluster.description) }
            $0.member("node", identity.node.rawValue)
            $0.member("incarnation", identity.incarnation.description)
            $0.member("generation", identity.generation)
            $0.member("starts", identity.starts)
            if let holder = DataPath.holder(of: directory) { $0.member("opened_by", holder) }
        }
        writer.endLine()
        let rows = [
            ["cluster", " \(identity.cluster?.description ?? "none: no log was formed here yet")"],
            ["node", " \(identity.node)"], ["incarnation", " \(identity.incarnation)"],
            ["generation", " \(identity.generation)"], ["starts", " \(identity.starts)"],
            ["opened by", " \(DataPath.holder(of: directory) ?? "nobody")"],
        ]
        self.output.show(["FIELD", "VALUE"], rows, writer.bytes)
    }
}
