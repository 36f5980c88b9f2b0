import Glibc
import SystemPackage
import Testing

@testable import DiskIO

@Suite struct `The machine's file system` {
    private let disk = LinuxFileSystem()

    @Test func `bytes are read back, fewer only at the end`() throws {
        try self.withDirectory { directory in
            let file = try self.disk.open(directory.appending("a"), .create)
            try file.write([UInt8]([1, 2, 3, 4]).span.bytes, at: 2)
            #expect(try file.read(at: 0, count: 6) == [0, 0, 1, 2, 3, 4])
            #expect(try file.read(at: 4, count: 100) == [3, 4])
            #expect(try file.read(at: 100, count: 1) == [])
            #expect(try file.byteCount() == 6)
            try file.sync()
        }
    }

    @Test func `what takes several system calls is written whole, and in its order`() throws {
        try self.withDirectory { directory in
            let file = try self.disk.open(directory.appending("a"), .create)
            let bytes = (0..<5 << 19).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
            try file.write(bytes.span.bytes, at: 77)
            #expect(try file.byteCount() == 77 + bytes.count)
            #expect(try file.read(at: 77, count: bytes.count) == bytes)
        }
    }

    @Test func `the kernel says which run of it this is, always the same`() {
        #expect(self.disk.boot != .unknown)
        #expect(self.disk.boot.isSure(toBe: LinuxFileSystem().boot))
    }

    @Test func `allocated and cut space reads as zero`() throws {
        try self.withDirectory { directory in
            let file = try self.disk.open(directory.appending("a"), .create)
            try file.write([UInt8](repeating: 7, count: 100).span.bytes, at: 0)
            try file.truncate(to: 10)
            try file.allocate(byteCount: 8192)
            #expect(try file.byteCount() == 8192)
            #expect(try file.read(at: 0, count: 8192).filter { $0 != 0 }.count == 10)
            try file.allocate(byteCount: 10)
            #expect(try file.byteCount() == 8192)
        }
    }

    @Test func `what is missing or there already is named`() throws {
        try self.withDirectory { directory in
            let path = directory.appending("a")
            let missing = #expect(throws: DiskError.self) { try self.disk.open(path, .read) }
            #expect(missing == DiskError(.noSuchFileOrDirectory, .open, path))
            #expect(missing?.isNotFound == true)
            _ = try self.disk.open(path, .create)
            #expect(throws: DiskError(.fileExists, .create, path)) { try self.disk.open(path, .create) }
            #expect(throws: DiskError(.noSuchFileOrDirectory, .remove, directory.appending("b"))) {
                try self.disk.remove(directory.appending("b"))
            }
            let readOnly = try self.disk.open(path, .read)
            #expect(throws: DiskError(.badFileDescriptor, .write, path)) {
                try readOnly.write([UInt8]([1]).span.bytes, at: 0)
            }
        }
    }

    @Test func `entries are listed sorted, renamed over others, and removed`() throws {
        try self.withDirectory { directory in
            for name in ["b", "c", "a"] { _ = try self.disk.open(directory.appending(name), .create) }
            #expect(try self.disk.list(directory) == ["a", "b", "c"])
            try self.disk.rename(directory.appending("a"), to: directory.appending("b"))
            try self.disk.remove(directory.appending("c"))
            try self.disk.syncDirectory(directory)
            #expect(try self.disk.list(directory) == ["b"])
        }
    }

    @Test func `directories are made with what is missing above them`() throws {
        try self.withDirectory { directory in
            let path = directory.appending("x").appending("y")
            try self.disk.makeDirectory(path)
            try self.disk.makeDirectory(path)
            #expect(try self.disk.list(directory) == ["x"])
            rmdir(path.string)
            rmdir(directory.appending("x").string)
        }
    }

    @Test func `a lock excludes openers of this process too, and names it`() throws {
        try self.withDirectory { directory in
            let path = directory.appending("LOCK")
            var held: (any HeldLock)?
            if case .acquired(let lock) = try self.disk.lock(path) { held = lock }
            #expect(held != nil)
            guard case .held(let holder) = try self.disk.lock(path) else {
                Issue.record("locked twice")
                return
            }
            #expect(holder == "pid \(getpid())")
            held = nil
            guard case .acquired = try self.disk.lock(path) else {
                Issue.record("not released")
                return
            }
        }
    }

    @Test func `a store into a mapping is in the file`() throws {
        try self.withDirectory { directory in
            let file = try self.disk.open(directory.appending("a"), .create)
            try file.allocate(byteCount: 4096)
            let page = try file.map(byteCount: 4096)
            page.store([UInt8]([1, 2, 3]).span.bytes, at: 100)
            try page.sync()
            #expect(try file.read(at: 99, count: 5) == [0, 1, 2, 3, 0])
            #expect(page.load()[100..<103] == [1, 2, 3])
        }
    }

    @Test func `a file that was removed can be read as long as it is held`() throws {
        try self.withDirectory { directory in
            let path = directory.appending("a")
            let file = try self.disk.open(path, .create)
            try file.write([UInt8]([9]).span.bytes, at: 0)
            try self.disk.remove(path)
            #expect(try file.read(at: 0, count: 1) == [9])
        }
    }

    @Test func `a full device says so`() throws {
        let path: FilePath = "/dev/full"
        let file = try self.disk.open(path, .write)
        let error = #expect(throws: DiskError.self) { try file.write([UInt8]([1]).span.bytes, at: 0) }
        #expect(error?.isNoSpace == true)
    }

    private func withDirectory(_ body: (FilePath) throws -> Void) throws {
        var template = Array("/tmp/diskio-test-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { mkdtemp($0) != nil } ?? false
        }
        #expect(made)
        let directory = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        defer {
            for name in (try? self.disk.list(directory)) ?? [] { try? self.disk.remove(directory.appending(name)) }
            rmdir(directory.string)
        }
        try body(directory)
    }
}
