import Foundation
import HoldfastClient
import HoldfastNode
import LogModel

/// Where a read begins or ends, as people say it.
enum ReadBound: Hashable, Sendable {
    case start(HoldfastClient.Start)
    case time(Timestamp)

    static let forms = "first, tail, an index from 1, -N for the last N, or @TIME"
    /// How times are written, for help.
    static let times = "@2026-11-27T22:00:00Z (UTC; less of it is enough) or @-10m, so long ago"

    /// - Parameter now: What `@-10m` counts from.
    /// - Returns: `nil` when it is none of the forms.
    init?(_ text: String, now: Date = Date()) {
        switch text {
        case "first": self = .start(.first)
        case "tail": self = .start(.tail)
        default:
            if text.hasPrefix("@") {
                guard let time = Self.time(String(text.dropFirst()), now: now) else { return nil }
                self = .time(time)
            } else if text.hasPrefix("-") {
                guard let count = Int(text.dropFirst()), count > 0 else { return nil }
                self = .start(.last(count))
            } else {
                guard let index = UInt64(text), index > 0 else { return nil }
                self = .start(.index(LogIndex(index)))
            }
        }
    }

    private static func time(_ text: String, now: Date) -> Timestamp? {
        guard text.hasPrefix("-") else { return RFC3339.moment(text) }
        guard let milliseconds = Units.milliseconds(String(text.dropFirst())) else { return nil }
        let seconds = max(0, now.timeIntervalSince1970 - Double(milliseconds) / 1000)
        return Timestamp(nanoseconds: UInt64(seconds * 1e9))
    }

    /// What a page can be asked from; a time is looked up.
    func start(_ pages: PageSource) async throws(ClientError) -> HoldfastClient.Start {
        switch self {
        case .start(let start): start
        case .time(let time): .index(try await pages.index(at: time))
        }
    }

    /// The first index that is not wanted any more, as the log stands now.
    func end(_ pages: PageSource) async throws(ClientError) -> LogIndex {
        switch self {
        case .start(.index(let index)): return index
        case .time(let time): return try await pages.index(at: time)
        case .start(let start):
            let page = try await pages.page(from: .tail, limit: 1)
            return switch start {
            case .first: page.firstIndex
            case .last(let count):
                LogIndex(max(page.firstIndex.rawValue, page.next.rawValue - min(page.next.rawValue, UInt64(count))))
            case .tail, .index: page.next
            }
        }
    }
}
