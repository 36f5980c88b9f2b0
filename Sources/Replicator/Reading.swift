import LogModel
import SegmentFormat
import SegmentLog

/// Where a read begins.
package enum ReadStart: Hashable, Sendable {
    case first
    /// After the last committed record.
    case tail
    case index(LogIndex)
    /// The newest so many records.
    case last(UInt64)

    /// - Parameters:
    ///   - first: Where the log begins.
    ///   - next: The index that the next committed record takes.
    func index(first: LogIndex, next: LogIndex) -> LogIndex {
        switch self {
        case .first: first
        case .tail: next
        case .index(let index): index
        case .last(let count): max(first, LogIndex(next.rawValue - min(count, next.rawValue)))
        }
    }
}

/// What a read may miss.
package enum ReadConsistency: String, Sendable {
    /// What this node knows to be committed.
    case committed
    /// Everything that was acknowledged before the read began: a follower asks the leader how far it must be.
    case linearizable
}

/// Some committed records, in order.
package struct ReadPage: Sendable {
    package var records: [IndexedRecord]
    /// Where the next read goes on.
    package var next: LogIndex
    package var isUpToDate: Bool
    package var firstIndex: LogIndex
    /// The index that the next committed record takes.
    package var nextIndex: LogIndex
    /// Kept while the records are, if they are large.
    package var seat: PageSeat?

    var isLarge: Bool {
        self.records.reduce(0) { $0 + $1.record.key.count + $1.record.value.count } >= PageSeat.pageByteCountMin
    }
}

/// Why a read was not answered.
package enum ReadFailure: Error, Hashable, Sendable {
    case trimmed(first: LogIndex)
    case notLeader
    /// This node has not committed what the reader knows of; `next` is the index that its next committed record takes.
    case behind(next: LogIndex)
    /// The node is forming, stopping, or lacks a quorum.
    case unavailable
    /// This node lost the end of its log, from here on, and is fetching it again: what may be there is not known here.
    case incomplete(next: LogIndex)
    /// What was asked for cannot be read on this node: not the same as absent.
    case damaged(String)
    /// No frame begins there.
    case noFrame(at: Position)
}

/// Reads committed records from the files. Blocking: for a pool's threads.
struct PageReader: Sendable {
    private static let windowByteCount = 256 << 10
    let store: LogStore

    func page(
        from start: LogIndex, limit: Int, byteCountMax: Int, through view: CommitWatch.View
    ) throws(ReadFailure) -> ReadPage {
        var page = ReadPage(
            records: [], next: min(start, view.nextIndex), isUpToDate: true, firstIndex: self.store.firstIndex,
            nextIndex: view.nextIndex)
        guard start < view.nextIndex else { return page }
        do {
            guard var from = try self.store.position(of: start) else {
                throw ReadFailure.damaged("no frame holds \(start)")
            }
            var byteCount = 0
            while from < view.position, page.records.count < limit, byteCount < byteCountMax {
                let window = min(Self.windowByteCount, max(4 << 10, byteCountMax))
                let range = try self.store.read(from: from, through: view.position, byteCountMax: window)
                guard !range.bytes.isEmpty else { break }
                try self.decode(range, from: start, limit: limit, byteCountMax: byteCountMax, into: &page, &byteCount)
                from = range.end
            }
        } catch let failure as ReadFailure {
            throw failure
        } catch LogError.trimmed {
            throw .trimmed(first: self.store.firstIndex)
        } catch {
            throw .damaged("\(error)")
        }
        page.isUpToDate = page.next >= view.nextIndex
        return page
    }

    private func decode(
        _ range: SegmentRange, from start: LogIndex, limit: Int, byteCountMax: Int, into page: inout ReadPage,
        _ byteCount: inout Int
    ) throws {
        var offset = range.position.offset == 0 ? SegmentHeader.byteCount : 0
        while offset < range.bytes.count {
            let at = range.bytes.startIndex + offset
            let rest = range.bytes[at...]
            guard let header = try FrameHeader.decode(rest.span.bytes) else { return }
            defer { offset += Int(header.length) }
            guard header.kind == .records else { continue }
            let payload = rest.prefix(Int(header.length)).dropFirst(header.headerByteCount)
            var reader = RecordReader(payload: payload, of: header)
            var index = header.firstIndex
            while let record = try reader.next() {
                defer { index = index.advanced(by: 1) }
                guard index >= start else { continue }
                guard page.records.count < limit, byteCount < byteCountMax else { return }
                page.records.append(
                    IndexedRecord(
                        index: index, position: range.position.advanced(by: offset), term: header.term,
                        timestamp: header.timestamp, record: record))
                byteCount += record.key.count + record.value.count
                page.next = index.advanced(by: 1)
            }
        }
    }
}
