import Foundation
import Glibc

/// A directory of one test. When it ends, so do its files and all processes that were started with them.
final class Scratch: Sendable {
    let path: String

    init() throws {
        _ = Self.sweep
        var template = Array("\(Self.parent)/\(Self.prefix)\(getpid())-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        self.path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whatever the test left: after this no process names the directory, and it is gone.
    func end() { Self.remove(self.path) }

    deinit { self.end() }

    // MARK: Files

    func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(self.path)/\(name)")), as: UTF8.self)
    }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(self.path)/\(name)"))
    }

    func create(_ name: String) throws -> FileHandle {
        try self.write("", to: name)
        return try FileHandle(forWritingTo: URL(fileURLWithPath: "\(self.path)/\(name)"))
    }

    // MARK: Cleaning up

    private static let parent = FileManager.default.temporaryDirectory.path
    private static let prefix = "holdfast-test-"

    /// What earlier runs left that were killed themselves; once for each run.
    private static let sweep: Void = {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(prefix) {
            guard let owner = pid_t(name.dropFirst(prefix.count).prefix { $0 != "-" }), !Processes.isRunning(owner)
            else { continue }
            remove("\(parent)/\(name)")
        }
    }()

    private static func remove(_ path: String) {
        for _ in 0..<2_000 {
            let rest = Processes.naming(path)
            if rest.isEmpty { break }
            for process in rest { kill(process, SIGKILL) }
            usleep(2_000)
        }
        SmallDisk.unmount(under: path)
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// What `/proc` tells of other processes.
enum Processes {
    /// Zombies do not run; but a killed process whose first thread is one keeps its ports until the others are gone.
    static func isRunning(_ pid: pid_t) -> Bool { self.startTicks(of: pid) != nil }

    /// When it started, in ticks since the machine did: with its number, what no other process has. Its arguments are not,
    /// since one that is ending has lost them already; `nil` when it does not run.
    static func startTicks(of pid: pid_t) -> UInt64? {
        guard let stat = self.text("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 19 else { return nil }
        if fields[0] == "Z" || fields[0] == "X" {
            let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
            guard threads.count > 1 else { return nil }
        }
        return UInt64(fields[19])
    }

    /// Processes with an argument that is `path` or lies under it: its name is random, so they are a test's own.
    static func naming(_ path: String) -> [pid_t] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { pid_t($0) }.filter { pid in
            guard let line = self.text("/proc/\(pid)/cmdline") else { return false }
            return line.split(separator: "\0").contains { $0 == path || $0.hasPrefix("\(path)/") }
        }
    }

    /// Resident memory that no file backs: `RssAnon` of `/proc/PID/status`.
    static func anonymousByteCount(_ pid: pid_t) -> Int? {
        let lines = (self.text("/proc/\(pid)/status") ?? "").split(separator: "\n")
        let fields = lines.first { $0.hasPrefix("RssAnon:") }?.split(whereSeparator: \.isWhitespace)
        return fields?.dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }

    /// Files of `/proc` have no length, and a short read is not their end, as Foundation takes it to be.
    static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }
}

/// Listeners on the loopback address.
enum Ports {
    /// A socket that keeps a port taken until it is closed.
    ///
    /// - Returns: `nil` when the port is taken already.
    static func listener(on port: Int) -> FileHandle? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return result == 0 && listen(descriptor, 1) == 0 ? handle : nil
    }

    /// Where tests listen: outside the range from which the kernel and `holdfast failover-test` take their ports. Two runs
    /// of tests at once need two ranges, `HOLDFAST_TEST_PORTS=10000-14900`, since a node that is down listens nowhere.
    private static let range: Range<Int> = {
        let bounds = ProcessInfo.processInfo.environment["HOLDFAST_TEST_PORTS"]?.split(separator: "-").compactMap {
            Int($0)
        }
        guard let bounds, bounds.count == 2, bounds[0] < bounds[1] else { return 10_000..<19_900 }
        return bounds[0]..<bounds[1]
    }()

    /// The first of a run of free ports, ten for each of `nodes` nodes.
    static func freeBase(nodes: Int = 3) throws -> Int {
        for _ in 0..<200 {
            let base = Int.random(in: self.range)
            let listeners = (base..<base + nodes * 10).map { self.listener(on: $0) }
            if !listeners.contains(where: { $0 == nil }) { return base }
        }
        throw Late(what: "free ports", state: "all tried ones are taken")
    }

    /// Bytes that arrived at a listener and that its process has not read, by the client's address.
    static func unread(at port: Int) -> [String: Int] {
        // Columns: number, local address, remote address, state, tx_queue:rx_queue; all hexadecimal.
        var result: [String: Int] = [:]
        for line in (Processes.text("/proc/net/tcp") ?? "").split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ")
            guard
                fields.count > 4, let colon = fields[1].lastIndex(of: ":"),
                Int(fields[1][colon...].dropFirst(), radix: 16) == port,
                let unread = fields[4].split(separator: ":").last.flatMap({ Int($0, radix: 16) })
            else { continue }
            result[String(fields[2])] = unread
        }
        return result
    }
}
