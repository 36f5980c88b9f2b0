/// What one check found.
struct HealthCheck: Codable, Hashable, Sendable {
    var name: String
    var isOK: Bool
    /// What was found, or what is wrong.
    var detail: String

    private enum CodingKeys: String, CodingKey {
        case name, detail
        case isOK = "ok"
    }

    static func ok(_ name: String, _ detail: String) -> HealthCheck {
        HealthCheck(name: name, isOK: true, detail: detail)
    }

    static func failed(_ name: String, _ detail: String) -> HealthCheck {
        HealthCheck(name: name, isOK: false, detail: detail)
    }

    /// `[+]leader ok: node 2`
    var line: String { "[\(self.isOK ? "+" : "-")]\(self.name) \(self.isOK ? "ok" : "failed"): \(self.detail)" }
}

/// All checks of `/livez` or `/readyz`.
struct HealthReport: Codable, Hashable, Sendable {
    var isOK: Bool
    var checks: [HealthCheck]

    init(_ checks: [HealthCheck]) {
        self.checks = checks
        self.isOK = checks.allSatisfy(\.isOK)
    }

    private enum CodingKeys: String, CodingKey {
        case checks
        case isOK = "ok"
    }

    /// - Parameter isVerbose: `false` names only what failed.
    func text(of name: String, isVerbose: Bool) -> String {
        if self.isOK, !isVerbose { return "ok\n" }
        let lines = self.checks.filter { isVerbose || !$0.isOK }.map { $0.line + "\n" }.joined()
        return lines + "\(name) \(self.isOK ? "ok" : "failed")\n"
    }
}
