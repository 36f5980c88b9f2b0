import LogModel
import SegmentLog

/// Where a backup's bytes come from.
protocol BackupSource: Sendable {
    /// How long it may take until it has what the backup has already; 0 for one that does not grow.
    var patienceMilliseconds: UInt64 { get }

    func outline() async throws(CommandFailure) -> BackupOutline

    /// Whole frames at a position, as the source's file has them; the segment's header before them at offset 0.
    ///
    /// - Returns: No bytes and the next segment at the end of one; and which node has given them. `nil` when no frame of
    ///   the source begins there.
    func frames(at position: Position) async throws(CommandFailure) -> (bytes: Bytes, next: Position, node: NodeID)?
}

/// How much is asked for at a time.
enum BackupLimits {
    static let pieceByteCount = 1 << 20
}

/// A stopped node's data directory.
struct StoppedSource: BackupSource {
    let patienceMilliseconds: UInt64 = 0
    private let directory: String
    private let log: StoppedLog

    init(_ directory: String) throws(CommandFailure) {
        self.directory = directory
        do throws(LogError) {
            self.log = try StoppedLog(.init(Files.absolute(directory)))
        } catch {
            switch error {
            case .locked(let holder):
                throw CommandFailure(
                    .refused, "\(directory) is in use by \(holder)",
                    next: "ask that node itself: --server HOST:PORT instead of --data-dir")
            case .sidecarDamaged(let file):
                throw CommandFailure(
                    .damaged, "\(directory)/\(file) cannot be read: what is committed is not known",
                    next: "back up another node, or repair this one: "
                        + Invocation.command("repair", directory, "--plan"))
            case .laterFormat(let file, let version): throw .laterFormat("\(directory)/\(file)", version: version)
            case .foreignDirectory:
                throw CommandFailure(
                    .usage, "\(directory) holds no log of a cluster", next: "name a stopped node's data directory")
            default:
                throw CommandFailure(.system, "\(directory): \(error)", next: "check the path and its permissions")
            }
        }
    }

    func outline() async throws(CommandFailure) -> BackupOutline {
        BackupOutline(
            cluster: self.log.cluster, generation: self.log.identity.generation, node: self.log.identity.node,
            first: self.log.first, commit: self.log.commit, byteCount: self.log.byteCount)
    }

    func frames(
        at position: Position
    ) async throws(CommandFailure) -> (bytes: Bytes, next: Position, node: NodeID)? {
        do throws(LogError) {
            let (bytes, next) = try self.log.frames(at: position, byteCountMax: BackupLimits.pieceByteCount)
            return (bytes, next, self.log.identity.node)
        } catch {
            guard case .damaged(let damage) = error else {
                throw CommandFailure(.system, "\(self.directory): \(error)", next: BackupRun.goesOn)
            }
            // In the middle of a frame everything looks damaged.
            if let isBoundary = try? self.log.isBoundary(position), !isBoundary { return nil }
            throw CommandFailure(
                .damaged, "\(self.directory): \(damage)",
                next: "back up another node into the same directory: it goes on from there")
        }
    }
}
