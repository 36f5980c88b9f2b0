import DiskIO
import LogModel
import SegmentFormat

/// What is wrong, and how the audit goes on behind it.
extension SegmentAudit {
    func isBelowSynced(_ offset: Int) -> Bool { offset < self.terms.syncedByteCount ?? 0 }

    func severity(at offset: Int) -> AuditFinding.Severity {
        if self.terms.syncedByteCount == nil { return .unclear }
        return self.isBelowSynced(offset) ? .damage : .tail
    }

    /// A frame that is whole, and wrong.
    mutating func note(_ range: Range<Int>, _ fault: AuditFault, before: FrameChain) {
        self.add(range, fault, before: before, severity: .damage)
    }

    mutating func add(
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
    mutating func passZeros() throws(DiskError) -> Bool {
        let begin = self.offset
        let end = try self.window.endOfNonZero(from: begin)
        if end == begin {
            self.report()
            self.checkEnd()
            return false
        }
        return try self.pass(.zeros, through: end)
    }

    mutating func passDefect(_ defect: FrameDefect) throws(DiskError) -> Bool {
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
    mutating func passPayload(_ defect: FrameDefect) throws(DiskError) -> Bool {
        let bytes = self.window.bytes
        let rest = bytes.span.bytes.extracting(droppingFirst: self.offset - self.window.start)
        guard let header = try? FrameHeader.decode(rest) else { return false }
        let before = self.chain
        let lost = header.recordCount > 0 ? header.firstIndex..<header.nextIndex : nil
        guard (try? self.chain.accept(header: header)) != nil else { return false }
        self.add(
            Int(before.tail.offset)..<self.offset, .frame(defect), before: before, severity: .damage, lost: lost)
        if header.kind != .records || header.label != nil { self.state = nil }
        return true
    }

    /// Reports what is wrong from ``offset`` on; below what was synced, up to the next whole frame.
    mutating func pass(_ fault: AuditFault, through endOfData: Int) throws(DiskError) -> Bool {
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
    mutating func resume(from start: Int) throws(DiskError) -> Bool {
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
    func nextHeader(from place: Int) -> (offset: Int, header: FrameHeader)? {
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
    mutating func checkEnd() {
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
