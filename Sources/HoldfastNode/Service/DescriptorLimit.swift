import Glibc
import Logging

/// How many files and sockets this process may have open (getrlimit(2)).
///
/// Shells give 1,024 and allow far more. Connections alone could use those up, and then the log finds no descriptor for its
/// next segment: a crowd of clients would stop the node.
enum DescriptorLimit {
    /// Both listeners at their bounds, and 896 for the log, for peers and for readers.
    static let needed: rlim_t = 2_048

    /// Raises it as far as it is needed and allowed; says so when that is not enough.
    ///
    /// - Returns: What holds now.
    @discardableResult
    static func raise(logger: Logger) -> rlim_t {
        guard var limit = Self.current else { return 0 }
        guard limit.rlim_cur < Self.needed else { return limit.rlim_cur }
        var raised = limit
        raised.rlim_cur = min(Self.needed, limit.rlim_max)
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        if limit.rlim_cur < Self.needed {
            logger.warning(
                "few files may be open",
                metadata: [
                    "max": "\(limit.rlim_cur)", "reason": "\(Self.needed) may be needed",
                    "hint": "raise the limit: ulimit -Hn, or LimitNOFILE= in the unit",
                ])
        }
        return limit.rlim_cur
    }

    /// `nil` when the system does not say.
    static var current: rlimit? {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit : nil
    }
}
