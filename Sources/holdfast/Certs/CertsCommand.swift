import ArgumentParser
import Certificates
import Foundation
import HoldfastClient
import LogModel

struct CertsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certs", abstract: "Makes an authority, and certificates of nodes and clients.",
        discussion: """
            For development, and for clusters without a PKI of their own. Keys are P-256, and their files for the owner \
            only; certificates are for everybody. What is there is kept, unless --force says otherwise: then the new file \
            has the owner, group and mode of the old one. Run these commands as root, or as the user that the files are \
            for; a new file that root makes belongs to whom its directory does.

            Example: holdfast certs ca; holdfast certs node 1 --host n1.example
            """,
        subcommands: [
            CertsAuthorityCommand.self, CertsNodeCommand.self, CertsClientCommand.self, CertsShowCommand.self,
        ])
}

/// Where certificates go.
struct CertsOptions: ParsableArguments {
    @Option(help: "The directory of certificates and keys.", completion: .directory)
    var dir = "certs"

    @Flag(help: "Replaces what is there.")
    var force = false

    @OptionGroup var output: OutputOptions

    var directory: CertificateDirectory { CertificateDirectory(path: self.dir) }

    func say(_ made: CertificateDirectory.Made) {
        for note in made.notes { self.output.console.note(note) }
        switch self.output.output {
        case .table:
            self.output.console.out(
                "\(made.made ? "made" : "kept") \(made.file): \(made.holder), until \(made.validUntil)")
        case .json: self.output.console.out(bytes: JSONDocument.encode(made))
        }
    }

    static func check(days: Int) throws {
        guard (1...36_500).contains(days) else { throw ValidationError("--days must be from 1 to 36500.") }
    }
}

struct CertsAuthorityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "Makes an authority that signs for one cluster.",
        discussion: """
            ca.key signs whatever it is asked to: keep it off the nodes. Two clusters with an authority each do not take each \
            other's nodes; neither do two names under one authority.

            Example: holdfast certs ca --cluster prod
            """)

    @Option(help: "The cluster's name, which stands in every certificate.")
    var cluster = "holdfast"

    @Option(help: "How long it is valid.")
    var days = 3_650

    @OptionGroup var options: CertsOptions

    func validate() throws { try CertsOptions.check(days: self.days) }

    func run() throws {
        self.options.say(
            try self.options.directory.makeAuthority(
                cluster: self.cluster, days: self.days, isForced: self.options.force))
    }
}

struct CertsNodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Makes the certificate of a node.",
        discussion: """
            Clients check the host under which they ask; nodes check each other's number and cluster instead, which stand \
            in the certificate as holdfast://CLUSTER/node/N. A running node takes a renewed certificate by itself.

            Example: holdfast certs node 1 --host n1.example --host 10.0.0.1
            """)

    @Argument(help: "The node's number, its node.id.")
    var node: UInt32

    @Option(help: "A name or an address under which clients find it. (default: localhost, 127.0.0.1, ::1)")
    var host: [String] = []

    @Option(help: "How long it is valid.")
    var days = 365

    @OptionGroup var options: CertsOptions

    func validate() throws {
        try CertsOptions.check(days: self.days)
        guard self.node > 0 else { throw ValidationError("Nodes are numbered from 1.") }
    }

    static let loopback = ["localhost", "127.0.0.1", "::1"]

    func run() throws {
        self.options.say(
            try self.options.directory.issue(
                { .node(NodeID(self.node), cluster: $0) }, hosts: self.host.isEmpty ? Self.loopback : self.host,
                days: self.days, isForced: self.options.force))
    }
}

struct CertsClientCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client", abstract: "Makes the certificate of a client, for nodes with tls.clients: certified.",
        discussion: "It opens no peer port.\n\nExample: holdfast certs client billing")

    @Argument(help: "The client's name.")
    var name: String

    @Option(help: "How long it is valid.")
    var days = 365

    @OptionGroup var options: CertsOptions

    func validate() throws {
        try CertsOptions.check(days: self.days)
        guard CertificateName.isWord(self.name) else {
            throw ValidationError("A name has 1 to 64 letters, digits, dots, hyphens and underscores.")
        }
    }

    func run() throws {
        self.options.say(
            try self.options.directory.issue(
                { .client(self.name, cluster: $0) }, hosts: [], days: self.days, isForced: self.options.force))
    }
}

struct CertsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Says whom a certificate names, and how long it is valid.",
        discussion: """
            Exit code 1 for one that has expired, or is not valid yet. JSON: {"holder","subject","issuer","hosts", \
            "servers","clients","valid_from","valid_until","valid"}.

            Example: holdfast certs show certs/n1.pem
            """)

    @Argument(help: "A PEM file; its first certificate is shown.", completion: .file(extensions: ["pem"]))
    var file: String

    @OptionGroup var output: OutputOptions

    private struct Document: Encodable {
        var holder: String
        var subject: String
        var issuer: String
        var hosts: [String]
        var servers: Bool
        var clients: Bool
        var validFrom: String
        var validUntil: String
        var valid: Bool

        private enum CodingKeys: String, CodingKey {
            case holder, subject, issuer, hosts, servers, clients, valid
            case validFrom = "valid_from"
            case validUntil = "valid_until"
        }
    }

    func run() throws {
        let facts = try CertificateDirectory(path: ".").facts(self.file)
        let now = Date()
        let document = Document(
            holder: facts.holder, subject: facts.subject, issuer: facts.issuer, hosts: facts.hosts,
            servers: facts.isForServers, clients: facts.isForClients, validFrom: facts.validFrom.formatted(.iso8601),
            validUntil: facts.validUntil.formatted(.iso8601), valid: facts.validFrom <= now && now < facts.validUntil)
        switch self.output.output {
        case .json: self.output.console.out(bytes: JSONDocument.encode(document))
        case .table:
            let uses = [document.servers ? "servers" : nil, document.clients ? "clients" : nil].compactMap { $0 }
            let rows = [
                ["holder", document.holder], ["signed by", document.issuer],
                ["hosts", document.hosts.joined(separator: ", ")],
                ["for", uses.joined(separator: ", ")],
                ["valid", "\(document.validFrom) to \(document.validUntil)"],
            ]
            self.output.console.out(Console.table(["WHAT", "VALUE"], rows))
        }
        guard document.valid else {
            throw CommandFailure(
                .refused, "\(self.file) is not valid now",
                next: "renew it: \(Invocation.command("certs", "node", "N", "--force")); or see this machine's clock")
        }
    }
}
