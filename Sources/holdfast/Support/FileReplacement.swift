import Access
import Foundation
import Glibc
import HoldfastClient

/// A file that comes into its place whole, or not at all.
///
/// What stands there gives the new file its owner, group and mode: a node that runs as a user of its own still reads its
/// tokens after root has changed them. Access control lists (acl(5)) and extended attributes are not carried over: who could
/// read the old file by these alone cannot read the new one. A file that is new has the mode asked for, and belongs to
/// whoever writes it; where root writes it, to whom its directory belongs. A symbolic link stays, and its target is replaced.
///
/// Two are put in place together by drafting both first: nearly all that fails does so in the draft.
struct FileReplacement: ~Copyable {
    /// Behind all links.
    private let target: String
    /// `nil` once it is in its place.
    private var draft: String?
    /// Whose a new file is, when not the writer's: for people.
    let note: String?

    private init(target: String, draft: String, note: String?) {
        self.target = target
        self.draft = draft
        self.note = note
    }

    deinit { if let draft { unlink(draft) } }

    /// Writes it beside its place, under a name that nothing else has, readable for nobody else meanwhile.
    ///
    /// - Parameter mode: Of a file that is new.
    /// - Throws: 71; nothing is changed then.
    static func draft(_ text: String, of path: String, mode: mode_t) throws(CommandFailure) -> FileReplacement {
        let target = try FileLink.target(of: path)
        let standing = FileFacts(target)
        let heir = standing ?? FileFacts.heir(of: target, mode: mode)
        // With mode 0600.
        var draft = Array("\(target).XXXXXX".utf8CString)
        let descriptor = mkstemp(&draft)
        guard descriptor >= 0 else { throw .unwritable(path, errno) }
        let replacement = FileReplacement(
            target: target, draft: String(decoding: draft.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self),
            note: standing == nil ? heir?.note(path) : nil)
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try Self.fill(handle, text, as: path, mode: heir?.mode ?? mode, owner: heir)
        return replacement
    }

    private static func fill(
        _ handle: FileHandle, _ text: String, as path: String, mode: mode_t, owner: FileFacts?
    ) throws(CommandFailure) {
        if let owner { try self.give(handle, to: owner, as: path) }
        // After the owner, whose change takes bits away.
        guard fchmod(handle.fileDescriptor, mode) == 0 else { throw .unwritable(path, errno) }
        do {
            try handle.write(contentsOf: Data(text.utf8))
            try handle.synchronize()
        } catch {
            throw .unwritable(path, reason: SystemReason(error).description)
        }
    }

    private static func give(_ handle: FileHandle, to owner: FileFacts, as path: String) throws(CommandFailure) {
        guard let own = FileFacts(handle.fileDescriptor) else { throw .unwritable(path, errno) }
        guard
            (own.user, own.group) != (owner.user, owner.group),
            fchown(handle.fileDescriptor, owner.user, owner.group) != 0
        else { return }
        let code = errno
        guard own.user == owner.user else { throw .ownerLost(path, owner, code) }
        // A group that might do nothing with the old file misses nothing, and the writer's may do nothing with the new one.
        guard owner.mode & 0o070 == 0 else { throw .groupLost(path, owner, code) }
    }

    /// - Parameter partner: What is of use only with this one, and is in its place already.
    /// - Throws: 71; what was there before is still there then.
    consuming func putInPlace(after partner: String? = nil) throws(CommandFailure) {
        guard let draft, rename(draft, self.target) == 0 else {
            let reason = String(cString: strerror(errno))
            guard let partner else { throw .unwritable(self.target, reason: reason) }
            throw .parted(self.target, from: partner, reason: reason)
        }
        self.draft = nil
    }
}

extension CommandFailure {
    fileprivate static func unwritable(_ path: String, _ code: Int32) -> CommandFailure {
        .unwritable(path, reason: String(cString: strerror(code)))
    }

    fileprivate static func unwritable(_ path: String, reason: String) -> CommandFailure {
        CommandFailure(
            .system, "cannot write \(path): \(reason); nothing was changed",
            next: "run it as a user that may write there, where there is room")
    }

    fileprivate static func ownerLost(_ path: String, _ owner: FileFacts, _ code: Int32) -> CommandFailure {
        CommandFailure(
            .system,
            "\(path) belongs to \(owner.userName):\(owner.groupName), and what you put in its place would not "
                + "(\(String(cString: strerror(code)))); nothing was changed",
            next: owner.user == 0 ? "run it as root" : "run it as root, or as \(owner.userName)")
    }

    fileprivate static func groupLost(_ path: String, _ owner: FileFacts, _ code: Int32) -> CommandFailure {
        CommandFailure(
            .system,
            "\(path) is for the group \(owner.groupName), too, which you cannot give to what you put in its place "
                + "(\(String(cString: strerror(code)))); nothing was changed",
            next: "run it as root, or as \(owner.userName) in the group \(owner.groupName)")
    }

    fileprivate static func parted(_ path: String, from partner: String, reason: String) -> CommandFailure {
        CommandFailure(
            .system,
            "cannot write \(path): \(reason); it is as it was, but \(partner) was replaced already, and the two do not fit",
            next: "mend what is in the way at \(path), then give the same command with --force: it replaces both")
    }
}
