import ArgumentParser

/// The log of `bench log growth` and `bench log recover` that is there before: a ``SparseLog``.
struct LargeLogOptions: ParsableArguments {
    @Option(help: "Bytes of the log that is there. (default: 10GiB)", transform: SizeArgument.parse)
    var logSize = SizeArgument(byteCount: 10 << 30)

    @Option(help: "Bytes of a segment file, at most 128MiB. (default: 128MiB)", transform: SizeArgument.parse)
    var segmentSize = SizeArgument(byteCount: 128 << 20)

    var byteCount: Int { Int(self.logSize.byteCount) }
    var segmentByteCount: Int { Int(self.segmentSize.byteCount) }

    /// For the table.
    var settings: LogBenchSettings {
        LogBenchSettings(segmentSize: self.segmentSize, logSize: self.logSize, cache: "warm")
    }

    func validate() throws {
        guard (1 << 20...128 << 20).contains(self.segmentSize.byteCount) else {
            throw ValidationError("--segment-size must be from 1MiB to 128MiB.")
        }
        guard (1 << 20...1 << 40).contains(self.logSize.byteCount) else {
            throw ValidationError("--log-size must be from 1MiB to 1TiB.")
        }
    }
}
