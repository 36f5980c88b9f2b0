import ArgumentParser
import Glibc
import HoldfastClient
import HoldfastNode

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table
    case json
}

enum ColourChoice: String, ExpressibleByArgument, CaseIterable {
    case auto
    case always
    case never
}

/// A duration with its unit.
struct DurationArgument: CustomStringConvertible {
    var milliseconds: UInt64

    /// For options: says what is wrong.
    static func parse(_ argument: String) throws -> Self {
        guard let milliseconds = Units.milliseconds(argument) else {
            throw ValidationError("a duration is a whole number and its unit: 500ms, 5s, 1m, 1h")
        }
        return Self(milliseconds: milliseconds)
    }

    var description: String {
        self.milliseconds % 1000 == 0 ? "\(self.milliseconds / 1000)s" : "\(self.milliseconds)ms"
    }
}

/// A size with its unit.
struct SizeArgument {
    var byteCount: UInt64

    /// For options: says what is wrong.
    static func parse(_ argument: String) throws -> Self {
        guard let byteCount = Units.byteCount(argument) else {
            throw ValidationError("a size is a whole number of bytes, or one with a unit: 100, 4KiB, 128MiB, 1GiB")
        }
        return Self(byteCount: byteCount)
    }
}

extension ServerAddress {
    /// For options: says what is wrong.
    static func parse(_ argument: String) throws -> ServerAddress {
        guard let address = ServerAddress(argument) else {
            throw ValidationError("an address is a host and a port: 127.0.0.1:7400 or [::1]:7400")
        }
        return address
    }
}

extension String {
    /// `a,b,c`; empty parts stay, so that whoever reads them refuses them.
    var commaSeparated: [Substring] { self.split(separator: ",", omittingEmptySubsequences: false) }
}

/// How every command prints.
struct OutputOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "How data is printed: table or json.")
    var output = OutputFormat.table

    @Option(help: "Colours: auto, always or never; auto honours NO_COLOR.")
    var color = ColourChoice.auto

    @Flag(name: [.short, .long], help: "No prose and no progress on stderr.")
    var quiet = false

    @Flag(name: [.short, .long], help: "More prose on stderr.")
    var verbose = false

    var console: Console {
        let isPlain = (getenv("NO_COLOR").map { String(cString: $0) } ?? "") != "" || !Console.isOutputTerminal
        return Console(
            isQuiet: self.quiet, hasColour: self.color == .always || (self.color == .auto && !isPlain))
    }
}

/// Which cluster a command speaks to.
struct ServerOptions: ParsableArguments {
    static let defaultServers = "127.0.0.1:7400,127.0.0.1:7410,127.0.0.1:7420"

    @Option(
        help: ArgumentHelp(
            "Client listeners of the cluster, host:port, separated by commas; any of them finds the leader. https:// "
                + "before each says that they speak TLS.",
            discussion: "Without it HOLDFAST_SERVER is read; without that, \(ServerOptions.defaultServers)."))
    var server: String?

    @Option(help: "How long an operation goes on trying. (default: 15s)", transform: DurationArgument.parse)
    var timeout = DurationArgument(milliseconds: 15_000)

    @OptionGroup var access: AccessOptions

    func validate() throws {
        guard ServerList(self.text) != nil else {
            throw ValidationError("\"\(self.text)\" is not a list of host:port, all with https:// or none.")
        }
    }

    private var text: String {
        self.server ?? getenv("HOLDFAST_SERVER").map { String(cString: $0) } ?? Self.defaultServers
    }

    var servers: [ServerAddress] { ServerList(self.text)?.addresses ?? [] }

    var client: HoldfastClient {
        HoldfastClient(
            servers: self.servers, access: self.access.access(isSecure: ServerList(self.text)?.isSecure),
            timeoutMilliseconds: self.timeout.milliseconds)
    }
}
