import Access
import ArgumentParser
import Foundation
import HoldfastClient
import SystemPackage

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Makes, lists and revokes the tokens that clients show.",
        discussion: """
            Tokens stand in a file that nodes name as auth.tokens, the same on each; it holds digests only. A running node \
            takes a changed file over by itself within seconds, or at once on SIGHUP. Run these commands as root, or as the \
            user that the file belongs to: it keeps its owner, group and mode. A new one that root makes belongs to whom \
            its directory does, and is for that user only.

            Example: holdfast token create --name billing --scope append,read
            """,
        subcommands: [TokenCreateCommand.self, TokenListCommand.self, TokenRevokeCommand.self])
}

/// Which file of tokens.
struct TokenOptions: ParsableArguments {
    @Option(help: "The file of tokens, as in auth.tokens.", completion: .file())
    var file = "tokens"

    @OptionGroup var output: OutputOptions

    func read() throws(CommandFailure) -> TokenFile {
        do throws(TokenError) { return try TokenFile(path: self.file) } catch {
            let next =
                switch error {
                case .unreadable:
                    "name the file that auth.tokens names with --file; a new one: "
                        + Invocation.command("token", "create", "--help")
                case .malformed, .nameTaken, .tooMany: "mend that file, or put back a copy of it: it is read as a whole"
                }
            throw CommandFailure(.badConfiguration, "\(error)", next: next)
        }
    }

    /// Reads the file, changes it and writes it, while nobody else does: what another command has made or revoked meanwhile
    /// would be taken back.
    ///
    /// - Parameter isMade: Whether there need be none yet.
    /// - Throws: What `change` does; nothing is written then.
    func change(
        isMade: Bool = false, _ change: (inout TokenFile) throws(CommandFailure) -> Void
    ) throws(CommandFailure) {
        // What cannot be read is told of before what cannot be locked.
        if !isMade { _ = try self.read() }
        let directory = try self.lock()
        defer { directory.unlock() }
        var tokens = try isMade && !Files.exists(self.file) ? TokenFile() : self.read()
        try change(&tokens)
        if let note = try Files.writeSecret(tokens.text, to: self.file) { self.output.console.note(note) }
    }

    /// The directory and not the file, which is another one after each change.
    private func lock() throws(CommandFailure) -> OpenDirectory {
        let path = Files.directory(of: try FileLink.target(of: self.file))
        do throws(Errno) {
            let directory = try OpenDirectory.open(path)
            try directory.lock()
            return directory
        } catch {
            guard error == .wouldBlock else {
                throw CommandFailure(
                    .system, "cannot write \(self.file): \(error); nothing was changed",
                    next: "name a file in a directory that is there, and that you may read and write")
            }
            throw CommandFailure(
                .system, "\(path) is locked by another process, and was for ten seconds; nothing was changed",
                next: "see by which with lslocks, and try again")
        }
    }
}

struct TokenCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Makes a token, and prints it this once.",
        discussion: """
            Scopes are append (records, fencing), read (records, cursors) and admin (trim, members, leadership). None \
            contains another. JSON: {"name","scopes","token"}.

            Example: holdfast token create --name billing --scope append,read
            """)

    @Option(help: "What it is called: in token list, and in what is answered to its holder.")
    var name: String

    @Option(help: "append, read, admin, or several of them separated by commas.")
    var scope: String

    @OptionGroup var options: TokenOptions

    private struct Document: Encodable {
        var name: String
        var scopes: [String]
        var token: String
    }

    func validate() throws {
        guard TokenRecord.isName(self.name) else {
            throw ValidationError("A name has 1 to 64 letters, digits, dots, hyphens and underscores.")
        }
        guard AccessScope.set(self.scope) != nil else {
            throw ValidationError("--scope is one or more of append, read, admin, separated by commas.")
        }
    }

    func run() throws {
        guard let scopes = AccessScope.set(self.scope) else { return }
        let (token, record) = TokenRecord.make(name: self.name, scopes: scopes)
        try self.options.change(isMade: true) { file throws(CommandFailure) in
            do throws(TokenError) { try file.add(record) } catch {
                throw CommandFailure(
                    .refused, "\(error)", applied: .no,
                    next: "choose another --name, or revoke one: \(Invocation.command("token", "list"))")
            }
        }
        let console = self.options.output.console
        switch self.options.output.output {
        case .table:
            console.out(token)
            console.note("this is said once; \(self.options.file) keeps its digest only")
        case .json:
            console.out(
                bytes: JSONDocument.encode(
                    Document(name: self.name, scopes: record.scopes.map(\.rawValue).sorted(), token: token)))
        }
    }
}

struct TokenListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the tokens: names and scopes.",
        discussion: """
            JSON: {"tokens":[{"name","scopes","created"}]}.

            Example: holdfast token list --file tokens
            """)

    @OptionGroup var options: TokenOptions

    private struct Document: Encodable {
        var name: String
        var scopes: [String]
        var created: String
    }

    func run() throws {
        let tokens = try self.options.read().records.map {
            Document(
                name: $0.name, scopes: AccessScope.text($0.scopes).split(separator: ",").map(String.init),
                created: $0.created.formatted(.iso8601))
        }
        switch self.options.output.output {
        case .table:
            let rows = tokens.map { [$0.name, $0.scopes.joined(separator: ","), $0.created] }
            self.options.output.console.out(Console.table(["NAME", "SCOPES", "CREATED"], rows))
        case .json: self.options.output.console.out(bytes: JSONDocument.encode(["tokens": tokens]))
        }
    }
}

struct TokenRevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Takes a token away; its holder is refused from then on.",
        discussion: "Streams that are open live on.\n\nExample: holdfast token revoke billing")

    @Argument(help: "The token's name.")
    var name: String

    @OptionGroup var options: TokenOptions

    func run() throws {
        try self.options.change { file throws(CommandFailure) in
            guard file.remove(self.name) else {
                throw CommandFailure(
                    .refused, "there is no token called \(self.name) in \(self.options.file)",
                    next: "see \(Invocation.command("token", "list", "--file", self.options.file))")
            }
        }
        switch self.options.output.output {
        case .table: self.options.output.console.out("revoked \(self.name)")
        case .json: self.options.output.console.out(bytes: JSONDocument.encode(["revoked": self.name]))
        }
    }
}
