import LogModel
import SegmentFormat
import SegmentLog

extension CommandFailure {
    /// - Parameter directory: The backup's, or the one that it is restored into.
    init(_ error: BackupError, _ directory: String) {
        switch error {
        case .log(.noSpace):
            self.init(
                .system, "the disk of \(directory) is full; what was there before is whole",
                next: "make room; then \(BackupRun.goesOn)")
        case .log(.laterFormat(let file, let version)):
            self = .laterFormat("\(directory)/\(file)", version: version)
        case .log(.rejected(let fault, let position)):
            let isLater = fault.defect.laterVersion != nil
            self.init(
                isLater ? .badConfiguration : .refused,
                "what the source gave at \(position) does not fit: \(fault); what was there before is whole",
                next: isLater
                    ? "back it up with the release that the source runs, or a later one"
                    : "ask another node into the same directory: it goes on from there")
        case .log(.damaged(let damage)):
            self.init(
                .system,
                "\(directory): what an earlier run left is not what it was a moment ago: \(damage.summary); what was "
                    + "there before that run is whole",
                next: "look at the disk (smartctl, dmesg); then \(BackupRun.goesOn)")
        case .log(let error):
            self.init(
                .system, "\(directory): \(error)",
                next: "check the path and its permissions; then \(BackupRun.goesOn)")
        case .inUse(let holder):
            self.init(
                .refused, "\(directory) is in use by \(holder); nothing was touched",
                next: "wait until that has ended; then give the same command again")
        case .foreign(let file):
            self.init(
                .usage, "\(directory) holds \(file), which is not of a backup; nothing was touched",
                next: "name an empty directory, or a backup's")
        case .noBackup:
            self.init(
                .usage, "\(directory) holds no backup that was ever finished",
                next: "make one, or finish it: \(Invocation.command("backup", "create", directory))")
        case .manifestUnreadable:
            self.init(
                .damaged, "\(directory)/BACKUP is not what its checksum says",
                next:
                    "take another backup; \(Invocation.command("verify", "\(directory)/000000.wal")) checks a segment "
                    + "by itself")
        case .otherCluster(let backup, let source):
            self.init(
                .refused,
                "\(directory) is a backup of cluster \(backup), and the source is cluster \(source); "
                    + "nothing was changed", next: BackupRun.anew)
        case .diverged(let position):
            self.init(
                .refused,
                "the source goes on with other frames behind \(position) than the backup has: the cluster gave "
                    + "up a part of its log since (recover-quorum)", next: BackupRun.anew)
        case .behind(let backup, let source):
            self.init(
                .refused,
                "the source is committed through \(source) as far as it knows, and the backup has all through "
                    + "\(backup) already; nothing was changed", next: "ask another node, or this one once it is level")
        case .gap(let end, let first):
            self.init(
                .refused,
                "the backup ends at \(end), and the log begins with segment \(first) by now: what stood between "
                    + "them was trimmed", next: BackupRun.anew)
        case .nothingCommitted:
            self.init(
                .refused, "the source has not committed anything yet, as far as it knows; nothing was changed",
                next: "ask another node, or this one once it follows a leader: "
                    + Invocation.clientCommand("status"))
        case .tooManySegments(let max):
            self.init(
                .refused, "the log has more than \(max) segments; one backup cannot name more",
                next: "trim the log, or let its segments be larger (segment-size); then begin another backup")
        case .damaged(let damage):
            self.init(
                .damaged, "\(directory): \(damage.summary)",
                next:
                    "see all that is wrong: \(Invocation.command("backup", "verify", directory)); a backup in another "
                    + "directory may be whole")
        case .misstated(let segment, let manifest, let files):
            self.init(
                .damaged,
                "\(directory)/BACKUP says that \(segment.fileName) begins with record \(manifest), and the files say "
                    + "\(files): nobody can tell from it where a record is",
                next: "restore all of it, without --through; or take another backup, in an empty directory")
        case .notEmpty(let file):
            self.init(
                .refused, "\(directory) is not empty: \(file) is there; nothing was touched",
                next: "name a directory that is empty, or does not exist yet")
        case .nothingThrough(let first):
            self.init(
                .refused, "the backup holds nothing as old as that; its first record is \(first)",
                next: "name a later one with --through")
        case .endsBefore(let next):
            let last = next.rawValue - 1
            self.init(
                .refused,
                (last == 0 ? "the backup has no record yet" : "the backup has records through \(last) only")
                    + "; nothing was restored",
                next: "restore all of it, without --through; or let the backup have more first: "
                    + Invocation.command("backup", "create", directory))
        case .state(let segment):
            self.init(
                .damaged, "\(directory): what the log knows of itself cannot be computed from \(segment.fileName)",
                next: Invocation.command("backup", "verify", directory))
        }
    }
}
