import Glibc
import LogModel
import SegmentFormat

/// One byte of a segment file that is about to be flipped.
struct CorruptionPlace {
    struct Change {
        var before: UInt8
        var after: UInt8
    }

    /// One bit: the least that a disk can do, and nothing that a checksum lets pass.
    private static let bit: UInt8 = 0x10

    let path: String
    let name: String
    let offset: Int
    /// The frame that holds it, in words; `nil` outside of frames.
    let frame: String?

    /// - Parameters:
    ///   - segment: By default the newest sealed one, or the only one.
    ///   - offset: By default in the middle of what is there, among records if there are any.
    /// - Throws: `usage` when there is no such segment or byte.
    init(_ directory: String, segment: UInt32?, offset: Int?) throws(CommandFailure) {
        let names = Files.names(in: directory).filter { $0.hasSuffix(".wal") }
        guard let newest = names.suffix(2).first else {
            throw CommandFailure(.refused, "there is no segment in \(directory)", next: "start the node once")
        }
        let wanted = segment.map { SegmentID($0).fileName }
        guard names.contains(wanted ?? newest) else {
            throw CommandFailure(
                .usage, "there is no \(wanted ?? newest) in \(directory)",
                next: "the segments are \(names.first ?? newest) to \(names.last ?? newest)")
        }
        self.name = wanted ?? newest
        self.path = "\(directory)/\(self.name)"
        let frames = try Frames(self.path)
        if let offset {
            guard offset < frames.fileByteCount else {
                throw CommandFailure(
                    .usage, "\(self.path) has \(frames.fileByteCount) bytes, and none at \(offset)",
                    next: "its frames end at \(frames.end)")
            }
            self.offset = offset
            self.frame = try frames.last(through: offset) { offset < $0.end }?.words
        } else {
            let middle = frames.end / 2
            var chosen = try frames.last(through: middle) { $0.recordCount > 0 }
            if chosen == nil { chosen = try frames.last { _ in true } }
            self.offset = chosen?.middleOfPayload ?? middle
            self.frame = chosen?.words
        }
    }

    /// What stands there now; `nil` when nothing does.
    var byte: UInt8? {
        let descriptor = open(self.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var byte: UInt8 = 0
        return pread(descriptor, &byte, 1, off_t(self.offset)) == 1 ? byte : nil
    }

    /// Writes it, through to the disk.
    func flip() throws(CommandFailure) -> Change {
        let descriptor = open(self.path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw self.failure() }
        defer { close(descriptor) }
        var before: UInt8 = 0
        guard pread(descriptor, &before, 1, self.offset) == 1 else { throw self.failure() }
        var after = before ^ Self.bit
        guard pwrite(descriptor, &after, 1, self.offset) == 1, fsync(descriptor) == 0 else { throw self.failure() }
        return Change(before: before, after: after)
    }

    private func failure() -> CommandFailure {
        CommandFailure(.system, "\(self.path): \(String(cString: strerror(errno)))")
    }
}

extension CorruptionPlace {
    /// The frames of a file, as far as they are whole.
    private struct Frames {
        struct Frame {
            var offset: Int
            var header: FrameHeader

            var end: Int { self.offset + Int(self.header.length) }
            var recordCount: Int { Int(self.header.recordCount) }
            var middleOfPayload: Int { (self.offset + FrameHeader.producerByteCount + self.end) / 2 }

            var words: String {
                let first = self.header.firstIndex
                return switch self.recordCount {
                case 0: "the \(self.header.kind) frame at \(self.offset)"
                case 1: "the frame at \(self.offset) of record \(first)"
                default:
                    "the frame at \(self.offset) of records \(first) to \(first.advanced(by: UInt64(self.recordCount - 1)))"
                }
            }
        }

        let path: String
        let fileByteCount: Int
        /// Where they end.
        let end: Int

        init(_ path: String) throws(CommandFailure) {
            var walk = try SegmentWalk(path, after: nil)
            _ = try walk.run()
            self.path = path
            self.fileByteCount = walk.file.byteCount
            self.end = walk.offset
        }

        /// Of the frames that begin at `offset` or before; those behind it are not read.
        func last(through offset: Int = .max, where isWanted: (Frame) -> Bool) throws(CommandFailure) -> Frame? {
            var walk = try SegmentWalk(self.path, after: nil)
            var found: Frame?
            _ = try walk.run { frame in
                guard frame.offset <= offset else { return false }
                let frame = Frame(offset: frame.offset, header: frame.header)
                if isWanted(frame) { found = frame }
                return true
            }
            return found
        }
    }
}
