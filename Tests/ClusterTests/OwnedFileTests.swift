import Foundation
import Glibc
import HoldfastClient
import TestSupport
import Testing

extension ClusterTests {
    /// Tokens and certificates of a node that runs as a user of its own, changed by root.
    @Suite struct OwnedFileTests {
        @Test func `A token that root revokes is refused by a node that runs as another user`() async throws {
            guard let scratch = try Nobody.scratch() else { return }
            defer { scratch.end() }
            let file = "\(scratch.path)/tokens"
            let (old, kept) = (try await Self.token("old", file), try await Self.token("kept", file))
            // The directory is its user's, so a new file is, too.
            #expect(try Facts(file) == Facts(owner: Nobody.user, mode: 0o600))
            let base = try Ports.freeBase(nodes: 1)
            let server = "127.0.0.1:\(base)"
            async let served = Nobody.run(
                [
                    "serve", "--node-id", "1", "--data-dir", "\(scratch.path)/n1", "--listen", server,
                    "--peer-listen", "127.0.0.1:\(base + 1)", "--admin-listen", "127.0.0.1:\(base + 2)",
                    "--auth-tokens", file,
                ], seconds: 60)
            func ask(_ token: String) async throws -> Int32 {
                try await Program.run(["read", "--server", server], environment: ["HOLDFAST_TOKEN": token]).status
            }
            try await eventually("the token to be taken") { try await ask(old) == 0 }
            let revoked = try await Program.run(["token", "revoke", "old", "--file", file])
            #expect(revoked.status == 0, "\(revoked.summary)")
            #expect(try Facts(file) == Facts(owner: Nobody.user, mode: 0o600))
            try await eventually("the token to be refused") { try await ask(old) == 77 }
            #expect(try await ask(kept) == 0)
            for process in Processes.naming("\(scratch.path)/n1") { kill(process, SIGTERM) }
            let node = try await served
            #expect(node.status == 0 && !node.errors.contains("tokens not taken"), "\(node.summary)")
        }

        @Test func `Owner, group and mode of what is replaced hold on, and a link stays one`() async throws {
            guard let scratch = try Nobody.scratch() else { return }
            defer { scratch.end() }
            let (real, link) = ("\(scratch.path)/real", "\(scratch.path)/tokens")
            _ = try await Self.token("old", real)
            try #require(chown(real, Nobody.user, 0) == 0 && chmod(real, 0o640) == 0)
            try #require(symlink("real", link) == 0)
            let revoked = try await Program.run(["token", "revoke", "old", "--file", link])
            #expect(revoked.status == 0, "\(revoked.summary)")
            #expect(try Facts(real) == Facts(owner: Nobody.user, group: 0, mode: 0o640))
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "real")
            #expect(try scratch.text("real").split(separator: "\n").count == 1, "its first line is all that is left")

            let certs = "\(scratch.path)/certs"
            for arguments in [["ca"], ["node", "1"]] {
                let made = try await Program.run(["certs"] + arguments + ["--dir", certs])
                #expect(made.status == 0 && made.errors.contains("belongs to \(Nobody.name)"), "\(made.summary)")
            }
            func expectOwners(certificate: mode_t) throws {
                #expect(try Facts("\(certs)/n1.key") == Facts(owner: Nobody.user, mode: 0o600))
                #expect(try Facts("\(certs)/n1.pem") == Facts(owner: Nobody.user, mode: certificate))
            }
            try expectOwners(certificate: 0o644)
            #expect(try Facts("\(certs)/ca.pem").mode == 0o644, "everybody may check who signed")
            try #require(chmod("\(certs)/n1.pem", 0o440) == 0)
            let renewed = try await Program.run(["certs", "node", "1", "--force", "--dir", certs])
            #expect(renewed.status == 0 && renewed.errors.isEmpty, "\(renewed.summary)")
            try expectOwners(certificate: 0o440)
            let left = try FileManager.default.contentsOfDirectory(atPath: certs).sorted()
            #expect(left == ["ca.key", "ca.pem", "n1.key", "n1.pem"])
        }

        @Test func `Where the owner cannot be kept nothing is changed, and the error says whom to be`() async throws {
            guard let scratch = try Nobody.scratch() else { return }
            defer { scratch.end() }
            let file = "\(scratch.path)/tokens"
            _ = try await Self.token("old", file)
            try #require(chown(file, 0, 0) == 0 && chmod(file, 0o644) == 0)
            let before = try scratch.text("tokens")
            let refused = try await Nobody.run(["token", "revoke", "old", "--file", file])
            #expect(refused.status == 71, "\(refused.summary)")
            for words in ["belongs to root:root", "nothing was changed", "next: run it as root"] {
                #expect(refused.errors.contains(words), "\(refused.summary)")
            }
            #expect(try scratch.text("tokens") == before)
            #expect(try Facts(file) == Facts(owner: 0, mode: 0o644))

            // A key that could be replaced is not, when its certificate could not.
            let certs = "\(scratch.path)/certs"
            for arguments in [["ca"], ["node", "1"]] {
                _ = try await Program.run(["certs"] + arguments + ["--dir", certs])
            }
            try #require(chown("\(certs)/n1.pem", 0, 0) == 0)
            let key = try scratch.text("certs/n1.key")
            let half = try await Nobody.run(["certs", "node", "1", "--force", "--dir", certs])
            #expect(half.status == 71 && half.errors.contains("n1.pem belongs to root:root"), "\(half.summary)")
            #expect(try scratch.text("certs/n1.key") == key)
            #expect(try FileManager.default.contentsOfDirectory(atPath: certs).count == 4, "no draft is left")
        }

