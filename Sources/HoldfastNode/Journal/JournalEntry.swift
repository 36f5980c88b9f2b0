import HoldfastClient
import LogModel
import Logging

/// One entry of the journal, which is always one line: time, level, node, message, then the fields of ``JournalKey``.
struct JournalEntry: Sendable {
    var time: Timestamp
    var level: Logger.Level
    var node: String
    var message: String
    var fields: [JournalKey: String]

    /// What a value and a message are cut to: the whole line is read by people, and kept by whoever collects it.
    static let valueByteCountMax = 1_024

    init(time: Timestamp, level: Logger.Level, message: String, metadata: Logger.Metadata, error: (any Error)?) {
        self.time = time
        self.level = level
        self.node = metadata["node"].map { "\($0)" } ?? ""
        self.message = Self.cut(message)
        self.fields = [:]
        for key in JournalKey.allCases {
            if let value = metadata[key.rawValue] { self.fields[key] = Self.cut("\(value)") }
        }
        if let error, self.fields[.error] == nil { self.fields[.error] = Self.cut("\(error)") }
    }

    /// With its line end.
    func line(_ format: JournalFormat) -> [UInt8] {
        switch format {
        case .logfmt: self.logfmt
        case .json: self.json
        }
    }

    /// Milliseconds are enough for people, and for putting the entries of several nodes in order.
    private var timeText: String { "\(RFC3339.text(self.time).prefix(23))Z" }

    private var logfmt: [UInt8] {
        var line = [UInt8]("time=\(self.timeText) level=\(self.level.rawValue)".utf8)
        if !self.node.isEmpty { Self.append("node", self.node, to: &line) }
        Self.append("message", self.message, to: &line)
        for key in JournalKey.allCases {
            if let value = self.fields[key] { Self.append(key.rawValue, value, to: &line) }
        }
        line.append(UInt8(ascii: "\n"))
        return line
    }

    private var json: [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("time", self.timeText)
            $0.member("level", self.level.rawValue)
            if let node = UInt64(self.node) { $0.member("node", node) }
            $0.member("message", self.message)
            for key in JournalKey.allCases {
                guard let value = self.fields[key] else { continue }
                $0.name(quoting: key.rawValue)
                if key.isNumber, let number = UInt64(value) { $0.number(number) } else { $0.string(value) }
            }
        }
        writer.endLine()
        return writer.bytes
    }

    private static func append(_ name: String, _ value: String, to line: inout [UInt8]) {
        line.append(UInt8(ascii: " "))
        line.append(contentsOf: name.utf8)
        line.append(UInt8(ascii: "="))
        let isPlain = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3D && $0 != 0x7F }
        guard !isPlain else { return line.append(contentsOf: value.utf8) }
        // As JSON quotes it: no line end, and nothing that a terminal would obey, stands in it as such.
        var writer = JSONWriter()
        writer.string(value)
        line.append(contentsOf: writer.bytes)
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > Self.valueByteCountMax else { return text }
        return String(decoding: text.utf8.prefix(Self.valueByteCountMax - 4), as: UTF8.self) + " ..."
    }
}
