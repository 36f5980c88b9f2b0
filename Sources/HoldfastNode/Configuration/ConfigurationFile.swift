import Access
import Foundation
import Yams

/// A YAML file taken apart: what it says of each key, on which line, and all that is wrong with it.
///
///     fsync:               section, from its indentation
///       policy: batch      fsync.policy, one value
///     peers:               peers, a list
///       - 1=...
///
/// Lines are why the file is not left to swift-configuration's own reader: an error, and `holdfast config print`, say where
/// a value stands.
struct ConfigurationFile: Sendable {
    enum Content: Hashable, Sendable {
        case value(String)
        case list([String])
    }

    struct Said: Hashable, Sendable {
        var content: Content
        var line: Int
        /// Of each value of a list.
        var itemLines: [Int] = []
    }

    let path: String
    private(set) var said: [ConfigurationKey: Said] = [:]
    private(set) var problems: [ConfigurationError] = []

    /// Reads a file, 64 KiB at most.
    init(path: String) {
        self.path = path
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            data = try handle.read(upToCount: NodeLimits.configurationByteCountMax + 1) ?? Data()
        } catch {
            self.problems = [.unreadableFile(path: path, reason: SystemReason(error).description)]
            return
        }
        guard data.count <= NodeLimits.configurationByteCountMax else {
            let limit = Units.spelled(byteCount: UInt64(NodeLimits.configurationByteCountMax))
            self.problems = [.unreadableFile(path: path, reason: "it is larger than \(limit)")]
            return
        }
        guard let text = String(data: data, encoding: .utf8) else {
            self.problems = [.unreadableFile(path: path, reason: "it is not UTF-8 text")]
            return
        }
        self.take(text)
    }

    private mutating func take(_ text: String) {
        // Each can double what a key says, and the parser compares keys.
        guard text.matches(of: #/(?:^|[\s\[{,:?-])\*[^\s*]/#).count <= NodeLimits.configurationAliasCountMax else {
            self.problems = [.malformedFile(path: self.path, line: 1, reason: "there are too many aliases")]
            return
        }
        do {
            guard let root = try Yams.Parser(yaml: text).singleRoot(), !root.isNothing else { return }
            guard let mapping = root.mapping else {
                let line = root.mark?.line ?? 1
                self.problems = [.malformedFile(path: self.path, line: line, reason: "keys are expected, key: value")]
                return
            }
            self.walk(mapping)
        } catch {
            self.problems = [
                (error as? YamlError)?.problem(self.path) ?? .unreadableFile(path: path, reason: "\(error)")
            ]
        }
    }

    /// Section by section, without recursion; aliases can make a small file say very much.
    private mutating func walk(_ root: Yams.Node.Mapping) {
        var sections: [(name: String, mapping: Yams.Node.Mapping)] = [("", root)]
        var count = 0
        while let (section, mapping) = sections.popLast() {
            for (key, value) in mapping {
                let line = key.mark?.line ?? 1
                count += 1
                guard count <= NodeLimits.configurationEntryCountMax, let word = key.string else {
                    let reason = key.string == nil ? "a key must be a word" : "there are too many keys"
                    self.problems.append(.malformedFile(path: self.path, line: line, reason: reason))
                    return
                }
                let name = section.isEmpty ? word : "\(section).\(word)"
                if let inner = value.mapping { sections.append((name, inner)) } else { self.take(name, value, line) }
            }
        }
        self.problems.sort { $0.line < $1.line }
    }

    private mutating func take(_ name: String, _ value: Yams.Node, _ line: Int) {
        let origin = ConfigurationOrigin.file(self.path, line: line)
        guard let key = ConfigurationKey(rawValue: name) else {
            guard ConfigurationKey.keys(under: name).isEmpty else {
                // All that stood in it may be commented out.
                if !value.isNothing { self.problems.append(.section(name, origin: origin)) }
                return
            }
            let suggestion = ConfigurationKey.closest(to: name)
            self.problems.append(.unknownKey(name, origin: origin, suggestion: suggestion))
            return
        }
        guard self.said[key] == nil else { return self.problems.append(.saidTwice(key, origin: origin)) }
        guard !value.isNothing else { return self.problems.append(.noValue(key, origin: origin)) }
        if let items = value.sequence {
            guard key.entry.kind == .peers else {
                return self.problems.append(.unexpectedList(key, origin: origin))
            }
            let scalars = items.compactMap(\.scalar)
            guard scalars.count == items.count, !scalars.isEmpty else {
                return self.problems.append(.expectedList(key, origin: origin))
            }
            self.said[key] = Said(
                content: .list(scalars.map(\.string)), line: line, itemLines: scalars.map { $0.mark?.line ?? line })
        } else if let scalar = value.scalar {
            guard key.entry.kind != .peers else { return self.problems.append(.expectedList(key, origin: origin)) }
            self.said[key] = Said(content: .value(scalar.string), line: line)
        }
    }
}

extension Yams.Node {
    /// `key:` without a value, or with `null`.
    fileprivate var isNothing: Bool { self.null != nil && self.scalar?.style == .plain }
}

extension ConfigurationError {
    /// Where it stands in the file.
    fileprivate var line: Int {
        switch self {
        case .unknownKey(_, .file(_, let line), _), .saidTwice(_, .file(_, let line)), .section(_, .file(_, let line)),
            .noValue(_, .file(_, let line)), .unexpectedList(_, .file(_, let line)),
            .expectedList(_, .file(_, let line)), .malformedFile(_, let line, _):
            line
        default: 0
        }
    }
}

extension YamlError {
    fileprivate func problem(_ path: String) -> ConfigurationError {
        switch self {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            let isTab = problem.contains("cannot start any token") || problem.contains("tab")
            return .malformedFile(
                path: path, line: mark.line, reason: problem + (isTab ? " (is it indented with a tab?)" : ""))
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.joined(separator: ", ")
            return .malformedFile(
                path: path, line: context.mark.line, reason: "one section has a key twice: \(names)")
        case .reader(let problem, _, _, _): return .unreadableFile(path: path, reason: problem)
        default: return .unreadableFile(path: path, reason: "\(self)")
        }
    }
}