        @Test
        func `A group that cannot be kept is let go where it might do nothing with the file, and named otherwise`()
            async throws
        {
            guard let scratch = try Nobody.scratch() else { return }
            defer { scratch.end() }
            let file = "\(scratch.path)/tokens"
            for name in ["old", "older"] { _ = try await Self.token(name, file) }
            try #require(chown(file, Nobody.user, 0) == 0 && chmod(file, 0o640) == 0)
            let before = try scratch.text("tokens")
            let refused = try await Nobody.run(["token", "revoke", "old", "--file", file])
            #expect(refused.status == 71, "\(refused.summary)")
            for words in [
                "the group root", "Operation not permitted", "nothing was changed",
                "next: run it as root, or as \(Nobody.name) in the group root",
            ] {
                #expect(refused.errors.contains(words), "\(refused.summary)")
            }
            #expect(try scratch.text("tokens") == before)
            #expect(try Facts(file) == Facts(owner: Nobody.user, group: 0, mode: 0o640))

            try #require(chmod(file, 0o600) == 0)
            let revoked = try await Nobody.run(["token", "revoke", "old", "--file", file])
            #expect(revoked.status == 0, "\(revoked.summary)")
            #expect(try Facts(file) == Facts(owner: Nobody.user, mode: 0o600))
            #expect(try !scratch.text("tokens").contains("old ") && scratch.text("tokens").contains("older "))
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["tokens"], "no draft is left")
        }

        @Test func `All directories that root makes belong to whom the nearest one does that was there`() async throws {
            guard let scratch = try Nobody.scratch() else { return }
            let roots = try Scratch()
            defer {
                scratch.end()
                roots.end()
            }
            for (parent, owner) in [(scratch.path, Nobody.user), (roots.path, 0)] {
                let made = try await Program.run(["certs", "ca", "--dir", "\(parent)/a/../a/b/"])
                #expect(made.status == 0, "\(made.summary)")
                for path in ["a", "a/b", "a/b/ca.key"] {
                    let facts = try Facts("\(parent)/\(path)")
                    #expect(facts.owner == owner && facts.group == owner, "\(path): \(facts)")
                }
            }
            // What is in the way is named.
            try scratch.write("", to: "file")
            let refused = try await Program.run(["certs", "ca", "--dir", "\(scratch.path)/file/b"])
            #expect(refused.status == 71 && refused.errors.contains("Not a directory"), "\(refused.summary)")
        }

        @Test func `Root does not follow another user's link to what is not that user's`() async throws {
            guard let scratch = try Nobody.scratch() else { return }
            let roots = try Scratch()
            defer {
                scratch.end()
                roots.end()
            }
            _ = try await Self.token("old", "\(roots.path)/tokens")
            let (link, before) = ("\(scratch.path)/tokens", try roots.text("tokens"))
            try #require(symlink("\(roots.path)/tokens", link) == 0 && lchown(link, Nobody.user, Nobody.user) == 0)
            let refused = try await Program.run(["token", "revoke", "old", "--file", link])
            #expect(refused.status == 71 && refused.errors.contains("a link that is not root's"), "\(refused.summary)")
            #expect(try roots.text("tokens") == before)
        }

        private static func token(_ name: String, _ file: String) async throws -> String {
            let made = try await Program.run(["token", "create", "--name", name, "--scope", "read", "--file", file])
            return try #require(made.status == 0 ? made.lines.first : nil, "\(made.summary)")
        }
    }
}

/// A user without rights.
private enum Nobody {
    static let user: uid_t = 65_534
    static let name = getpwuid(Self.user).map { String(cString: $0.pointee.pw_name) } ?? "user \(Self.user)"
    private static let setpriv = "/usr/bin/setpriv"

    /// Whether this process is root, and the program is where others may run it.
    private static let isAllowed: Bool = {
        guard geteuid() == 0, FileManager.default.isExecutableFile(atPath: Self.setpriv) else { return false }
        let trial = Process()
        trial.executableURL = URL(fileURLWithPath: Self.setpriv)
        trial.arguments = Self.arguments(["--version"])
        trial.standardOutput = FileHandle.nullDevice
        trial.standardError = FileHandle.nullDevice
        guard (try? trial.run()) != nil else { return false }
        trial.waitUntilExit()
        return trial.terminationStatus == 0
    }()

    /// A directory of that user; `nil`, and said, where tests make no files of others.
    static func scratch() throws -> Scratch? {
        guard Self.isAllowed else {
            try SkippedTest.note("only root makes files of others, and runs programs as others (with \(Self.setpriv))")
            return nil
        }
        let scratch = try Scratch()
        guard chown(scratch.path, Self.user, Self.user) == 0, chmod(scratch.path, 0o755) == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
        return scratch
    }

    static func run(_ arguments: [String], seconds: Double = 30) async throws -> Program.Answer {
        try await Program.run(
            Self.arguments(arguments), executable: Self.setpriv, directory: "/", seconds: seconds)
    }

    private static func arguments(_ arguments: [String]) -> [String] {
        ["--reuid=\(Self.user)", "--regid=\(Self.user)", "--clear-groups", Program.path] + arguments
    }
}

/// Whose a file is.
private struct Facts: Equatable, CustomStringConvertible {
    var owner: uid_t
    var group: gid_t
    var mode: mode_t

    var description: String { "\(self.owner):\(self.group) \(String(self.mode, radix: 8))" }

    /// - Parameter group: That of the owner by default.
    init(owner: uid_t, group: gid_t? = nil, mode: mode_t) {
        self.owner = owner
        self.group = group ?? owner
        self.mode = mode
    }

    init(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        (self.owner, self.group, self.mode) = (status.st_uid, status.st_gid, status.st_mode & 0o777)
    }
}
