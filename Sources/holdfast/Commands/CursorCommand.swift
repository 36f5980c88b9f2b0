import ArgumentParser
import HoldfastClient
import LogModel

struct CursorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cursor", abstract: "Durable cursors: how far readers have come, kept by the log itself.",
        discussion: """
            A cursor names the record that its reader wants next. One that holds keeps the log from being trimmed \
            from there on.

            Example: holdfast cursor set billing 42 --hold
            """,
        subcommands: [
            CursorListCommand.self, CursorGetCommand.self, CursorSetCommand.self, CursorDeleteCommand.self,
        ])
}

/// What all of them are told.
struct CursorOptions: ParsableArguments {
    @OptionGroup var servers: ServerOptions
    @OptionGroup var output: OutputOptions

    func print(_ cursors: [CursorDocument]) {
        let rows = cursors.map { [$0.name, "\($0.index)", $0.hold ? "yes" : ""] }
        self.output.console.out(Console.table(["CURSOR", "INDEX", "HOLDS"], rows))
    }
}

struct CursorNameArgument: ParsableArguments {
    @Argument(
        help: "1 to \(CursorName.byteCountMax) letters, digits, dots, hyphens and underscores.",
        transform: CursorName.parse)
    var name: CursorName
}

extension CursorName {
    /// For arguments: says what is wrong.
    fileprivate static func parse(_ argument: String) throws -> CursorName {
        guard let name = CursorName(argument) else {
            throw ValidationError("a name has 1 to 64 letters, digits, dots, hyphens and underscores")
        }
        return name
    }
}

struct CursorListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists all cursors.", discussion: "Example: holdfast cursor list -o json")

    @OptionGroup var options: CursorOptions

    func run() async throws {
        let cursors: [CursorDocument]
        do throws(ClientError) { cursors = try await self.options.servers.client.cursors() } catch {
            throw CommandFailure(error)
        }
        switch self.options.output.output {
        case .json: self.options.output.console.out(bytes: JSONDocument.encode(["cursors": cursors]))
        case .table where cursors.isEmpty: self.options.output.console.out("no cursors")
        case .table: self.options.print(cursors)
        }
    }
}

struct CursorGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Prints where a cursor is.",
        discussion: """
            Exit code 1 when there is none of this name.

            Example: holdfast read --from "$(holdfast cursor get billing)"
            """)

    @OptionGroup var name: CursorNameArgument
    @OptionGroup var options: CursorOptions

    func run() async throws {
        let name = self.name.name
        let found: Cursor?
        do throws(ClientError) { found = try await self.options.servers.client.cursor(name) } catch {
            throw CommandFailure(error)
        }
        guard let cursor = found else { throw CommandFailure.noSuchCursor(name) }
        switch self.options.output.output {
        case .json: self.options.output.console.out(bytes: JSONDocument.encode(CursorDocument(name, cursor)))
        case .table: self.options.output.console.out("\(cursor.index)")
        }
    }
}

struct CursorSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Moves a cursor, forwards or back, or makes it.",
        discussion: "Example: holdfast cursor set billing 42")

    @OptionGroup var name: CursorNameArgument
    @Argument(help: "The record that is wanted next, from 1.")
    var index: UInt64

    @Flag(help: "Nothing from there on is trimmed, until the cursor is moved or deleted.")
    var hold = false

    @OptionGroup var options: CursorOptions

    func validate() throws {
        guard self.index > 0 else { throw ValidationError("indexes begin with 1.") }
    }

    func run() async throws {
        let name = self.name.name
        let cursor = Cursor(index: LogIndex(self.index), holdsTrims: self.hold)
        do throws(ClientError) { try await self.options.servers.client.setCursor(name, to: cursor) } catch {
            throw CommandFailure(change: error)
        }
        switch self.options.output.output {
        case .json: self.options.output.console.out(bytes: JSONDocument.encode(CursorDocument(name, cursor)))
        case .table:
            self.options.output.console.out("\(name) is at \(cursor.index)" + (self.hold ? ", and holds" : ""))
        }
    }
}

struct CursorDeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Deletes a cursor.",
        discussion: """
            Exit code 1 when there is none of this name.

            Example: holdfast cursor delete billing
            """)

    @OptionGroup var name: CursorNameArgument
    @OptionGroup var options: CursorOptions

    func run() async throws {
        let name = self.name.name
        let isDeleted: Bool
        do throws(ClientError) { isDeleted = try await self.options.servers.client.deleteCursor(name) } catch {
            throw CommandFailure(change: error)
        }
        guard isDeleted else { throw CommandFailure.noSuchCursor(name) }
        switch self.options.output.output {
        case .json: self.options.output.console.out(bytes: JSONDocument.encode(["deleted": name.text]))
        case .table: self.options.output.console.out("deleted \(name)")
        }
    }
}

extension CommandFailure {
    static func noSuchCursor(_ name: CursorName) -> CommandFailure {
        CommandFailure(.refused, "there is no cursor \(name)", next: Invocation.clientCommand("cursor", "list"))
    }

    /// Of a change that may be made twice.
    init(change error: ClientError) {
        self.init(error, isAppend: true)
        if case .outcomeUnknown = error { self.next = "run the same command again: what is made twice does no harm" }
    }
}
