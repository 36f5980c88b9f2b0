import LogModel
import NIOCore

/// Committed records in order, and where to go on.
public struct RecordPage: Hashable, Sendable {
    public var records: [IndexedRecord]
    /// Where the next page begins.
    public var next: LogIndex
    /// Nothing is committed beyond this page.
    public var isUpToDate: Bool
    public var firstIndex: LogIndex
    public var lastIndex: LogIndex

    package init(_ records: [IndexedRecord], _ end: PageEnd) {
        self.records = records
        self.next = end.next
        self.isUpToDate = end.isUpToDate
        self.firstIndex = end.firstIndex
        self.lastIndex = end.lastIndex
    }

    /// - Returns: `nil` for what is not records and their end, the whole of it.
    package init?(frames: ByteBuffer) {
        var rest = frames
        var records: [IndexedRecord] = []
        while let frame = try? RecordFrame.next(from: &rest) {
            switch frame {
            case .record(let record): records.append(record)
            case .failed: return nil
            case .end(let end):
                guard rest.readableBytes == 0 else { return nil }
                self.init(records, end)
                return
            }
        }
        return nil
    }
}

/// What stands behind the records of a page, and of a stream that has come to its end.
package struct PageEnd: Hashable, Sendable {
    /// Where the next page begins.
    package var next: LogIndex
    /// Nothing was committed beyond.
    package var isUpToDate: Bool
    package var firstIndex: LogIndex
    package var lastIndex: LogIndex

    package init(next: LogIndex, isUpToDate: Bool, firstIndex: LogIndex, lastIndex: LogIndex) {
        self.next = next
        self.isUpToDate = isUpToDate
        self.firstIndex = firstIndex
        self.lastIndex = lastIndex
    }
}
