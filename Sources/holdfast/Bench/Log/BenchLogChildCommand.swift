import ArgumentParser
import Foundation
import Glibc
import HoldfastClient
import LogModel
import SegmentLog
import Synchronization

/// What `bench log recover` has other processes do: fill a log and die, or open one and tell how that went.
struct BenchLogChildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "child", abstract: "Part of recover.", shouldDisplay: false)

    enum Action: String, ExpressibleByArgument {
        case fill
        case open
    }

    @Argument var action: Action
    @Argument var directory: String
    @Option var size = 100
    @Option var segmentSize = 128 << 20

    private var configuration: LogConfiguration {
        LogConfiguration(directory: .init(self.directory), policy: .os, segmentByteCountMax: self.segmentSize)
    }

    func run() async throws {
        switch self.action {
        case .fill: try await self.fill()
        case .open: try await self.open()
        }
    }

    /// Fills a segment but for a hundredth, and dies as after `kill -9`.
    private func fill() async throws {
        let (log, _) = try await SegmentLog.open(self.configuration)
        let record = Record(value: BenchBytes.value(self.size))
        while Int(try await log.append(record).end.offset) < self.segmentSize / 100 * 99 {}
        kill(getpid(), SIGKILL)
    }

    private func open() async throws {
        let watch = MemoryWatch()
        watch.start()
        let began = MonotonicClock.now
        let (log, report) = try await SegmentLog.open(self.configuration)
        let nanoseconds = MonotonicClock.now - began
        watch.sample()
        let opening = LogOpening(
            nanoseconds: nanoseconds, segmentCount: report.segmentCount,
            scannedFrameCount: report.scannedFrameCount, scannedByteCount: report.scannedByteCount,
            anonymousByteCountMax: watch.byteCountMax)
        try await log.close()
        Console().out(bytes: JSONDocument.encode(opening))
    }
}

/// The largest anonymous resident memory of this process, looked at every half millisecond.
final class MemoryWatch: Sendable {
    private let highest = Atomic<Int>(0)

    var byteCountMax: Int { self.highest.load(ordering: .relaxed) }

    /// For the rest of the process.
    func start() {
        Thread.detachNewThread { [self] in
            while true {
                self.sample()
                usleep(500)
            }
        }
    }

    func sample() { self.highest.max(Self.anonymousByteCount, ordering: .relaxed) }

    /// `RssAnon:      5308 kB` of /proc/self/status.
    private static var anonymousByteCount: Int {
        let descriptor = Glibc.open("/proc/self/status", O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
        }
        for line in bytes.split(separator: UInt8(ascii: "\n")) where line.starts(with: "RssAnon:".utf8) {
            let digits = line.filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            return (Int(String(decoding: digits, as: UTF8.self)) ?? 0) * 1024
        }
        return 0
    }
}
