import ArgumentParser

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Writes files that other programs need to run and to watch a node.",
        discussion: """
            To stdout, or to a file with --output. The copies under cluster/ in the sources are made so.

            Example: holdfast generate systemd
            """,
        subcommands: [GenerateSystemdCommand.self, GenerateGrafanaCommand.self, GenerateAlertsCommand.self])
}

struct GenerateGrafanaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grafana", abstract: "A dashboard for Grafana, of one cluster.",
        discussion: """
            Import it under Dashboards, New, Import. It asks for a Prometheus data source, and for the job that scrapes the \
            nodes' admin listeners.

            Example: holdfast generate grafana --output holdfast-dashboard.json
            """)

    @OptionGroup var destination: GeneratedFile

    func run() throws {
        try self.destination.write(GrafanaDashboard.holdfast.json)
    }
}

struct GenerateAlertsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "Alert rules for Prometheus, each with what is to be done.",
        discussion: """
            Name the file under rule_files in prometheus.yml, and reload Prometheus. A cluster is one job, whose targets are \
            the admin listeners of its nodes.

            Example: holdfast generate alerts --output holdfast-alerts.yml
            """)

    @Option(help: "The job that scrapes the nodes.")
    var job = "holdfast"

    @OptionGroup var destination: GeneratedFile

    func validate() throws {
        guard SystemdUnit.isPlainName(self.job) else {
            throw ValidationError("'\(self.job)' must be a name of lower-case letters, digits, - and _.")
        }
    }

    func run() throws {
        try self.destination.write(AlertRule.file(job: self.job))
    }
}

struct GenerateSystemdCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "systemd", abstract: "A unit that runs one node under a user of its own, with few rights.",
        discussion: """
            The unit waits until the node says that it is ready, restarts it when it fails or hangs, and not when its \
            configuration is wrong or its log is damaged: a restart would mend neither. systemctl reload has the \
            configuration read again. Needs systemd 247 or later.

            Example: holdfast generate systemd --output holdfast.service
            """)

    @Option(help: "The program, by its absolute path.", completion: .file())
    var binary = "/usr/bin/holdfast"

    @Option(help: "The node's configuration, by its absolute path.", completion: .file(extensions: ["yaml", "yml"]))
    var config = "/etc/holdfast/holdfast.yaml"

    @Option(help: "Who the node runs as; the data directory, /var/lib/USER, is made for them.")
    var user = "holdfast"

    @OptionGroup var destination: GeneratedFile

    func validate() throws {
        for path in [self.binary, self.config] where !SystemdUnit.isPlainPath(path) {
            throw ValidationError("'\(path)' must be an absolute path of letters, digits and ._-/.")
        }
        guard SystemdUnit.isPlainName(self.user) else {
            throw ValidationError("'\(self.user)' must be a user's name: lower-case letters, digits, - and _.")
        }
    }

    func run() throws {
        try self.destination.write(SystemdUnit(binary: self.binary, config: self.config, user: self.user).text)
    }
}

/// Where a generated file goes.
struct GeneratedFile: ParsableArguments {
    @Option(help: "A file to write instead of stdout; one that is there is replaced.", completion: .file())
    var output: String?

    func write(_ text: String) throws(CommandFailure) {
        guard let output else { return print(text, terminator: "") }
        try Files.write(text, to: output)
    }
}
