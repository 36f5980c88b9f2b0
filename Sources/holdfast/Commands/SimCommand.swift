import ArgumentParser
import HoldfastClient
import LogModel
import Simulation

struct SimCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sim",
        abstract: "Runs whole clusters on simulated disks, networks and clocks, and checks every promise.",
        discussion: """
            One thread and one seed: the same seed gives the same run, event by event, and the same trace hash. A \
            broken promise is printed with its seed and step, and exits with 1.

            Example: holdfast sim --seed 1 --seeds 300
            """)

    @Option(help: "The first seed.")
    var seed: UInt64 = 1

    @Option(help: "How many seeds, one after the other.")
    var seeds: UInt64 = 1

    @Option(help: "Nodes of a cluster: 1 ... 7.")
    var nodes = 3

    @Option(help: "Events with faults in a run; healing follows.")
    var steps = 4_000

    @Option(
        help: "What goes wrong, separated by commas: \(SimulationFaults.named.keys.sorted().joined(separator: ", ")).")
    var faults = "all"

    @Option(help: "When the nodes sync: always, batch, batch:10ms or os.")
    var policy = "always"

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...7).contains(self.nodes) else { throw ValidationError("--nodes is 1 ... 7.") }
        guard (1...10_000_000).contains(self.steps) else { throw ValidationError("--steps is 1 ... 10000000.") }
        guard (1...1_000_000_000).contains(self.seeds) else { throw ValidationError("--seeds is 1 ... 1000000000.") }
        _ = try self.chosenFaults()
        _ = try self.chosenPolicy()
    }

    private func chosenFaults() throws -> SimulationFaults {
        var chosen: SimulationFaults = []
        for name in self.faults.split(separator: ",") {
            guard let fault = SimulationFaults.named[String(name)] else {
                throw ValidationError("\"\(name)\" is no fault; see holdfast sim --help.")
            }
            chosen.formUnion(fault)
        }
        return chosen
    }

    private func chosenPolicy() throws -> FsyncPolicy {
        guard let policy = FsyncPolicy(named: self.policy) else {
            throw ValidationError("--policy must be always, batch, batch:10ms (1ms to 60s) or os.")
        }
        return policy
    }

    func run() throws {
        let console = self.output.console
        let faults = try self.chosenFaults()
        let policy = try self.chosenPolicy()
        let clock = ContinuousClock()
        let start = clock.now
        var total = SimulationTotal()
        for seed in self.seed..<(self.seed + self.seeds) {
            var configuration = SimulationConfiguration(seed: seed)
            configuration.nodeCount = self.nodes
            configuration.stepCount = self.steps
            configuration.faults = faults
            configuration.policy = policy
            let report = SimulationRunner.run(configuration)
            total.add(report)
            if let violation = report.violation { console.out("seed \(seed): \(violation)") }
            if seed % 10 == 0 {
                console.progress("\(total.runs) of \(self.seeds) seeds, \(total.violations) violations")
            }
        }
        console.endProgress()
        let seconds = max(0.001, (clock.now - start) / .seconds(1))
        switch self.output.output {
        case .json: console.out(bytes: JSONDocument.encode(total))
        case .table: for line in total.lines(seconds: seconds) { console.out(line) }
        }
        if total.violations > 0 {
            throw CommandFailure(
                .refused, "\(total.violations) of \(total.runs) runs broke a promise",
                next: "replay one with: \(Invocation.name) sim --seed N --nodes \(self.nodes) --steps \(self.steps) "
                    + "--faults \(self.faults) --policy \(self.policy)")
        }
    }
}

/// What many runs showed together.
struct SimulationTotal: Encodable {
    var runs = 0
    var violations = 0
    var steps = 0
    var appendsAcknowledged = 0
    var framesCommitted = 0
    var segmentsSealed = 0
    var leadersElected = 0
    var crashes = 0
    var truncations = 0
    var duplicatesAnswered = 0
    var runsTakenApart = 0
    var readsChecked = 0
    var keysRepeated = 0
    var conditionsRefused = 0
    var writersFenced = 0
    var cursorsChecked = 0
    var handovers = 0
    var membershipChanges = 0
    var disksLost = 0
    var directoriesRestored = 0
    var trims = 0
    var beginnings = 0
    var damages = 0
    var segmentsRepaired = 0
    var logsGivenUp = 0
    var disksFilled = 0
    var appendsWithoutRoom = 0
    var syncsFailed = 0
    /// Of all runs, in order.
    var traceHash = ""
    private var hash: UInt64 = 0

