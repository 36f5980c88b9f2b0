import LogModel
import SegmentLog

/// Clients that each append one batch at a time to one log, through the library's public API.
struct LogAppendCell: LogBenchCell {
    /// What all cells of a table share.
    struct Settings: Sendable {
        var size: Int
        var batch: Int
        var milliseconds: UInt64
        var segmentByteCount: Int
        var latency: LatencyMode
    }

    let fsync: FsyncPolicy
    let clients: Int
    let settings: Settings

    var work: String { "append" }
    var policy: String { self.fsync.name }
    var size: Int { self.settings.size }

    func run(in directory: String) async throws -> LogBenchRun {
        let (log, _) = try await SegmentLog.open(
            LogConfiguration(
                directory: .init("\(directory)/log"), policy: self.fsync,
                segmentByteCountMax: self.settings.segmentByteCount))
        // What they append is made before the clock is looked at: megabytes take a while.
        var total = Client(batch: self.settings.batch, size: self.settings.size)
        let template = total
        let began = MonotonicClock.now
        let deadline = began + self.settings.milliseconds * 1_000_000
        if self.clients == 1 {
            try await total.run(on: log, until: deadline, interval: self.interval, isAlone: true)
        } else {
            try await withThrowingTaskGroup(of: Client.self) { group in
                for _ in 0..<self.clients {
                    group.addTask {
                        var client = template
                        try await client.run(on: log, until: deadline, interval: self.interval, isAlone: false)
                        return client
                    }
                }
                for try await client in group {
                    total.appendCount += client.appendCount
                    total.latencies.add(client.latencies)
                }
            }
        }
        let seconds = Double(MonotonicClock.now - began) / 1e9
        try await log.close()
        let recordCount = total.appendCount * self.settings.batch
        return LogBenchRun(
            recordCount: recordCount, byteCount: recordCount * self.size, seconds: seconds,
            latency: total.latencies.summary)
    }

    private var interval: Int { self.settings.latency.interval(of: self.fsync) }

    /// One caller, with what it counted.
    private struct Client: Sendable {
        let records: [Record]
        var appendCount = 0
        var latencies = LatencyRecorder()

        init(batch: Int, size: Int) {
            self.records = [Record](repeating: Record(value: BenchBytes.value(size)), count: batch)
        }

        /// Appends until the time is over, and looks at the clock once in `interval` appends.
        ///
        /// - Parameter isAlone: Otherwise it lets others run now and then: under `os` an append never suspends.
        mutating func run(
            on log: SegmentLog, until deadline: UInt64, interval: Int, isAlone: Bool
        ) async throws {
            while true {
                let began = MonotonicClock.now
                guard began < deadline else { return }
                try await self.append(to: log)
                self.latencies.record(MonotonicClock.now - began)
                for _ in 1..<interval { try await self.append(to: log) }
                self.appendCount += interval
                if interval > 1, !isAlone { await Task.yield() }
            }
        }

        @inline(__always)
        private func append(to log: SegmentLog) async throws {
            if self.records.count == 1 {
                try await log.append(self.records[0])
            } else {
                try await log.append(contentsOf: self.records)
            }
        }
    }
}

/// Values that look like text: neither zeros nor random.
enum BenchBytes {
    static func value(_ count: Int) -> Bytes {
        Bytes(
            (0..<count).map { (place: Int) -> UInt8 in
                let letter = (place * 31 + place / 7) % 94
                return UInt8(ascii: " ") + UInt8(letter)
            })
    }
}
