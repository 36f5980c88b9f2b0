/// One thing that somebody is to be told of, and what they can do about it.
struct AlertRule {
    enum Severity: String {
        /// Now: appends are refused, or about to be, or data is in danger.
        case critical
        /// In working hours: the cluster bears one fault less than it should.
        case warning
    }

    var name: String
    var severity: Severity
    /// PromQL; what it answers keeps the labels that ``summary`` names.
    var expression: String
    /// For how long it has to hold, in Prometheus' words: what heals by itself in this time wakes nobody.
    var holds: String
    /// In one line; `{{ $labels.instance }}` and the like are Prometheus' own.
    var summary: String
    var action: String
    /// The heading in the article Operations that says more.
    var section: String

    /// In the list of a rules file.
    var yaml: String {
        """
              - alert: \(self.name)
                expr: \(Self.quoted(self.expression))
                for: \(self.holds)
                labels:
                  severity: \(self.severity.rawValue)
                annotations:
                  summary: \(Self.quoted(self.summary))
                  action: \(Self.quoted(self.action))
                  runbook: \(Self.quoted("Operations, \(self.section)"))

        """
    }

    /// In single quotes, where YAML knows no escape but their doubling.
    private static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
}

extension AlertRule {
    /// The rules file of one cluster, which is one job of Prometheus.
    static func file(job: String) -> String {
        let rules = Self.serving(job: job) + Self.copies(job: job) + Self.disk + Self.surroundings
        return """
            # Made by: holdfast generate alerts
            groups:
              - name: holdfast
                rules:

            """ + rules.map(\.yaml).joined()
    }
}
