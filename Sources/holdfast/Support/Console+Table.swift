import Glibc

/// Rows below a header, for people.
extension Console {
    /// Columns as wide as their widest cell; numbers to the right. Where a terminal is too narrow for that, a block for each
    /// row: its first cell, and below it a line for each other one.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { Self.width($0[column]) }.max() ?? 0 }
        if let terminalWidth, widths.reduce(0, +) + 2 * (widths.count - 1) > terminalWidth {
            return Self.blocks(header, rows)
        }
        return all.map { row in
            header.indices.map { column in
                let cell = row[column]
                let space = String(repeating: " ", count: widths[column] - Self.width(cell))
                let isNumber = rows.allSatisfy { $0[column].first.map { $0.isNumber || $0 == "-" } ?? true }
                return isNumber ? space + cell : cell + space
            }.joined(separator: "  ").trimmedEnd
        }.joined(separator: "\n")
    }

    private static func blocks(_ header: [String], _ rows: [[String]]) -> String {
        let width = header.dropFirst().map { Self.width($0) }.max() ?? 0
        return rows.map { row in
            let lines = zip(header, row).dropFirst().filter { !$1.isEmpty && $1 != "-" }.map { name, cell in
                "  \(name)\(String(repeating: " ", count: width - Self.width(name)))  \(cell)"
            }
            return (["\(header[0]) \(row[0])".trimmedEnd] + lines).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// Characters in a line of the terminal that stdout is; `nil` when it is none.
    private static var terminalWidth: Int? {
        var size = winsize()
        guard self.isOutputTerminal, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return nil
        }
        return Int(size.ws_col)
    }

    /// Characters on the screen: colours take none.
    private static func width(_ text: String) -> Int {
        var count = 0
        var isEscape = false
        for character in text {
            if character == "\u{1B}" { isEscape = true }
            if !isEscape { count += 1 }
            if isEscape, character == "m" { isEscape = false }
        }
        return count
    }
}

extension String {
    fileprivate var trimmedEnd: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
