import Glibc

/// Coverage-guided fuzzing of the decoders (`scripts/fuzz`). libFuzzer brings `main`; the environment says what to do:
///
///     HOLDFAST_FUZZ_TARGET=NAME                                     fuzz this one
///     HOLDFAST_FUZZ_TARGET=NAME HOLDFAST_FUZZ_SEEDS=DIRECTORY       write valid inputs to begin with, and end
///     neither                                                       print the names of all targets, and end
///
/// A broken promise traps, and libFuzzer keeps the input.
enum Fuzz {
    static var targets: [any FuzzTarget.Type] {
        [
            FrameHeaderTarget.self, RecordsTarget.self, CompressedRecordsTarget.self, SegmentHeaderTarget.self,
            SegmentIndexTarget.self, SlotTarget.self, IdentityTarget.self,
            CheckpointTarget.self, MembershipTarget.self, ShippedRangeTarget.self, PeerMessageTarget.self,
            InflateTarget.self, RecoveryTarget.self, HTTP2Target.self,
        ]
    }

    /// The one that this process fuzzes.
    fileprivate static let target: any FuzzTarget.Type = {
        guard let name = Self.setting("TARGET") else {
            for target in Self.targets { print(target.name) }
            exit(0)
        }
        guard let target = Self.targets.first(where: { $0.name == name }) else {
            print("no target \(name)")
            exit(64)
        }
        if let directory = Self.setting("SEEDS") {
            Self.writeSeeds(of: target, into: directory)
            exit(0)
        }
        return target
    }()

    private static func setting(_ name: String) -> String? {
        getenv("HOLDFAST_FUZZ_\(name)").map { String(cString: $0) }
    }

    private static func writeSeeds(of target: any FuzzTarget.Type, into directory: String) {
        for (number, seed) in target.seeds.enumerated() {
            guard let file = fopen("\(directory)/seed-\(number)", "w") else {
                print("cannot write to \(directory)")
                exit(73)
            }
            _ = seed.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
            fclose(file)
        }
    }
}

/// Called once by libFuzzer, before anything else.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ argumentCount: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> Int32 {
    _ = Fuzz.target
    return 0
}

/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    Fuzz.target.test(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
}
