import Glibc

/// Fixed work on one path of the log, whose instructions `scripts/budgets` counts.
///
///     path-costs PATH COUNT DIRECTORY --prepare   makes what the path needs; not counted
///     path-costs PATH COUNT DIRECTORY             does COUNT operations
@main struct PathCosts {
    private static var paths: [any CountedPath.Type] {
        [
            AppendPath.self, SyncedAppendPath.self, BatchPath.self, ReadPath.self, RecoverPath.self, ReplicatePath.self,
        ]
    }

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let count = Int(arguments[2]), count > 0,
            let path = Self.paths.first(where: { $0.name == arguments[1] })
        else {
            print(Self.paths.map { $0.name }.joined(separator: "\n"))
            exit(arguments.count == 1 ? 0 : 64)
        }
        if arguments.last == "--prepare" {
            try await path.prepare(count: count, in: arguments[3])
        } else {
            try await path.run(count: count, in: arguments[3])
        }
    }
}

/// Work that takes the same instructions each time, but for what threads make of it.
protocol CountedPath: SendableMetatype {
    static var name: String { get }
    /// Makes what ``run(count:in:)`` needs in an empty directory.
    static func prepare(count: Int, in directory: String) async throws
    /// Does `count` operations: records appended, read or recovered.
    static func run(count: Int, in directory: String) async throws
}

extension CountedPath {
    static func prepare(count: Int, in directory: String) async throws {}
}
