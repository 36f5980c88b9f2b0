import DiskIO
import LogModel
import LogState
import SegmentFormat

/// Checks one segment file, frame by frame, and goes on behind damage where it can.
///
///     header | frame | frame | damage ... | frame | frame | zeros
///                            ^ reported, up to where the next whole frame begins
struct SegmentAudit {
    /// How the file is to be judged.
    struct Terms {
        var segment: SegmentID
        /// Length that the next segment's header names, if it is known.
        var expectedByteCount: Int?
        /// Below, everything was synced. `nil`: nobody knows.
        var syncedByteCount: Int?
    }

    let terms: Terms
    private var window: AuditWindow
    /// Ends behind the last frame that was passed.
    private(set) var chain: FrameChain
    /// `nil` where it is not known: behind damage, up to the next checkpoint.
    private(set) var state: LogState?
    private(set) var header: SegmentHeader?
    private(set) var frameCount = 0
    private(set) var recordCount = 0
    private(set) var findings: [AuditFinding] = []
    /// As the chain was before the first damage.
    private(set) var soundChain: FrameChain?
    private let progress: (Int) -> Void
    private var reported = 0

    /// Enough to see what is wrong; the rest is counted no more.
    private static let findingsMax = 1000

    /// - Parameters:
    ///   - chain: Ends with the segment before; `nil` trusts the segment's own header about that.
    ///   - state: After the segment before.
    ///   - progress: Gets the bytes read since it was last called.
    init(
        _ file: any File, byteCount: Int, terms: Terms, cluster: ClusterID?, chain: FrameChain?, state: LogState?,
        progress: @escaping (Int) -> Void
    ) {
        self.terms = terms
        self.window = AuditWindow(file, end: min(byteCount, terms.expectedByteCount ?? byteCount))
        self.chain = chain ?? FrameChain(empty: cluster ?? ClusterID(high: 0, low: 0))
        self.state = state
        self.progress = progress
        self.isTrusting = chain == nil
        self.trustedCluster = cluster
    }

    private let isTrusting: Bool
    private let trustedCluster: ClusterID?

    var offset: Int { Int(self.chain.tail.offset) }
    var end: Int { self.window.end }
    var isDamaged: Bool { self.soundChain != nil }

    // MARK: Walking

    /// The disk refuses what stands at ``offset``: nothing from there on is looked at.
    mutating func refused(_ error: DiskError) {
        let end = max(self.end, self.offset + 1)
        self.add(self.offset..<end, .refused(errno: error.errno.rawValue), before: self.chain, severity: .damage)
        self.report()
    }

    /// - Throws: What the disk refuses, ``offset`` being where.
    mutating func run() throws(DiskError) {
        guard try self.acceptHeader() else { return }
        while self.offset < self.end, self.findings.count < Self.findingsMax {
            try self.window.load(at: self.offset, count: FrameHeader.producerByteCount)
            if self.offset - self.reported > 16 << 20 { self.report() }
            let goesOn =
                switch self.walkWindow() {
                case .success(true): true
                case .success(false): try self.passZeros()
                case .failure(let defect): try self.passDefect(defect)
                }
            guard goesOn else { return }
        }
        self.report()
        self.checkEnd()
    }

    /// Passes all frames that are in memory.
    private mutating func walkWindow() -> Result<Bool, FrameDefect> {
        do throws(FrameDefect) {
            return .success(try self.passFrames())
        } catch {
            return .failure(error)
        }
    }

    /// - Returns: `false` at zeros.
    private mutating func passFrames() throws(FrameDefect) -> Bool {
        // The same storage, held apart from the chain that changes meanwhile.
        let bytes = self.window.bytes
        let span = bytes.span.bytes
        let start = self.window.start
        let limit = self.window.limit
        while self.offset < limit {
            let before = self.chain
            let rest = span.extracting(droppingFirst: self.offset - start)
            if rest.byteCount < FrameHeader.byteCount, limit == self.end {
                // Less than a header is left: zeros end the data, anything else is a torn frame.
                guard rest.isAllZero else {
                    throw .format(.truncated(needed: FrameHeader.byteCount, available: rest.byteCount))
                }
                return false
            }
            guard let header = try self.chain.accept(rest) else { return false }
            self.frameCount += 1
            self.recordCount += Int(header.recordCount)
            self.check(header, rest.extracting(header.headerByteCount..<Int(header.length)), before: before)
        }
        return true
    }

