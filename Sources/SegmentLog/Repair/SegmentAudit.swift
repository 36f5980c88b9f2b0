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
    var window: AuditWindow
    /// Ends behind the last frame that was passed.
    var chain: FrameChain
    /// `nil` where it is not known: behind damage, up to the next checkpoint.
    var state: LogState?
    /// With which the segment begins.
    var checkpoint: LogState?
    var header: SegmentHeader?
    var frameCount = 0
    var recordCount = 0
    var findings: [AuditFinding] = []
    /// As the chain was before the first damage, or before what a later release has written.
    var soundChain: FrameChain?
    let progress: (Int) -> Void
    var reported = 0

    /// Enough to see what is wrong; the rest is counted no more.
    static let findingsMax = 1000

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

    let isTrusting: Bool
    let trustedCluster: ClusterID?

    var offset: Int { Int(self.chain.tail.offset) }
    var end: Int { self.window.end }
    /// What is known of the log ends here, though nothing says that it is damaged.
    var isLaterFormat: Bool { self.findings.laterFormat != nil }
    var isDamaged: Bool { self.soundChain != nil && !self.isLaterFormat }

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
    mutating func walkWindow() -> Result<Bool, FrameDefect> {
        do throws(FrameDefect) {
            return .success(try self.passFrames())
        } catch {
            return .failure(error)
        }
    }

    /// - Returns: `false` at zeros.
    mutating func passFrames() throws(FrameDefect) -> Bool {
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
    mutating func check(_ header: FrameHeader, _ payload: RawSpan, before: FrameChain) {
        let position = before.tail
        let range = Int(position.offset)..<Int(position.offset) + Int(header.length)
        if header.kind == .records {
            do throws(FormatError) {
                try RecordReader.verify(payload, of: header)
            } catch {
                self.note(range, .records(error), before: before)
            }
            // Nothing that the state knows changes with it.
            if header.label == nil, self.state?.terms.starts.last?.term == header.term { return }
        }
        let bytes = payload.withUnsafeBytes { Array($0) }
        if header.kind == .checkpoint { self.checkpoint = try? LogState(decoding: bytes[...]) }
        if self.state == nil, header.kind == .checkpoint { self.state = self.checkpoint }
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

    mutating func apply(_ header: FrameHeader, _ bytes: [UInt8], before: FrameChain, _ range: Range<Int>) {
        guard var state = self.state else { return }
        self.state = nil
        do throws(LogStateError) {
            _ = try state.apply(header, payload: bytes[...], at: before.tail)
            self.state = state
        } catch {
            self.note(range, .state(error), before: before)
        }
    }

    mutating func report() {
        self.progress(self.offset - self.reported)
        self.reported = self.offset
    }
}

extension SegmentAudit {
    // MARK: The header

    mutating func acceptHeader() throws(DiskError) -> Bool {
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

    /// Goes on behind a header that does not continue the segments before, or does not say anything at all. Behind one of a
    /// later format no frame could be read.
    mutating func passHeader(_ defect: FrameDefect, _ bytes: [UInt8]) -> Bool {
        let range = 0..<min(SegmentHeader.byteCount, bytes.count)
        guard defect.laterVersion == nil else {
            self.state = nil
            self.add(range, .frame(defect), before: self.chain, severity: .laterFormat)
            return false
        }
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

    mutating func trust(_ bytes: [UInt8]) {
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
}

extension RawSpan {
    fileprivate var isAllZero: Bool {
        for offset in self.byteOffsets where self.load(UInt8.self, at: offset) != 0 { return false }
        return true
    }
}
