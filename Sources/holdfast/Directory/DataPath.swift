import Foundation
import Glibc
import LogModel
import SegmentFormat

/// What a path on the command line names: a data directory, or a segment file, which may be a copy of another name.
enum DataPath {
    case directory(String)
    case segment(SegmentID, file: String)

    /// - Parameter expected: What the command takes, for the message.
    /// - Throws: What the path is instead.
    init(_ path: String, expected: String) throws(CommandFailure) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw CommandFailure(
                .usage, "\(path): \(String(cString: strerror(errno)))", next: "name \(expected)")
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            self = .directory(path)
            return
        }
        let bytes = try FileWindow(path).bytes(at: 0, count: SegmentHeader.byteCount)
        let laterVersion: UInt16?
        do throws(FormatError) {
            let header = try SegmentHeader.decode(bytes.span.bytes)
            self = .segment(header.segment, file: path)
            return
        } catch {
            laterVersion = error.laterVersion
        }
        if let number = Self.number(path) {
            self = .segment(number, file: path)
        } else if let laterVersion {
            throw .laterFormat(path, version: laterVersion)
        } else {
            throw CommandFailure(
                .usage, "\(path) is a file, and not a segment of a log", next: "name \(expected)")
        }
    }

    /// `000007.wal` and `000007.wal.damaged` are segment 7, whatever they hold.
    private static func number(_ path: String) -> SegmentID? {
        let name = path.split(separator: "/").last ?? ""
        let parts = name.split(separator: ".")
        guard parts.count >= 2, parts[1] == "wal" else { return nil }
        return UInt32(parts[0]).map { SegmentID($0) }
    }

    static func parent(of file: String) -> String {
        let parent = URL(fileURLWithPath: file).deletingLastPathComponent().path
        return parent.isEmpty ? "." : parent
    }

    /// Who has the directory open now, without touching its lock: the kernel lists who holds one.
    ///
    /// - Returns: `pid 1234`; `nil` when nobody has, as far as can be seen from here.
    static func holder(of directory: String) -> String? {
        var status = stat()
        guard stat("\(directory)/LOCK", &status) == 0 else { return nil }
        let device = UInt(status.st_dev)
        // As the kernel writes it: major:minor:inode, the first two in hexadecimal.
        let major = String((device >> 8) & 0xFFF, radix: 16)
        let minor = String((device & 0xFF) | ((device >> 12) & 0xFFF00), radix: 16)
        func padded(_ text: String) -> String { text.count < 2 ? "0" + text : text }
        let name = "\(padded(major)):\(padded(minor)):\(status.st_ino)"
        for line in (Files.text("/proc/locks") ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            if let place = words.firstIndex(of: "FLOCK"), words.count > place + 4, words[place + 4] == name {
                return "pid \(words[place + 3])"
            }
        }
        return nil
    }
}
