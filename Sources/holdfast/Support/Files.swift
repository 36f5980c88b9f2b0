import Access
import Foundation
import Glibc
import SystemPackage

/// Small files, whole.
enum Files {
    static func text(_ path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    static func names(in directory: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
    }

    static func write(_ text: String, to path: String) throws(CommandFailure) {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw self.failure("write", path, error)
        }
    }

    /// For the owner only, from its first byte on, or with the owner, group and mode of what stood there:
    /// ``FileReplacement``.
    ///
    /// - Returns: Whose it is, when not the writer's: for people.
    @discardableResult
    static func writeSecret(_ text: String, to path: String) throws(CommandFailure) -> String? {
        let replacement = try FileReplacement.draft(text, of: path, mode: 0o600)
        let note = replacement.note
        try replacement.putInPlace()
        return note
    }

    static func makeDirectory(_ path: String) throws(CommandFailure) {
        // By hand: Foundation hides the system's reason.
        var part = path.hasPrefix("/") ? "/" : ""
        for name in path.split(separator: "/") {
            part += "\(name)/"
            guard mkdir(part, 0o777) != 0 else { continue }
            let error = errno
            guard error != EEXIST || !self.isDirectory(part) else { continue }
            throw self.failure("create", path, String(cString: strerror(error == EEXIST ? ENOTDIR : error)))
        }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    /// In the system's words, where Foundation's own say nothing.
    private static func failure(_ verb: String, _ path: String, _ error: any Error) -> CommandFailure {
        self.failure(verb, path, SystemReason(error).description)
    }

    private static func failure(_ verb: String, _ path: String, _ reason: String) -> CommandFailure {
        CommandFailure(
            .system, "cannot \(verb) \(path): \(reason)",
            next: "choose a place where you may write, or see its permissions and the room on its disk")
    }

    /// Unless it is there. What root makes, directories around it included, belongs to whom the nearest directory does that
    /// was there.
    static func makeOwnedDirectory(_ path: String) throws(CommandFailure) {
        guard !self.exists(path) else { return }
        guard geteuid() == 0 else { return try self.makeDirectory(path) }
        do throws(Errno) { try OpenDirectory.make(path) } catch {
            throw self.failure("create", path, error.description)
        }
    }

    /// The directory that a file is in, or would be.
    static func directory(of path: String) -> String {
        let path = path.hasSuffix("/") ? String(path.dropLast()) : path
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

    static func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }

    /// This program's own file.
    static var program: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    static func makeTemporaryDirectory() throws(CommandFailure) -> String {
        var template = Array((FileManager.default.temporaryDirectory.path + "/holdfast-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw CommandFailure(.system, "cannot make a temporary directory: \(String(cString: strerror(errno)))")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
