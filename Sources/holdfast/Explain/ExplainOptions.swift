import ArgumentParser
import HoldfastClient

/// What all of `holdfast explain` has in common: whom it asks, and how it answers.
struct ExplainOptions: ParsableArguments {
    @OptionGroup var servers: ServerOptions
    @OptionGroup var output: OutputOptions

    private struct Document: Encodable {
        var question: String
        var well: Bool
        var findings: [Finding]
    }

    /// Looks at the cluster, and prints what `body` finds in it.
    ///
    /// - Throws: 3 when something is not as it should be, 69 when nobody answers, 77 when nobody lets this client in.
    func answer(
        _ question: String, _ body: (HoldfastClient, ClusterSight) async throws -> [Finding]
    ) async throws {
        let client = self.servers.client
        let sight = await client.look()
        let findings: Result<[Finding], any Error>
        if sight.isAnybodyThere {
            do { findings = .success(try await body(client, sight)) } catch { findings = .failure(error) }
        } else {
            findings = .success(Diagnosis.noLeader(sight))
        }
        await client.shutdown()
        let all = try findings.get()
        self.show(question, all)
        guard sight.isAnybodyThere else {
            if let finding = all.ofAccess {
                throw CommandFailure(ofAccess: finding, "no node can be asked like this")
            }
            throw CommandFailure(
                .unreachable, "no node answers",
                next: "is the cluster running? See: \(Invocation.command("cluster", "status")); "
                    + "\(Invocation.command("cluster", "up")); --server HOST:PORT")
        }
        if all.contains(where: \.trouble) { throw ExitCode(ExitStatus.degraded.rawValue) }
    }

    private func show(_ question: String, _ findings: [Finding]) {
        let console = self.output.console
        switch self.output.output {
        case .table:
            for finding in findings {
                console.out(finding.trouble ? console.coloured("! \(finding.text)", .red) : "  \(finding.text)")
                if let next = finding.next { console.out("    next: \(self.typed(next))") }
            }
        case .json:
            let well = !findings.contains(where: \.trouble)
            console.out(bytes: JSONDocument.encode(Document(question: question, well: well, findings: findings)))
        }
    }

    /// Ready to be typed here.
    private func typed(_ next: String) -> String {
        guard next.hasPrefix("holdfast ") else { return next }
        return Invocation.clientCommand(next.split(separator: " ").dropFirst().map(String.init))
    }
}
