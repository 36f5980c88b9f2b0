import Glibc

/// Data to stdout; prose, progress and errors to stderr.
struct Console: Sendable {
    enum Colour: String, Sendable {
        case red = "31"
        case green = "32"
        case yellow = "33"
        case dim = "2"
        case bold = "1"
    }

    /// Whether prose is wanted.
    var isQuiet = false
    var hasColour = false

    /// Whether a person watches stderr: then progress may redraw its line.
    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }
    static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    func coloured(_ text: String, _ colour: Colour) -> String {
        self.hasColour ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// One line of data.
    func out(_ line: String) { Self.write(Array(line.utf8) + [UInt8(ascii: "\n")], to: STDOUT_FILENO) }

    func out(bytes: some Sequence<UInt8>) { Self.write(Array(bytes), to: STDOUT_FILENO) }

    /// One line of prose.
    func note(_ line: String) {
        guard !self.isQuiet else { return }
        Self.writeError(line + "\n")
    }

    /// Replaces the progress line, on a terminal only.
    func progress(_ line: String) {
        guard !self.isQuiet, Self.isErrorTerminal else { return }
        Self.writeError("\r\u{1B}[K" + line)
    }

    func endProgress() {
        guard !self.isQuiet, Self.isErrorTerminal else { return }
        Self.writeError("\r\u{1B}[K")
    }

    static func writeError(_ text: String) { self.write(Array(text.utf8), to: STDERR_FILENO) }

    /// Writes all of it. A reader that has left (`| head`) ends the process quietly, as other tools do.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR, errno != EAGAIN {
                let error = errno
                guard error != EPIPE else { exit(ExitStatus.done.rawValue) }
                // Of stderr itself nobody can be told.
                if descriptor != STDERR_FILENO {
                    self.writeError("holdfast: the output cannot be written: \(String(cString: strerror(error)))\n")
                }
                exit(ExitStatus.system.rawValue)
            }
        }
    }
}
