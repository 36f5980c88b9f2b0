import ArgumentParser
import HoldfastClient

struct SoakTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak-test",
        abstract: "Runs a cluster under load while everything happens to it, and checks all of it at the end.",
        discussion: """
            Starts a cluster of its own. Producers append at a rate and readers follow the log, while nodes are killed, \
            restarted, paused, damaged, replaced, added and removed, leaders included, the log is trimmed and a disk gets \
            full, one mishap after the other, each once a round. At the end, from where the log begins by then: nothing \
            acknowledged is lost or doubled, every node and reader has the same records, every byte on disk is good, no \
            append has an unknown outcome (but those that a leader without room may have left so), no gap without \
            acknowledgements is longer than 20 s, and no node took more memory or descriptors than it may. A log that ever \
            begins at a lower record again is a problem, too, and so is a part in which nothing was acknowledged. A run of as \
            many mishaps as there are kinds has had a round: a kind that never happened then is a problem, and a shorter run \
            says how many did.

            Runs of two minutes and more end with a quiet part: 30 s and then a fifth of the run, from one minute to five, of \
            load and readers only. Once 40 MiB are acknowledged in it, behind those 30 s at the earliest, each process may take \
            3 MiB and 12 descriptors more a minute, from the median of its first third to that of its last. Where that would \
            leave less than a minute, it is too slow to judge growth, and the summary says so.

            Exit code 1 when anything is not so. Full disks need the right to mount a file system (root), \
            and are left out without it.

            With --tls nodes and clients speak TLS, nodes mutually, and nodes demand a token of clients, which show one.

            Example: holdfast soak-test --minutes 5
            Example: holdfast soak-test --minutes 5 --tls
            """)

    @Option(help: "How long the load lasts, the quiet part included; each mishap is got over, which may take longer.")
    var minutes = 10.0

    @Option(help: "Appends per second, by all producers together.")
    var rate: UInt64 = 500

    @Option(help: "Producers that append at the same time.")
    var producers = 4

    @Flag(help: "Makes certificates and a token: all speak TLS, nodes mutually, and clients show the token.")
    var tls = false

    @Option(help: "Decides which mishap comes when. (default: random)")
    var seed: UInt64?

    @Option(help: "Anonymous resident memory that a node may take.", transform: SizeArgument.parse)
    var memoryMax = SizeArgument(byteCount: 256 << 20)

    @Option(help: "Descriptors that a node may have open.")
    var descriptorsMax = 256

    @Option(help: "Where the cluster keeps its data; by default a temporary directory.", completion: .directory)
    var dataDir: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard self.minutes > 0, self.minutes <= 24 * 60 else {
            throw ValidationError("--minutes must be more than 0, and 1440 at most.")
        }
        guard (1...100_000).contains(self.rate) else { throw ValidationError("--rate must be from 1 to 100000.") }
        guard (1...64).contains(self.producers) else { throw ValidationError("--producers must be from 1 to 64.") }
        guard self.descriptorsMax > 0 else { throw ValidationError("--descriptors-max must be 1 or more.") }
    }

    func run() async throws {
        let seed = self.seed ?? .random(in: 1...999_999)
        // They rotate often.
        let settings = "segment:\n  size: 1MiB\n"
        let console = self.output.console
        console.note("seed \(seed)")
        let report = try await ThrowawayCluster.with(
            nodes: 3, settings: settings, isSecure: self.tls, hasTokens: self.tls, directory: self.dataDir,
            console: console
        ) { cluster in
            try await SoakTest(
                cluster: cluster, milliseconds: UInt64(self.minutes * 60_000), rate: self.rate,
                producers: self.producers, seed: seed,
                limits: .init(
                    anonymousByteCount: Int(clamping: self.memoryMax.byteCount), descriptorCount: self.descriptorsMax),
                console: console
            ).run()
        }
        switch self.output.output {
        case .table: console.out(report.text(console))
        case .json: console.out(bytes: JSONDocument.encode(report))
        }
        guard report.problems.isEmpty else {
            throw CommandFailure(
                .refused, report.problems.joined(separator: "; "),
                next: "keep this output: it is a bug; again with --seed \(seed)")
        }
    }
}
