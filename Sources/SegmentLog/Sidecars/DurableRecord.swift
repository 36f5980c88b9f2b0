import DiskIO
import LogModel

/// What DURABLE says: the facts on which recovery tells an unsynced tail from damage.
///
/// One slot (see ``Slot``):
///
///     words 0-1 durable term | 2 durable segment | 3 durable offset | 4 commit segment | 5 commit offset
///     | 6 first segment | 7 last frame's offset | 8 its header checksum | 9 checksum of the state | 10 zero
///     flags: 1 = clean stop, 2 = word 9 counts, 4 = a sync is under way or failed
///            8 = no clean stop; words 7-10 are the run of the kernel that ``boot`` names
package struct DurableRecord: Hashable, Sendable {
    /// How the log ends after an orderly stop: with it, the next start takes up the tail without reading the segment.
    package struct CleanEnd: Hashable, Sendable {
        /// Where the last frame begins in its segment.
        package var lastFrameOffset: UInt32
        /// Of its header: tells that it is the same frame.
        package var lastFrameChecksum: UInt32
        /// CRC-32C of the log's own state at the tail, encoded: proves that a state put together from the last
        /// checkpoint is the right one. `nil` when the closer did not keep a state.
        package var stateChecksum: UInt32?

        package init(lastFrameOffset: UInt32, lastFrameChecksum: UInt32, stateChecksum: UInt32?) {
            self.lastFrameOffset = lastFrameOffset
            self.lastFrameChecksum = lastFrameChecksum
            self.stateChecksum = stateChecksum
        }
    }

    /// Everything below is synced on this node.
    package var durable: LogPoint
    /// The last commit position known here.
    package var commit: Position
    /// Segments below were trimmed.
    package var first: SegmentID
    /// The log was closed in an orderly way.
    package var isClean: Bool
    /// A sync was begun, and nobody knows that it succeeded: pages above ``durable`` may count as clean in the kernel's
    /// memory and never have reached the disk.
    package var isSyncOpen: Bool
    /// Stored only with ``isClean``.
    package var end: CleanEnd?
    /// The run of the kernel whose memory holds what is above ``durable`` and was vouched for all the same (policy `os`);
    /// stored only without ``isClean``.
    package var boot: BootIdentity?

    package init(
        durable: LogPoint, commit: Position, first: SegmentID, isClean: Bool, isSyncOpen: Bool = false,
        end: CleanEnd? = nil, boot: BootIdentity? = nil
    ) {
        self.durable = durable
        self.commit = commit
        self.first = first
        self.isClean = isClean
        self.isSyncOpen = isSyncOpen
        self.end = end
        self.boot = boot
    }

    static let blank = DurableRecord(durable: .zero, commit: .zero, first: .first, isClean: false)

    func slot(sequence: UInt64) -> Slot {
        let end = self.isClean ? self.end : nil
        let boot = self.isClean ? nil : self.boot
        let words =
            Slot.split(self.durable.term.rawValue)
            + [
                self.durable.position.segment.rawValue, self.durable.position.offset,
                self.commit.segment.rawValue, self.commit.offset, self.first.rawValue,
            ]
            + (boot.map { Slot.split($0.high) + Slot.split($0.low) } ?? [
                end?.lastFrameOffset ?? 0, end?.lastFrameChecksum ?? 0, end?.stateChecksum ?? 0, 0,
            ])
        let flags: UInt16 =
            (self.isClean ? 1 : 0) | (end?.stateChecksum == nil ? 0 : 2) | (self.isSyncOpen ? 4 : 0)
            | (boot == nil ? 0 : 8)
        return Slot(flags: flags, sequence: sequence, words: words)
    }

    init(_ slot: Slot) {
        let isClean = slot.flags & 1 != 0
        var end: CleanEnd?
        if isClean, slot.words[7] != 0 {
            end = CleanEnd(
                lastFrameOffset: slot.words[7], lastFrameChecksum: slot.words[8],
                stateChecksum: slot.flags & 2 != 0 ? slot.words[9] : nil)
        }
        self.init(
            durable: LogPoint(term: Term(slot.number(at: 0)), position: Position(slot.words[2], slot.words[3])),
            commit: Position(slot.words[4], slot.words[5]), first: SegmentID(slot.words[6]), isClean: isClean,
            isSyncOpen: slot.flags & 4 != 0, end: end,
            boot: slot.flags & 8 != 0 && !isClean
                ? BootIdentity(high: slot.number(at: 7), low: slot.number(at: 9)) : nil)
    }

    /// What the bytes of a DURABLE file say.
    ///
    /// - Parameter bytes: Of the whole file; what is missing counts as unreadable.
    /// - Returns: `nil` when both slots are bad.
    package init?(file bytes: [UInt8]) {
        guard let newest = Slot.newest(of: bytes, at: DurableFile.offsets, magic: DurableFile.magic) else { return nil }
        self.init(newest)
    }

    /// The two slots in the bytes of a DURABLE file with their sequences, `nil` for one that is bad.
    package static func slots(file bytes: [UInt8]) -> [(record: DurableRecord, sequence: UInt64)?] {
        Slot.slots(of: bytes, at: DurableFile.offsets, magic: DurableFile.magic)
            .map { $0.map { (DurableRecord($0), $0.sequence) } }
    }

    /// A DURABLE file that says this in both slots.
    package var fileBytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: DurableFile.byteCount)
        for (number, offset) in DurableFile.offsets.enumerated() {
            // The slot at the second offset is the one of odd numbers.
            let slot = self.slot(sequence: UInt64(2 + number)).encoded(magic: DurableFile.magic)
            bytes.replaceSubrange(offset..<(offset + Slot.byteCount), with: slot)
        }
        return bytes
    }
}
