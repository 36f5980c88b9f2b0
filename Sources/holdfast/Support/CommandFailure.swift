import HoldfastClient

/// What the process says when it ends: sysexits, as `interfaces.md` lists them.
enum ExitStatus: Int32 {
    case done = 0
    /// Refused, and not applied.
    case refused = 1
    /// Works, but something is missing.
    case degraded = 3
    case usage = 64
    case damaged = 65
    /// No server, or no leader, was reached.
    case unreachable = 69
    case system = 71
    /// An append may be applied or not.
    case outcomeUnknown = 75
    /// By the other's certificate or one's own, or for want of a token.
    case denied = 77
    case badConfiguration = 78
}

/// Why a command ends early: what happened, whether anything was applied, what to do next.
struct CommandFailure: Error {
    var status: ExitStatus
    var what: String
    /// Whether an append was applied: for commands that append.
    var applied: ProblemDocument.Applied?
    var next: String?

    init(_ status: ExitStatus, _ what: String, applied: ProblemDocument.Applied? = nil, next: String? = nil) {
        self.status = status
        self.what = what
        self.applied = applied
        self.next = next
    }

    /// Writes it to stderr.
    func report() {
        var lines = ["holdfast: \(self.what)"]
        if let applied { lines.append("  applied: \(applied.rawValue)") }
        if let next { lines.append("  next: \(next)") }
        Console.writeError(lines.joined(separator: "\n") + "\n")
    }
}

extension CommandFailure {
    /// - Parameter finding: Why a node that runs was not asked as it wants to be.
    init(ofAccess finding: Finding, _ what: String) {
        self.init(finding.code == .wrongPort ? .unreachable : .denied, what, next: finding.next)
    }

    /// - Parameter isAppend: Whether it matters if something was applied.
    init(_ error: ClientError, isAppend: Bool = false) {
        switch error {
        case .refused(let problem):
            let isAbsent = ["QUORUM_UNAVAILABLE", "NOT_LEADER"].contains(problem.code)
            let isDenied = ["UNAUTHENTICATED", "FORBIDDEN", "TLS_REQUIRED"].contains(problem.code)
            let status: ExitStatus =
                isAbsent ? .unreachable : isDenied ? .denied : problem.code == "DAMAGED" ? .damaged : .refused
            self.init(
                status, error.description, applied: isAppend ? problem.applied : nil,
                next: Self.next(after: problem))
        case .trimmed(let first):
            self.init(
                .refused, error.description,
                next: "go on from there: \(Invocation.clientCommand("read", "--from", "\(first)"))")
        case .unreachable:
            self.init(
                .unreachable, error.description, applied: isAppend ? .no : nil,
                next: "is the cluster running? See: \(Invocation.clientCommand("status")); "
                    + "\(Invocation.command("cluster", "up")); --server HOST:PORT")
        case .untrusted:
            self.init(
                .denied, error.description, applied: isAppend ? .no : nil,
                next: "see --tls-ca, --tls-cert and https:// in --server: \(Invocation.command("status", "--help")); "
                    + "\(Invocation.command("certs", "show", "FILE"))")
        case .noClientPort:
            self.init(
                .unreachable, error.description, applied: isAppend ? .no : nil,
                next: "name client listeners with --server, 7400 unless listen.client says otherwise")
        case .outcomeUnknown:
            self.init(
                .outcomeUnknown, error.description, applied: isAppend ? .unknown : nil,
                next: "look at the end of the log (\(Invocation.clientCommand("tail"))) before appending the same again"
            )
        case .notByAll:
            self.init(
                .degraded, error.description, applied: isAppend ? .yes : nil,
                next: "nothing is to be sent again; see which node lags: \(Invocation.clientCommand("status"))")
        case .ended:
            self.init(.refused, error.description, applied: isAppend ? .no : nil)
        case .badAnswer:
            self.init(
                .system, error.description, applied: isAppend ? .unknown : nil,
                next: "is this the client port of a holdfast node, of the same version?")
        }
    }

    /// What to do, as a command where the server's hint is for programs.
    private static func next(after problem: ProblemDocument) -> String {
        switch problem.code {
        case "NOT_LEADER", "QUORUM_UNAVAILABLE", "LEADER_SILENT":
            "see why: \(Invocation.clientCommand("explain", "no-leader"))"
        case "NO_SUCH_MEMBER", "CHANGE_UNDER_WAY", "NODE_UNREACHABLE":
            "see \(Invocation.clientCommand("member", "list"))"
        case "UNAUTHENTICATED", "FORBIDDEN":
            "say --token-file FILE or HOLDFAST_TOKEN; a new token: \(Invocation.command("token", "create", "--help"))"
        case "TLS_REQUIRED": "say --server https://HOST:PORT and --tls-ca FILE (HOLDFAST_TLS_CA)"
        case "NODE_LEADS": "hand over first: \(Invocation.clientCommand("transfer-leader"))"
        case "NO_SUCH_CURSOR", "TOO_MANY_CURSORS": "see \(Invocation.clientCommand("cursor", "list"))"
        case "BEHIND": "try again, or ask another node with --server"
        default: problem.hint.contains("/v1/") ? "see \(Invocation.clientCommand("status"))" : problem.hint
        }
    }
}
