import ArgumentParser
import HoldfastClient
import LogModel
import SegmentLog

struct InspectVoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vote", abstract: "Shows term and vote of a node's directory.")

    @Argument(help: "A node's data directory.")
    var directory: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        let slots = try Sidecar.votes(in: try InspectCommand.directory(self.directory, with: "VOTE"))
        let newest = slots.compactMap { $0?.sequence }.max()
        let rows = zip(["A", "B"], slots).map { name, slot -> [String] in
            guard let slot else { return [name, "-", "-", "-", "-", "not valid"] }
            return [
                name, "\(slot.term)", slot.member.map { "n\($0.node)" } ?? "nobody",
                slot.member.map { "\($0.incarnation)" } ?? "-", "\(slot.sequence)",
                (slot.sequence == newest ? "counts" : "older") + (slot.isBarred ? ", barred from voting" : ""),
            ]
        }
        let json = Self.json(slots)
        self.output.show(["SLOT", "TERM", "VOTED FOR", "INCARNATION", "WRITE", "STATE"], rows, json)
        guard newest != nil else {
            throw CommandFailure(
                .damaged, "both slots of VOTE are damaged: this node does not vote any more",
                next: "nothing offline: started, it follows and stores the log, and the others go on electing")
        }
    }

    private static func json(_ slots: [Sidecar.Vote?]) -> [UInt8] {
        var writer = JSONWriter()
        writer.array { writer in
            for slot in slots {
                writer.object {
                    $0.member("valid", slot != nil)
                    guard let slot else { return }
                    $0.member("term", slot.term.rawValue)
                    if let member = slot.member {
                        $0.member("voted_for", member.node.rawValue)
                        $0.member("incarnation", member.incarnation.description)
                    }
                    $0.member("barred", slot.isBarred)
                    $0.member("write", slot.sequence)
                }
            }
        }
        writer.endLine()
        return writer.bytes
    }
}

struct InspectDurableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "durable", abstract: "Shows how far a directory's log was synced and committed.")

    @Argument(help: "A data directory.")
    var directory: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        let slots = try Sidecar.durables(in: try InspectCommand.directory(self.directory, with: "DURABLE"))
        let newest = slots.compactMap { $0?.sequence }.max()
        let rows = zip(["A", "B"], slots).map { name, slot -> [String] in
            guard let slot else { return [name, "-", "-", "-", "-", "-", "-", "not valid, or never written"] }
            return [
                name, "\(slot.position)", "\(slot.term)", "\(slot.commit)", "\(slot.first)", "\(slot.isClean)",
                "\(slot.sequence)", slot.sequence == newest ? "counts" : "older",
            ]
        }
        var writer = JSONWriter()
        writer.array { writer in
            for slot in slots {
                writer.object {
                    $0.member("valid", slot != nil)
                    guard let slot else { return }
                    $0.member("durable", slot.position.description)
                    $0.member("term", slot.term.rawValue)
                    $0.member("commit", slot.commit.description)
                    $0.member("first_segment", slot.first.rawValue)
                    $0.member("clean", slot.isClean)
                    $0.member("write", slot.sequence)
                }
            }
        }
        writer.endLine()
        let header = ["SLOT", "SYNCED UP TO", "TERM", "COMMITTED", "FIRST SEGMENT", "CLEAN", "WRITE", "STATE"]
        self.output.show(header, rows, writer.bytes)
        guard newest != nil else {
            throw CommandFailure(
                .damaged, "both slots of DURABLE are damaged: how far the log was synced is unknown",
                next: Invocation.command("repair", self.directory, "--plan"))
        }
    }
}

struct InspectIdentityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity", abstract: "Shows whose directory this is.")

    @Argument(help: "A data directory.")
    var directory: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        let directory = try InspectCommand.directory(self.directory, with: "IDENTITY")
        let bytes = try FileWindow("\(directory)/IDENTITY").bytes(at: 0, count: 1024)
        guard let identity = NodeIdentity(decoding: Array(bytes)) else {
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

extension OutputOptions {
    fileprivate func show(_ header: [String], _ rows: [[String]], _ json: [UInt8]) {
        switch self.output {
        case .table: self.console.out(Console.table(header, rows))
        case .json: self.console.out(bytes: json)
        }
    }
}
