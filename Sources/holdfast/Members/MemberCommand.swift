import ArgumentParser
import HoldfastClient

struct MemberCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "member", abstract: "Shows and changes who is a member, while the cluster runs.",
        discussion: """
            A node that is added receives the log first, as a learner, and votes as soon as it is level. Every command may \
            be given again: what is so already stays so, and what is under way goes on.

            Example: holdfast member list
            """,
        subcommands: [
            MemberListCommand.self, MemberAddCommand.self, MemberPromoteCommand.self, MemberReplaceCommand.self,
            MemberRemoveCommand.self,
        ])
}

struct MemberListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Shows the members as the leader knows them.",
        discussion: "A learner receives the log and does not vote.\n\nExample: holdfast member list -o json")

    @OptionGroup var servers: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let members = try await ClusterMembers(self.servers.client).look()
        switch self.output.output {
        case .table:
            let rows = members.nodes.map { node in
                [
                    "n\(node.node)", node.membership?.rawValue ?? "-",
                    node.node == members.leader ? "leader" : node.isConnected == true ? "connected" : "silent",
                    // A leader that has not heard from a node yet takes it for one that has nothing.
                    node.isConnected == true ? node.persisted ?? "-" : "-", node.client, node.peer,
                ]
            }
            self.output.console.out(
                Console.table(["NODE", "MEMBER", "STATE", "PERSISTED", "CLIENT", "PEER"], rows))
        case .json: self.output.console.out(bytes: JSONDocument.encode(members.nodes))
        }
    }
}

/// How a command that changes members waits.
struct MemberOptions: ParsableArguments {
    @Flag(name: .customLong("no-wait"), help: "Ends once the change is begun; it goes on by itself.")
    var isBrief = false

    @OptionGroup var servers: ServerOptions
    @OptionGroup var output: OutputOptions
}

struct MemberAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Adds a node that runs and waits for it.",
        discussion: """
            Start the node first, with an empty data directory: holdfast serve --join --node-id 4 --peer ... It must be told \
            all members, a --peer each: it takes the log from a leader that it knows only.

            Example: holdfast member add 4 --peer 127.0.0.1:7431 --client 127.0.0.1:7430
            """)

    @Argument(help: "The node: 4 or n4.", completion: .localNodes, transform: NodeArgument.parse) var node: UInt32
    @Option(help: "Where its peers find it, host:port.", transform: ServerAddress.parse) var peer: ServerAddress
    @Option(help: "Where its clients find it, host:port.", transform: ServerAddress.parse) var client: ServerAddress
    @Flag(help: "It stays a learner until it is promoted: holdfast member promote.") var learner = false
    @OptionGroup var options: MemberOptions

    func run() async throws {
        try await MemberChange(self.options, node: self.node, goal: self.learner ? .learner : .voter).run {
            client throws(ClientError) in
            try await client.addMember(
                self.node, peer: self.peer, client: self.client, isPromoted: !self.learner)
        }
    }
}

struct MemberPromoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote", abstract: "Lets a learner vote as soon as it is level.",
        discussion: "Example: holdfast member promote 4")

    @Argument(help: "The node: 4 or n4.", completion: .localNodes, transform: NodeArgument.parse) var node: UInt32
    @OptionGroup var options: MemberOptions

    func run() async throws {
        try await MemberChange(self.options, node: self.node, goal: .voter).run { client throws(ClientError) in
            try await client.promoteMember(self.node)
        }
    }
}

struct MemberReplaceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replace", abstract: "Gives a node's place to another, or to itself after its disk was lost.",
        discussion: """
            The node that takes the place must run and wait: blank, started with --join. The other one votes until this one \
            is level.

            Example: holdfast member replace 3
            Example: holdfast member replace 3 --by 4 --peer h:7431 --client h:7430
            """)

    @Argument(help: "The node whose place it is: 3 or n3.", completion: .localNodes, transform: NodeArgument.parse)
    var node: UInt32
    @Option(help: "The node that takes it. (default: the same, with a new disk)", transform: NodeArgument.parse)
    var by: UInt32?
    @Option(help: "Where its peers find it, host:port. (default: where they did)", transform: ServerAddress.parse)
    var peer: ServerAddress?
    @Option(help: "Where its clients find it, host:port. (default: where they did)", transform: ServerAddress.parse)
    var client: ServerAddress?
    @OptionGroup var options: MemberOptions

    func validate() throws {
        guard (self.peer == nil) == (self.client == nil) else {
            throw ValidationError("--peer and --client belong together.")
        }
    }

    func run() async throws {
        let node = self.by ?? self.node
        try await MemberChange(self.options, node: node, goal: .voter).run { client throws(ClientError) in
            try await client.addMember(node, peer: self.peer, client: self.client, replacing: self.node)
        }
    }
}

struct MemberRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Takes a node out of the cluster; a leader hands over first.",
        discussion: "Its process goes on, and takes no part; stop it afterwards.\n\nExample: holdfast member remove 4")

    @Argument(help: "The node: 4 or n4.", completion: .localNodes, transform: NodeArgument.parse) var node: UInt32
    @OptionGroup var options: MemberOptions

    func run() async throws {
        try await MemberChange(self.options, node: self.node, goal: .gone).run { client throws(ClientError) in
            try await client.removeMember(self.node)
        }
    }
}
