import Dispatch
import Glibc
import LogModel
import SegmentLog

/// A process to be killed: appends to a log and tells, unbuffered on stdout, what was acknowledged.
///
///     log-workload DIRECTORY always|batch|os WRITERS append      until somebody ends it
///     log-workload DIRECTORY always|batch|os WRITERS close       the same; closes the log when it reads a byte
///
/// One line for each event. All lines are of 64 bytes, so that none lies across two pages: between these a kill ends a
/// write, and would leave half a line.
///
///     opened  next index
///     acked   index   checksum of the value
///     refused errno or 0
///     closed
@main struct LogWorkload {
    /// Small, so that a run rotates.
    static let segmentByteCountMax = 1 << 20
    private static let lineByteCount = 64

    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let policy = Self.policy(arguments[2]), let writers = Int(arguments[3]) else {
            exit(64)
        }
        // Should nobody be left to end it.
        alarm(30)
        let configuration = LogConfiguration(
            directory: .init(arguments[1]), policy: policy, segmentByteCountMax: Self.segmentByteCountMax)
        do throws(LogError) {
            let log = try await SegmentLog.open(configuration).log
            Self.tell("opened", log.nextIndex.rawValue)
            let writing = Task { await Self.write(log, writers: writers) }
            if arguments[4] == "close" {
                await Self.awaitByte()
                try await log.close()
                Self.tell("closed")
            }
            await writing.value
        } catch {
            Self.tell("refused", Self.number(of: error))
            exit(1)
        }
    }

    private static func policy(_ name: String) -> FsyncPolicy? {
        switch name {
        case "always": .always
        case "batch": .batch(windowMilliseconds: 2)
        case "os": .os
        default: nil
        }
    }

    /// Single records and batches, of 0 to some thousand bytes, until the log refuses.
    private static func write(_ log: SegmentLog, writers: Int) async {
        await withTaskGroup { group in
            for _ in 0..<writers {
                group.addTask {
                    var random = SystemRandomNumberGenerator()
                    do throws(LogError) {
                        while true {
                            let values = (0..<(random.next() % 4 == 0 ? 8 : 1)).map { _ in Self.value(&random) }
                            let appended = try await log.append(contentsOf: values.map { Record(value: $0) })
                            for (offset, value) in values.enumerated() {
                                Self.tell("acked", appended.first.rawValue + UInt64(offset), Self.checksum(value))
                            }
                            // Under `batch` and `os` an append does not suspend.
                            await Task.yield()
                        }
                    } catch {
                        Self.tell("refused", Self.number(of: error))
                    }
                }
            }
        }
    }

    private static func value(_ random: inout SystemRandomNumberGenerator) -> Bytes {
        let word = random.next()
        let count = word % 64 == 0 ? Int(word >> 48) % 20_000 : Int(word >> 48) % 300
        return Bytes((0..<count).map { UInt8(truncatingIfNeeded: Int(truncatingIfNeeded: word) &+ $0) })
    }

    /// FNV-1a: another one than the log's own.
    static func checksum(_ value: Bytes) -> UInt64 {
        value.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }

    private static func number(of error: LogError) -> UInt64 {
        if case .storage(let failure) = error { UInt64(failure.errno) } else { 0 }
    }

    /// On a thread that may block.
    private static func awaitByte() async {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "stdin").async {
                var byte: UInt8 = 0
                _ = read(STDIN_FILENO, &byte, 1)
                continuation.resume()
            }
        }
    }

    /// One write of one whole line: an append-only file takes it whole.
    private static func tell(_ event: String, _ first: UInt64 = 0, _ second: UInt64 = 0) {
        let text = "\(event) \(first) \(String(second, radix: 16))"
        let line =
            Array(text.utf8) + [UInt8](repeating: UInt8(ascii: " "), count: Self.lineByteCount - 1 - text.utf8.count)
            + [10]
        _ = Glibc.write(STDOUT_FILENO, line, line.count)
    }
}