    /// What the checksums do not tell.
    private mutating func check(_ header: FrameHeader, _ payload: RawSpan, before: FrameChain) {
        let position = before.tail
        let range = Int(position.offset)..<Int(position.offset) + Int(header.length)
        if header.kind == .records {
            do throws(FormatError) {
                try RecordReader.verify(payload, of: header)
            } catch {
                self.note(range, .records(error), before: before)
            }
            // Nothing that the state knows changes with it.
            if header.producer == nil, self.state?.terms.starts.last?.term == header.term { return }
        }
        let bytes = payload.withUnsafeBytes { Array($0) }
        if self.state == nil, header.kind == .checkpoint { self.state = try? LogState(decoding: bytes[...]) }
        guard let last = self.state?.terms.starts.last else {
            self.apply(header, bytes, before: before, range)
            return
        }
        // A state that is ahead of its own log was never computed from it.
        guard last.term <= header.term, last.term == header.term || last.position < position else {
            self.note(range, .state(.checkpointDiffers), before: before)
            self.state = nil
            return
        }
        self.apply(header, bytes, before: before, range)
    }

    private mutating func apply(_ header: FrameHeader, _ bytes: [UInt8], before: FrameChain, _ range: Range<Int>) {
        guard var state = self.state else { return }
        self.state = nil
        do throws(LogStateError) {
            _ = try state.apply(header, payload: bytes[...], at: before.tail)
            self.state = state
        } catch {
            self.note(range, .state(error), before: before)
        }
    }

    private mutating func report() {
        self.progress(self.offset - self.reported)
        self.reported = self.offset
    }
}

extension SegmentAudit {
    // MARK: The header

    private mutating func acceptHeader() throws(DiskError) -> Bool {
        try self.window.load(at: 0, count: SegmentHeader.byteCount)
        let bytes = self.window.bytes
        if self.isTrusting { self.trust(bytes) }
        do throws(FrameDefect) {
            self.header = try self.chain.acceptSegmentHeader(bytes.span.bytes)
            return true
        } catch {
            return self.passHeader(error, bytes)
        }
    }

    /// Goes on behind a header that does not continue the segments before, or does not say anything at all.
    private mutating func passHeader(_ defect: FrameDefect, _ bytes: [UInt8]) -> Bool {
        let range = 0..<min(SegmentHeader.byteCount, bytes.count)
        let fault: AuditFault =
            if bytes.isEmpty {
                .short(expected: SegmentHeader.byteCount)
            } else {
                bytes.allSatisfy { $0 == 0 } ? .zeros : .frame(defect)
            }
        self.add(range, fault, before: self.chain)
        self.state = nil
        if let header = try? SegmentHeader.decode(bytes.span.bytes), header.segment == self.terms.segment {
            self.header = header
            self.trust(bytes)
            return (try? self.chain.acceptSegmentHeader(bytes.span.bytes)) != nil
        }
        // The frames behind it may be whole: the first one says by itself where it stands.
        guard bytes.count >= SegmentHeader.byteCount, self.isBelowSynced(0) else { return false }
        self.chain.tail = Position(segment: self.terms.segment, offset: UInt32(SegmentHeader.byteCount))
        return (try? self.resume(from: SegmentHeader.byteCount)) == true
    }

    private mutating func trust(_ bytes: [UInt8]) {
        guard let header = try? SegmentHeader.decode(bytes.span.bytes) else { return }
        let cluster = self.trustedCluster ?? header.cluster
        guard header.segment > .first else {
            self.chain = FrameChain(empty: cluster)
            return
        }
        self.chain = FrameChain(
            cluster: cluster, tail: Position(header.segment.rawValue - 1, header.previousLength),
            previousChecksum: header.previousChecksum, nextIndex: header.firstIndex, term: .zero, timestamp: .zero)
    }

    // MARK: What is wrong

    private func isBelowSynced(_ offset: Int) -> Bool { offset < self.terms.syncedByteCount ?? 0 }

    private func severity(at offset: Int) -> AuditFinding.Severity {
        if self.terms.syncedByteCount == nil { return .unclear }
        return self.isBelowSynced(offset) ? .damage : .tail
    }

    /// A frame that is whole, and wrong.
    private mutating func note(_ range: Range<Int>, _ fault: AuditFault, before: FrameChain) {
        self.add(range, fault, before: before, severity: .damage)
    }

    private mutating func add(
        _ range: Range<Int>, _ fault: AuditFault, before: FrameChain, severity: AuditFinding.Severity? = nil,
        lost: Range<LogIndex>? = nil
    ) {
        let severity = severity ?? self.severity(at: range.lowerBound)
        if severity != .tail, self.soundChain == nil { self.soundChain = before }
        self.findings.append(
            AuditFinding(self.terms.segment.fileName, range, fault, severity, lostRecords: lost))
    }

    /// Zeros at ``offset``: the end of the data, or a hole in it.
    ///
    /// - Returns: Whether there is something behind the hole to go on with.
    private mutating func passZeros() throws(DiskError) -> Bool {
        let begin = self.offset
        let end = try self.window.endOfNonZero(from: begin)
        if end == begin {
            self.report()
            self.checkEnd()
            return false
        }
        return try self.pass(.zeros, through: end)
    }

