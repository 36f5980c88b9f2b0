import HoldfastClient
import ReplicaDisk
import Replicator
import SegmentFormat
import SegmentLog

extension NodeError {
    /// Which of the process's exit codes fits.
    package enum Kind: Hashable, Sendable {
        case damaged
        case configuration
        case system
    }

    /// For people: what happened, and what to do next.
    package struct Explanation: Hashable, Sendable {
        package var kind: Kind
        package var what: String
        package var next: String
    }

    /// What a node fails with when somebody else has the port of one of its listeners, beside the address of each.
    package static func ofTakenPorts(
        _ configuration: NodeConfiguration
    ) -> [(address: ServerAddress, error: NodeError)] {
        let reason = "in use"
        let peer = configuration.peerListen
        return [
            (configuration.clientListen, .clientListener(configuration.clientListen, reason: reason)),
            (peer, .replicator(.bind(host: peer.host, port: peer.port, reason: reason))),
            (configuration.adminListen, .adminListener(configuration.adminListen, reason: reason)),
        ]
    }

    package func explanation(_ configuration: NodeConfiguration) -> Explanation {
        let directory = configuration.dataDirectory
        switch self {
        case .security(let reason):
            return Explanation(
                kind: .configuration, what: reason,
                next:
                    "holdfast certs show FILE says what a certificate is for; holdfast certs makes new ones; nothing was "
                    + "started")
        case .tokens(let reason):
            return Explanation(
                kind: .configuration, what: reason,
                next:
                    "holdfast token create --name NAME --file FILE makes it; auth.tokens names it; nothing was started")
        case .clientListener(let address, let reason):
            return .notBound("\(address) for clients", reason)
        case .adminListener(let address, let reason):
            return .notBound("\(address) for the admin listener (listen.admin)", reason)
        case .replicator(.bind(let host, let port, let reason)):
            return .notBound("\(host):\(port) for peers", reason)
        case .replicator(.log(let error)), .replicator(.opening(.log(let error))):
            return Explanation(error, directory)
        case .replicator(.opening(let error)):
            return Explanation(
                kind: .damaged, what: "the log under \(directory) cannot be taken up: \(error)",
                next: "holdfast verify \(directory); nothing was changed")
        case .replicator(.cancelled):
            return Explanation(
                kind: .system, what: "the node was ended before the log under \(directory) was recovered",
                next: "start it again: recovery begins anew, and nothing is lost")
        case .traceOutput(let place, let reason):
            let words = if case .file(let path) = place { path } else { "stderr" }
            return Explanation(
                kind: .configuration, what: "spans cannot be written to \(words) (trace.output): \(reason)",
                next: "make its directory, and let this user write there; or choose another file; nothing was started")
        case .stopped(let reason):
            return Explanation(
                kind: .system, what: "the log failed while the node ran: \(reason)",
                next: "look at the disk under \(directory), then start the node again")
        }
    }
}

extension NodeError.Explanation {
    fileprivate static func notBound(_ listener: String, _ reason: String) -> Self {
        let isTaken = reason.contains("in use") || reason.contains("errno: 98")
        return Self(
            kind: .configuration, what: "cannot listen on \(listener): " + (isTaken ? "the port is in use" : reason),
            next: isTaken
                ? "stop the other process (perhaps a node that still runs), or choose another port"
                : "choose an address of this machine")
    }

    fileprivate init(_ error: LogError, _ directory: String) {
        switch error {
        case .locked(let holder):
            self.init(
                kind: .configuration, what: "another process has \(directory) open: \(holder)",
                next: "stop it, or choose another data.directory")
        case .foreignDirectory(.node(let found, let expected)):
            self.init(
                kind: .configuration, what: "\(directory) belongs to node \(found), and this is node \(expected)",
                next: "correct node.id or data.directory; nothing was touched")
        case .foreignDirectory(.noIdentity):
            self.init(
                kind: .damaged, what: "\(directory) holds segments, and no IDENTITY that says whose they are",
                next: "correct data.directory; or, if this is the node's own, make IDENTITY again: "
                    + "holdfast repair \(directory) --plan --node N; nothing was touched")
        case .foreignDirectory(let owner):
            self.init(
                kind: .configuration, what: "\(directory): \(owner)",
                next: "choose another data.directory; nothing was touched")
        case .configuration(let mistake):
            self.init(kind: .configuration, what: "\(mistake)", next: "correct the configuration")
        case .laterFormat(let file, let version):
            self.init(
                kind: .configuration,
                what: "\(directory)/\(file) has format version \(version), which this release does not know (it knows "
                    + "\(SegmentHeader.version))",
                next: "run the release that wrote it, or a later one; it is not damaged, and nothing was changed")
        case .damaged(let damage):
            self.init(
                kind: .damaged, what: "\(directory): \(damage)",
                next:
                    "holdfast verify \(directory) says all that is wrong; what is damaged can be taken from another node's "
                    + "directory: holdfast repair \(directory) --plan --peer DIR")
        case .repairUnfinished:
            self.init(
                kind: .damaged, what: "a repair of \(directory) was begun and not finished; nothing was touched",
                next: "holdfast repair \(directory) --apply goes on with it")
        case .restoreUnfinished:
            self.init(
                kind: .damaged,
                what: "a backup was being restored into \(directory), and not all of it is there; nothing was touched",
                next: "holdfast backup restore BACKUP --data-dir \(directory) --node-id N begins anew")
        case .sidecarDamaged(let file):
            let node = file == "IDENTITY" ? " --node N" : ""
            self.init(
                kind: .damaged, what: "\(directory)/\(file) cannot be read; nothing was changed",
                next: "make it again: holdfast repair \(directory) --plan\(node)")
        case .noSpace:
            self.init(kind: .system, what: "the disk of \(directory) is full", next: "free space, then start again")
        default:
            self.init(
                kind: .system, what: "the log under \(directory) cannot be opened: \(error)",
                next: "see that \(directory) can be made, read and written, or choose another data.directory; "
                    + "holdfast verify \(directory) says what is there; nothing was changed")
        }
    }
}
