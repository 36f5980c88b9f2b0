import Glibc

/// Tells systemd how the node is (sd_notify(3)), in datagrams to the socket that `NOTIFY_SOCKET` names.
///
/// Without that variable nobody wants to know, and nothing is sent. A datagram that the socket does not take at once is
/// dropped: the next one says more.
struct ServiceNotifier: Sendable {
    enum Message: Hashable, Sendable {
        /// Recovered, and listening; also after ``reloading``.
        case ready
        /// The configuration is read again.
        case reloading(monotonicMicroseconds: UInt64)
        case stopping
        /// For `systemctl status`.
        case status(String)
        /// All that the node's life hangs on has just answered.
        case watchdog
        /// Starting takes so much longer, from now.
        case extend(microseconds: UInt64)

        var text: String {
            switch self {
            case .ready: "READY=1"
            case .reloading(let time): "RELOADING=1\nMONOTONIC_USEC=\(time)"
            case .stopping: "STOPPING=1"
            case .status(let words): "STATUS=\(words.split(separator: "\n").joined(separator: " "))"
            case .watchdog: "WATCHDOG=1"
            case .extend(let time): "EXTEND_TIMEOUT_USEC=\(time)"
            }
        }
    }

    private let path: String?
    /// How often systemd wants to hear ``Message/watchdog``, at least; `nil` when it does not, and for 0, which is
    /// no time (sd_watchdog_enabled(3)).
    let watchdogMicroseconds: UInt64?

    /// - Parameter environment: `WATCHDOG_PID`, where it is set, names the process that is meant.
    init(environment: [String: String], process: Int32 = getpid()) {
        // An abstract name begins with @ here, and with a zero in the address.
        self.path = environment["NOTIFY_SOCKET"].flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let isMeant = environment["WATCHDOG_PID"].map { $0 == "\(process)" } ?? true
        self.watchdogMicroseconds =
            self.path != nil && isMeant
            ? environment["WATCHDOG_USEC"].flatMap { UInt64($0) }.flatMap { $0 > 0 ? $0 : nil } : nil
    }

    /// Any thread; waits for nothing.
    func tell(_ message: Message) {
        guard let path, let (address, length) = Self.address(path) else { return }
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return }
        defer { close(socket) }
        let text = Array(message.text.utf8)
        withUnsafePointer(to: address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = sendto(socket, text, text.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL), address, length)
            }
        }
    }

    /// - Returns: `nil` for a path that is longer than an address takes.
    private static func address(_ path: String) -> (sockaddr_un, socklen_t)? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        let isAbstract = bytes.first == UInt8(ascii: "@")
        if isAbstract { bytes[0] = 0 }
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        return (address, socklen_t(offset + bytes.count + (isAbstract ? 0 : 1)))
    }
}
