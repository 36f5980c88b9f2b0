import Foundation

/// Where a side's certificate, its key and the authorities that it trusts are, in PEM.
package struct TLSFiles: Hashable, Sendable {
    /// Its own, and those between it and the authority; `nil` for a client that shows none.
    package var certificate: String?
    package var key: String?
    /// `nil`: whom the system trusts.
    package var authority: String?

    package init(certificate: String? = nil, key: String? = nil, authority: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.authority = authority
    }

    /// A bundle of all public authorities has a quarter of it.
    private static let byteCountMax = 1 << 20

    /// What the files say; `nil` for those that there are none of.
    struct Contents: Hashable {
        var certificate: [UInt8]?
        var key: [UInt8]?
        var authority: [UInt8]?
    }

    func read() throws(TLSError) -> Contents {
        Contents(
            certificate: try Self.read(self.certificate), key: try Self.read(self.key),
            authority: try Self.read(self.authority))
    }

    private static func read(_ path: String?) throws(TLSError) -> [UInt8]? {
        guard let path else { return nil }
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            data = try handle.read(upToCount: Self.byteCountMax + 1) ?? Data()
        } catch {
            throw .unreadable(path, reason: error.localizedDescription)
        }
        guard data.count <= Self.byteCountMax else { throw .unreadable(path, reason: "it is larger than 1 MiB") }
        return Array(data)
    }

    /// Which files these are now, without reading them.
    var stamp: [TLSFileStamp?] { [self.certificate, self.key, self.authority].map { $0.flatMap(TLSFileStamp.init) } }
}

/// Tells a file from what stood there before.
struct TLSFileStamp: Hashable, Sendable {
    private var inode: UInt64
    private var byteCount: Int64
    private var seconds: Int
    private var nanoseconds: Int

    /// - Returns: `nil` when there is no such file.
    init?(_ path: String) {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        self.inode = UInt64(facts.st_ino)
        self.byteCount = Int64(facts.st_size)
        self.seconds = facts.st_mtim.tv_sec
        self.nanoseconds = facts.st_mtim.tv_nsec
    }
}

/// Why certificates were not taken; those from before hold on.
package enum TLSError: Error, Hashable, Sendable {
    case unreadable(String, reason: String)
    /// No certificate, or no key, in PEM.
    case malformed(String, reason: String)
    case otherKey(key: String, certificate: String)
    case expired(String, at: Date)
    case notYetValid(String, from: Date)
    /// None of the trusted authorities has signed it: every peer would refuse it.
    case unknownSigner(String, signer: String, authority: String)
    /// No certificate of a node: a server needs one.
    case noNode(String, holder: String)
    /// It names another one than before.
    case otherHolder(String, holder: String, before: String)
}

extension TLSError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .malformed(let path, let reason): "\(path) is not what it should be, in PEM: \(reason)"
        case .otherKey(let key, let certificate): "\(key) is not the key of \(certificate)"
        case .expired(let path, let date): "\(path) has expired, at \(date.formatted(.iso8601))"
        case .notYetValid(let path, let date): "\(path) is not valid before \(date.formatted(.iso8601))"
        case .unknownSigner(let path, let signer, let authority):
            "\(path) is signed by \(signer), and \(authority) does not hold it"
        case .noNode(let path, let holder): "\(path) is that of \(holder), and no node's certificate"
        case .otherHolder(let path, let holder, let before): "\(path) is that of \(holder), and this is \(before)"
        }
    }
}
