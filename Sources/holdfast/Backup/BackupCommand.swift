import ArgumentParser

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Makes, checks and restores backups of the log.",
        discussion: """
            A backup is a directory of the log's segment files and a manifest, BACKUP, that says how far they count. Made \
            again into the same directory it gets what is new.

            Example: holdfast backup create kept; holdfast backup verify kept
            """,
        subcommands: [BackupCreateCommand.self, BackupVerifyCommand.self, BackupRestoreCommand.self])
}