    private enum CodingKeys: String, CodingKey {
        case runs, violations, steps
        case appendsAcknowledged = "appends_acknowledged"
        case framesCommitted = "frames_committed"
        case segmentsSealed = "segments_sealed"
        case leadersElected = "leaders_elected"
        case crashes, truncations, handovers, trims, beginnings, damages
        case segmentsRepaired = "segments_repaired"
        case logsGivenUp = "logs_given_up"
        case disksFilled = "disks_filled"
        case appendsWithoutRoom = "appends_without_room"
        case syncsFailed = "syncs_failed"
        case membershipChanges = "membership_changes"
        case disksLost = "disks_lost"
        case directoriesRestored = "directories_restored"
        case duplicatesAnswered = "duplicates_answered"
        case runsTakenApart = "runs_taken_apart"
        case readsChecked = "reads_checked"
        case keysRepeated = "keys_repeated"
        case conditionsRefused = "conditions_refused"
        case writersFenced = "writers_fenced"
        case cursorsChecked = "cursors_checked"
        case traceHash = "trace_hash"
    }

    mutating func add(_ report: SimulationReport) {
        self.runs += 1
        self.violations += report.violation == nil ? 0 : 1
        self.steps += report.stepCount
        self.appendsAcknowledged += report.appendsAcknowledged
        self.framesCommitted += report.framesCommitted
        self.segmentsSealed += report.segmentsSealed
        self.leadersElected += report.leadersElected
        self.crashes += report.crashes
        self.truncations += report.truncations
        self.duplicatesAnswered += report.duplicatesAnswered
        self.runsTakenApart += report.runsTakenApart
        self.readsChecked += report.readsChecked
        self.keysRepeated += report.keysRepeated
        self.conditionsRefused += report.conditionsRefused
        self.writersFenced += report.writersFenced
        self.cursorsChecked += report.cursorsChecked
        self.handovers += report.handovers
        self.membershipChanges += report.membershipChanges
        self.disksLost += report.disksLost
        self.directoriesRestored += report.directoriesRestored
        self.trims += report.trims
        self.beginnings += report.beginnings
        self.damages += report.damages
        self.segmentsRepaired += report.segmentsRepaired
        self.logsGivenUp += report.logsGivenUp
        self.disksFilled += report.disksFilled
        self.appendsWithoutRoom += report.appendsWithoutRoom
        self.syncsFailed += report.syncsFailed
        self.hash = (self.hash &* 31) ^ report.traceHash
        self.traceHash = String(self.hash, radix: 16)
    }

    func lines(seconds: Double) -> [String] {
        [
            "\(self.runs) runs, \(self.violations) violations, \(self.steps) events, "
                + "\(Int(Double(self.runs) / seconds * 60)) seeds a minute",
            "\(self.appendsAcknowledged) appends acknowledged (\(self.duplicatesAnswered) of them retries, "
                + "\(self.runsTakenApart) frames taken apart for it), "
                + "\(self.framesCommitted) frames committed, \(self.segmentsSealed) sealed segments compared, "
                + "\(self.readsChecked) linearizable reads",
            "\(self.keysRepeated) repeated keys, \(self.conditionsRefused) appends not where they were expected, "
                + "\(self.writersFenced) fenced, \(self.cursorsChecked) cursors read",
            "\(self.leadersElected) leaders, \(self.handovers) handovers, \(self.crashes) crashes, "
                + "\(self.truncations) divergent tails cut, \(self.membershipChanges) changes of members, "
                + "\(self.disksLost) disks lost, \(self.directoriesRestored) directories put back",
            "\(self.trims) trims, \(self.beginnings) nodes that began with a peer's first segment",
            "\(self.damages) bits flipped or sectors broken, \(self.segmentsRepaired) segments repaired from peers, "
                + "\(self.logsGivenUp) starts with a part of the log given up",
            "\(self.disksFilled) full disks, \(self.appendsWithoutRoom) appends refused for want of room, "
                + "\(self.syncsFailed) nodes stopped by a failed sync",
            "trace \(self.traceHash)",
        ]
    }
}
