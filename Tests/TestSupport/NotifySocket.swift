import Foundation
import Glibc

/// What systemd has in `NOTIFY_SOCKET`, in a directory of its own.
package final class NotifySocket: Sendable {
    package let path: String
    private let socket: Int32
    private let directory: URL

    /// - Parameter isAbstract: Whether its name stands in no directory.
    package init(isAbstract: Bool = false) throws {
        self.directory = FileManager.default.temporaryDirectory.appendingPathComponent("notify-\(UUID())")
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
        self.path = isAbstract ? "@holdfast-\(UUID())" : self.directory.appendingPathComponent("s").path
        self.socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = isAbstract ? [0] + Array(self.path.utf8.dropFirst()) : Array(self.path.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(2 + bytes.count + (isAbstract ? 0 : 1))
        let socket = self.socket
        let result = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) }
        }
        guard result == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    deinit {
        close(self.socket)
        try? FileManager.default.removeItem(at: self.directory)
    }

    /// All that came since the last call.
    package func take() -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(self.socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return messages }
            messages.append(String(decoding: buffer.prefix(count), as: UTF8.self))
        }
    }
}
