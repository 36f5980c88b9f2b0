import ArgumentParser

/// What a shell offers for an argument.
extension CompletionKind {
    /// The names of the nodes of the cluster under the directory that `--data-dir` names on the same line.
    static var localNodes: CompletionKind { .custom { words, _, _ in LocalCompletion.nodes(for: words) } }
    /// The same, and whoever leads.
    static var localNodesAndLeader: CompletionKind {
        .custom { words, _, _ in ["leader"] + LocalCompletion.nodes(for: words) }
    }
}

private enum LocalCompletion {
    static func nodes(for words: [String]) -> [String] {
        let option = words.firstIndex(of: "--data-dir").map { words.index(after: $0) }
        let directory =
            option.flatMap { words.indices.contains($0) ? words[$0] : nil } ?? ClusterOptions.defaultDirectory
        let cluster = try? LocalCluster.find(Files.absolute(directory))
        return cluster?.nodes.map(\.name) ?? []
    }
}
