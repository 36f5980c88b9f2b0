import Access
import Foundation
import HTTP2Transport
import LogModel
import Logging
import Synchronization

/// A node's certificates and tokens: read when it starts, again on SIGHUP, and by themselves once their files have changed.
///
///     every two seconds --> files are others, and rest --> read --> taken: new connections and requests
///     SIGHUP ----------------------------------------------^  '--> refused: told by name, those from before hold on
final class SecurityWatch: Sendable {
    let tls: TLSStore?
    let tokens: TokenStore?
    private let logger: Logger
    /// When the end of the certificate was spoken of last.
    private let warnedAt = Mutex<Date?>(nil)

    private static let interval = Duration.seconds(2)
    private static let day: TimeInterval = 86_400
    /// Days before its end from which on a certificate is spoken of, once a day: first as a warning, then as an error.
    private static let warningDays = 30.0
    private static let urgentDays = 7.0

    /// - Throws: ``NodeError/security(_:)``, ``NodeError/tokens(_:)``.
    init(_ security: NodeSecurity, node: NodeID, logger: Logger) throws(NodeError) {
        self.logger = logger
        do throws(TLSError) {
            if let files = security.tls { self.tls = try TLSStore(files, node: node) } else { self.tls = nil }
        } catch {
            throw .security("\(error)")
        }
        do throws(TokenError) {
            if let path = security.tokens { self.tokens = try TokenStore(path: path) } else { self.tokens = nil }
        } catch {
            throw .tokens("\(error)")
        }
        self.warnOfTheEnd()
    }

    /// In seconds since 1970; `nil` without a certificate.
    var certificateEnd: Int64? {
        guard let end = self.tls?.material.facts?.validUntil else { return nil }
        return Int64(end.timeIntervalSince1970)
    }

    /// Until it is cancelled.
    func run() async {
        guard self.tls != nil || self.tokens != nil else { return }
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            if self.tls?.look() == true { self.reloadCertificates() }
            if self.tokens?.look() == true { self.reloadTokens() }
            self.warnOfTheEnd()
        }
    }

    /// Whatever the files say now.
    func reload() {
        self.reloadCertificates()
        self.reloadTokens()
    }

    private func reloadCertificates() {
        guard let tls else { return }
        do throws(TLSError) {
            guard try tls.reload(), let facts = tls.material.facts else { return }
            self.logger.notice(
                "certificate taken: new connections use it",
                metadata: ["certificate": "\(facts.holder)", "valid_until": "\(facts.validUntil.formatted(.iso8601))"])
            self.warnedAt.withLock { $0 = nil }
        } catch {
            self.logger.error(
                "certificate not taken: the one from before holds on",
                metadata: [
                    "reason": "\(error)", "hint": "put matching files in their place: holdfast config check tries them",
                ])
        }
    }

    private func reloadTokens() {
        guard let tokens else { return }
        do throws(TokenError) {
            if try tokens.reload() { self.logger.notice("tokens taken", metadata: ["source": "\(tokens.path)"]) }
        } catch {
            self.logger.error(
                "tokens not taken: those from before hold on, revoked ones too",
                metadata: [
                    "reason": "\(error)", "hint": "mend the file that auth.tokens names: it is read again by itself",
                ])
        }
    }

    private func warnOfTheEnd(now: Date = Date()) {
        guard let facts = self.tls?.material.facts,
            let level = Self.level(of: facts.validUntil, now: now),
            self.warnedAt.withLock({ $0.map { now.timeIntervalSince($0) >= Self.day } ?? true })
        else { return }
        self.warnedAt.withLock { $0 = now }
        self.logger.log(
            level: level, "this node's certificate ends soon",
            metadata: [
                "certificate": "\(facts.holder)", "valid_until": "\(facts.validUntil.formatted(.iso8601))",
                "hint": "put a new one in its place: it is taken without a restart",
            ])
    }

    /// How grave it is that a certificate ends then; `nil` while there is time.
    static func level(of end: Date, now: Date) -> Logger.Level? {
        let days = end.timeIntervalSince(now) / Self.day
        return days > Self.warningDays ? nil : days > Self.urgentDays ? .warning : .error
    }
}
