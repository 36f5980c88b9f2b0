import SystemPackage

/// What was asked of the file system when it refused.
package enum DiskOperation: String, Hashable, Sendable {
    case makeDirectory, list, open, create, rename, remove, syncDirectory, lock
    case read, write, sync, truncate, allocate, status, map, syncMapping
}

/// The kernel's refusal: which call, on what, and why.
package struct DiskError: Error, Hashable, Sendable, CustomStringConvertible {
    package var errno: Errno
    package var operation: DiskOperation
    package var path: String

    package init(_ errno: Errno, _ operation: DiskOperation, _ path: FilePath) {
        self.errno = errno
        self.operation = operation
        self.path = path.string
    }

    /// The device or the quota is full: the one refusal that heals by itself.
    package var isNoSpace: Bool { self.errno == .noSpace || self.errno == .diskQuotaExceeded }

    package var isNotFound: Bool { self.errno == .noSuchFileOrDirectory }

    package var description: String { "\(self.operation.rawValue) \(self.path): \(self.errno)" }
}