    private mutating func passDefect(_ defect: FrameDefect) throws(DiskError) -> Bool {
        if case .format(.truncated(let needed, _)) = defect, self.offset + needed <= self.end {
            // It goes on behind what is in memory.
            if needed > self.window.limit - self.offset {
                try self.window.load(at: self.offset, count: needed)
                return true
            }
        }
        if case .payloadChecksum = defect, self.isBelowSynced(self.offset), try self.passPayload(defect) { return true }
        return try self.pass(.frame(defect), through: try self.window.endOfNonZero(from: self.offset))
    }

    /// The header is whole, so it is known where the next frame begins.
    private mutating func passPayload(_ defect: FrameDefect) throws(DiskError) -> Bool {
        let bytes = self.window.bytes
        let rest = bytes.span.bytes.extracting(droppingFirst: self.offset - self.window.start)
        guard let header = try? FrameHeader.decode(rest) else { return false }
        let before = self.chain
        let lost = header.recordCount > 0 ? header.firstIndex..<header.nextIndex : nil
        guard (try? self.chain.accept(header: header)) != nil else { return false }
        self.add(
            Int(before.tail.offset)..<self.offset, .frame(defect), before: before, severity: .damage, lost: lost)
        if header.kind != .records || header.producer != nil { self.state = nil }
        return true
    }

    /// Reports what is wrong from ``offset`` on; below what was synced, up to the next whole frame.
    private mutating func pass(_ fault: AuditFault, through endOfData: Int) throws(DiskError) -> Bool {
        let before = self.chain
        let begin = self.offset
        self.state = nil
        if self.isBelowSynced(begin), try self.resume(from: begin + 1) {
            let lost = before.nextIndex < self.chain.nextIndex ? before.nextIndex..<self.chain.nextIndex : nil
            self.add(begin..<self.offset, fault, before: before, severity: .damage, lost: lost)
            return true
        }
        self.chain = before
        let end = max(endOfData, self.isBelowSynced(begin) ? min(self.terms.syncedByteCount ?? 0, self.end) : 0)
        self.add(begin..<max(end, begin + 1), fault, before: before)
        self.report()
        return false
    }

    /// Finds the next frame that is whole and can follow what was read, and puts the chain before it.
    private mutating func resume(from start: Int) throws(DiskError) -> Bool {
        var place = start
        while place + FrameHeader.byteCount <= self.end {
            try self.window.load(at: place, count: FrameHeader.producerByteCount)
            guard let found = self.nextHeader(from: place) else {
                let next = self.window.limit - FrameHeader.producerByteCount + 1
                place = max(place + 1, next)
                if self.window.limit == self.end { return false }
                continue
            }
            let (offset, header) = found
            try self.window.load(at: offset, count: Int(header.length))
            var chain = self.chain
            chain.tail = Position(segment: self.terms.segment, offset: UInt32(offset))
            chain.previousChecksum = header.previous
            chain.nextIndex = header.firstIndex
            chain.term = header.term
            var next = chain
            let bytes = self.window.bytes
            let rest = bytes.span.bytes.extracting(droppingFirst: offset - self.window.start)
            if (try? next.accept(rest)) != nil {
                self.chain = chain
                return true
            }
            place = offset + 1
        }
        return false
    }

    /// The first header in memory that could continue the log; cheap looks first.
    private func nextHeader(from place: Int) -> (offset: Int, header: FrameHeader)? {
        let bytes = self.window.bytes
        let span = bytes.span.bytes
        var at = place - self.window.start
        while at + FrameHeader.byteCount <= span.byteCount {
            let length = span.load(UInt32.self, at: at)
            if length >= FrameHeader.byteCount, length <= FormatLimits.frameByteCountMax,
                span.load(UInt16.self, at: at + 18) == 0, span.load(UInt32.self, at: at + 52) == 0,
                let header = try? FrameHeader.decode(span.extracting(droppingFirst: at)),
                header.firstIndex >= self.chain.nextIndex, header.term >= self.chain.term,
                header.timestamp >= self.chain.timestamp
            {
                return (self.window.start + at, header)
            }
            at += 1
        }
        return nil
    }

    /// The data has ended: is it where it must?
    private mutating func checkEnd() {
        if let expected = self.terms.expectedByteCount, self.isBelowSynced(expected - 1), self.offset < expected {
            self.add(
                self.offset..<expected, self.offset < self.end ? .zeros : .short(expected: expected), before: self.chain
            )
        } else if self.terms.expectedByteCount == nil, let synced = self.terms.syncedByteCount, self.offset < synced,
            synced < Int.max
        {
            self.add(
                self.offset..<synced, self.offset < self.end ? .zeros : .short(expected: synced), before: self.chain)
        }
    }
}

extension RawSpan {
    fileprivate var isAllZero: Bool {
        for offset in self.byteOffsets where self.load(UInt8.self, at: offset) != 0 { return false }
        return true
    }
}
