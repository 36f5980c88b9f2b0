import LogModel

/// The records of frames that stand behind each other and were checked before; keys and values share their storage.
///
///     bytes   ... | header | record record record | header | record | ...
///                 | frame           ^ cursor      | next
///
/// One compressed frame at a time is inflated, when its first record is asked for.
package struct FrameRecords: Sendable {
    private let bytes: [UInt8]
    /// Position of offset 0 of ``bytes``.
    private let origin: Position
    /// Records below are passed over.
    private let firstIndex: LogIndex
    /// Where in ``bytes`` the next frame begins, and where the last one ends.
    private var next: Int
    private let end: Int

    /// Where in ``bytes`` the frame stands that is being read.
    package private(set) var frame = 0..<0
    private var term = Term.zero
    private var timestamp = Timestamp.zero
    /// Its records if they were compressed; else they are read where they stand in ``bytes``.
    private var inflated: [UInt8] = []
    private var isInflated = false
    /// Where its records stand in either.
    private var records = 0..<0
    private var cursor = 0
    /// Those that were not read yet, and the index of the first of them.
    private var remaining: UInt32 = 0
    private var index = LogIndex.first

    /// No records.
    package init() { self.init([], frames: 0..<0, origin: .zero, from: .first) }

    /// - Parameters:
    ///   - bytes: Checked with ``CheckedFrames``.
    ///   - frames: Whole frames of `bytes`.
    ///   - origin: The position of the first of `bytes`.
    ///   - firstIndex: Of the first record that is wanted.
    package init(_ bytes: [UInt8], frames: Range<Int>, origin: Position, from firstIndex: LogIndex) {
        self.bytes = bytes
        self.next = frames.lowerBound
        self.end = frames.upperBound
        self.origin = origin
        self.firstIndex = firstIndex
    }

    /// Of the frame that is being read.
    package var position: Position { self.origin.advanced(by: self.frame.lowerBound) }

    /// Gives the storage back to be filled again.
    package consuming func recycled() -> [UInt8] { self.bytes }

    /// - Returns: The next record; `nil` behind the last.
    /// - Throws: As ``RecordReader/next()``, about ``frame``. Reading on gives the same error.
    package mutating func nextRecord() throws(FormatError) -> IndexedRecord? {
        while true {
            guard self.remaining > 0 else {
                guard try self.enter() else { return nil }
                continue
            }
            let index = self.index
            let layout = try self.step()
            if index < self.firstIndex { continue }
            return IndexedRecord(
                index: index, position: self.position, term: self.term, timestamp: self.timestamp,
                record: self.isInflated ? layout.record(in: self.inflated) : layout.record(in: self.bytes))
        }
    }

    /// Reads the layout of the next record of the frame, in terms of the storage.
    private mutating func step() throws(FormatError) -> RecordLayout {
        let layout =
            self.isInflated
            ? try RecordLayout.decode(self.inflated.span.bytes, of: self.records, at: self.cursor)
            : try RecordLayout.decode(self.bytes.span.bytes, of: self.records, at: self.cursor)
        self.cursor = layout.end
        self.remaining -= 1
        self.index = self.index.advanced(by: 1)
        return layout
    }

    private func checkFrameEnd() throws(FormatError) {
        guard self.cursor == self.records.upperBound else {
            throw .trailingBytes(self.records.upperBound - self.cursor)
        }
    }

    /// Goes to the next frame with records that are wanted.
    private mutating func enter() throws(FormatError) -> Bool {
        try self.checkFrameEnd()
        while self.next < self.end {
            let header = Header(self.bytes, at: self.next)
            guard header.recordCount > 0, header.nextIndex > self.firstIndex else {
                self.next = header.end
                continue
            }
            self.frame = self.next..<header.end
            self.term = header.term
            self.timestamp = header.timestamp
            try self.enter(header.payload..<header.end, isCompressed: header.flags.contains(.compressed))
            self.cursor = self.records.lowerBound
            self.index = header.firstIndex
            self.remaining = header.recordCount
            self.next = header.end
            return true
        }
        return false
    }

    private mutating func enter(_ payload: Range<Int>, isCompressed: Bool) throws(FormatError) {
        if isCompressed {
            self.inflated = try CompressedRecords.inflate(self.bytes.span.bytes.extracting(payload))
            self.records = 0..<self.inflated.count
        } else {
            if self.isInflated { self.inflated = [] }
            self.records = payload
        }
        self.isInflated = isCompressed
    }

    /// What is needed of a frame's header, and no more.
    private struct Header {
        let flags: FrameFlags
        let term: Term
        let firstIndex: LogIndex
        let timestamp: Timestamp
        let recordCount: UInt32
        /// Offsets in the bytes.
        let payload: Int
        let end: Int

        init(_ bytes: [UInt8], at start: Int) {
            let header = bytes.span.bytes.extracting(droppingFirst: start)
            self.flags = FrameFlags(rawValue: header.load(UInt8.self, at: 17))
            self.term = Term(header.load(UInt64.self, at: 24))
            self.firstIndex = LogIndex(header.load(UInt64.self, at: 32))
            self.timestamp = Timestamp(nanoseconds: header.load(UInt64.self, at: 40))
            self.recordCount = header.load(UInt32.self, at: 48)
            self.payload =
                start + (self.flags.contains(.producer) ? FrameHeader.producerByteCount : FrameHeader.byteCount)
            self.end = start + Int(header.load(UInt32.self, at: 0))
        }

        var nextIndex: LogIndex { self.firstIndex.advanced(by: UInt64(self.recordCount)) }
    }
}

extension RecordLayout {
    /// The record that begins at `start`, in a payload that is `range` of `bytes`; offsets are those of `bytes`.
    fileprivate static func decode(
        _ bytes: RawSpan, of range: Range<Int>, at start: Int
    ) throws(FormatError) -> RecordLayout {
        let base = range.lowerBound
        var layout = try RecordLayout.decode(bytes.extracting(range), at: start - base)
        layout.keyStart += base
        layout.valueStart += base
        layout.end += base
        return layout
    }

    fileprivate func record(in bytes: [UInt8]) -> Record {
        Record(
            key: self.keyStart == self.valueStart ? [] : bytes[self.keyStart..<self.valueStart],
            value: bytes[self.valueStart..<self.end],
            isTombstone: self.isTombstone,
            timeToLiveMilliseconds: self.timeToLiveMilliseconds)
    }
}
