import DiskIO
import SystemPackage
import Testing

@testable import Simulation

@Suite struct `The simulated disk` {
    private static let directory: FilePath = "/d"
    private static let path: FilePath = "/d/a"

    private static func disk(seed: UInt64 = 1) throws -> (SimulatedFileSystem, any File) {
        let disk = SimulatedFileSystem(seed: seed)
        try disk.makeDirectory(Self.directory)
        return (disk, try disk.open(Self.path, .create))
    }

    private static func bytes(_ byte: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: byte, count: count) }

    @Test func `what is written is read at once, durable or not`() throws {
        let (_, file) = try Self.disk()
        try file.write(Self.bytes(7, 10).span.bytes, at: 5)
        #expect(try file.read(at: 0, count: 100) == Self.bytes(0, 5) + Self.bytes(7, 10))
        #expect(try file.byteCount() == 15)
    }

    @Test func `a power cut takes unsynced bytes, lengths and names, and leaves synced ones`() throws {
        let (disk, file) = try Self.disk()
        try file.write(Self.bytes(1, 600).span.bytes, at: 0)
        try file.sync()
        try disk.syncDirectory(Self.directory)
        try file.write(Self.bytes(2, 2000).span.bytes, at: 300)
        try file.truncate(to: 100)
        _ = try disk.open("/d/b", .create)
        disk.cutPower(.losesAll)
        #expect(disk.contents(of: Self.path) == Self.bytes(1, 600))
        #expect(try disk.list(Self.directory) == ["a"])
    }

    @Test func `a synced file without a synced name is gone`() throws {
        let (disk, file) = try Self.disk()
        try file.write(Self.bytes(1, 10).span.bytes, at: 0)
        try file.sync()
        disk.cutPower(.losesAll)
        #expect(disk.contents(of: Self.path) == nil)
    }

    @Test func `a name without synced contents is an empty file`() throws {
        let (disk, file) = try Self.disk()
        try file.write(Self.bytes(1, 10).span.bytes, at: 0)
        try disk.syncDirectory(Self.directory)
        disk.cutPower(.losesAll)
        #expect(disk.contents(of: Self.path) == [])
    }

    @Test func `sectors survive in any order, and whole`() throws {
        var outcomes: Set<[Bool]> = []
        for seed in 1...200 as ClosedRange<UInt64> {
            let (disk, file) = try Self.disk(seed: seed)
            try file.allocate(byteCount: 2048)
            try file.sync()
            try disk.syncDirectory(Self.directory)
            for sector in 0..<4 { try file.write(Self.bytes(9, 512).span.bytes, at: sector * 512) }
            disk.cutPower(.losesSome)
            let found = try #require(disk.contents(of: Self.path))
            outcomes.insert(
                (0..<4).map { sector in
                    let part = Set(found[sector * 512..<(sector + 1) * 512])
                    #expect(part.count == 1)
                    return part.contains(9)
                })
        }
        #expect(outcomes.count == 16)
    }

    @Test func `a rename is there or not, never half`() throws {
        var outcomes: Set<[String]> = []
        for seed in 1...50 as ClosedRange<UInt64> {
            let (disk, file) = try Self.disk(seed: seed)
            try file.write(Self.bytes(1, 1).span.bytes, at: 0)
            try file.sync()
            let old = try disk.open("/d/b", .create)
            try old.write(Self.bytes(2, 1).span.bytes, at: 0)
            try old.sync()
            try disk.syncDirectory(Self.directory)
            try disk.rename(Self.path, to: "/d/b")
            disk.cutPower(.losesSome)
            let names = try disk.list(Self.directory)
            outcomes.insert(names)
            #expect(disk.contents(of: "/d/b") == (names == ["b"] ? [1] : [2]))
        }
        #expect(outcomes == [["a", "b"], ["b"]])
    }

    @Test func `mapped pages are lost like writes, and kept when the process dies`() throws {
        let (disk, file) = try Self.disk()
        try file.allocate(byteCount: 4096)
        try file.sync()
        try disk.syncDirectory(Self.directory)
        let page = try file.map(byteCount: 4096)
        page.store(Self.bytes(1, 8).span.bytes, at: 0)
        try page.sync()
        page.store(Self.bytes(2, 8).span.bytes, at: 8)
        disk.killProcess()
        #expect(disk.contents(of: Self.path)?.prefix(16) == (Self.bytes(1, 8) + Self.bytes(2, 8))[...])
        disk.cutPower(.losesAll)
        #expect(disk.contents(of: Self.path)?.prefix(16) == (Self.bytes(1, 8) + Self.bytes(0, 8))[...])
    }

    @Test func `after a crash old files and locks are dead`() throws {
        let (disk, file) = try Self.disk()
        guard case .acquired(let lock) = try disk.lock("/d/LOCK"), case .held = try disk.lock("/d/LOCK") else {
            Issue.record("no lock")
            return
        }
        disk.killProcess()
        #expect(throws: DiskError.self) { try file.read(at: 0, count: 1) }
        #expect(throws: DiskError.self) { try file.write(Self.bytes(1, 1).span.bytes, at: 0) }
        guard case .acquired = try disk.lock("/d/LOCK") else {
            Issue.record("still locked")
            return
        }
        withExtendedLifetime(lock) {}
    }

    @Test func `a refused write leaves its first half, a stopped disk answers nothing more`() throws {
        let (disk, file) = try Self.disk()
        disk.inject(.refuse(.noSpace), atNext: .write)
        #expect(throws: DiskError(.noSpace, .write, Self.path)) {
            try file.write(Self.bytes(3, 10).span.bytes, at: 0)
        }
        #expect(try file.read(at: 0, count: 10) == Self.bytes(3, 5))
        disk.inject(.stop, atOperation: disk.counts.operations + 2)
        try file.sync()
        #expect(throws: DiskError.self) { try file.sync() }
        #expect(throws: DiskError.self) { try disk.list(Self.directory) }
    }

    @Test func `what does not fit is refused`() throws {
        let (disk, file) = try Self.disk()
        disk.setCapacity(byteCount: 1000)
        try file.allocate(byteCount: 900)
        #expect(throws: DiskError(.noSpace, .allocate, Self.path)) { try file.allocate(byteCount: 1001) }
        try file.write(Self.bytes(1, 900).span.bytes, at: 0)
        #expect(throws: DiskError(.noSpace, .write, Self.path)) {
            try file.write(Self.bytes(1, 200).span.bytes, at: 850)
        }
    }

    @Test func `a removed file is forgotten once it is neither open nor able to come back`() throws {
        let (disk, file) = try Self.disk()
        try file.write(Self.bytes(1, 10).span.bytes, at: 0)
        try disk.remove(Self.path)
        #expect(try file.read(at: 0, count: 1) == [1])
        disk.setCapacity(byteCount: 10)
        let other = try disk.open("/d/b", .create)
        #expect(throws: DiskError.self) { try other.write(Self.bytes(1, 1).span.bytes, at: 0) }
    }

    @Test func `the same seed leaves the same disk`() throws {
        let images = try (0..<2).map { _ in
            let (disk, file) = try Self.disk(seed: 42)
            try disk.syncDirectory(Self.directory)
            for number in 0..<50 { try file.write(Self.bytes(UInt8(number), 700).span.bytes, at: number * 333) }
            disk.cutPower(.losesSome)
            return disk.contents(of: Self.path)
        }
        #expect(images[0] == images[1])
    }
}
