import Access
import Certificates
import Foundation
import HTTP2Transport

/// Also what the files say that a configuration names.
extension ConfigurationReport {
    /// Days before its end from which on a certificate is worth a word.
    private static let warningDays = 30.0

    /// Opens certificates and tokens as a node does that starts, and lets go of them.
    package func lookingIntoFiles(now: Date = Date()) -> ConfigurationReport {
        guard let configuration else { return self }
        var report = self
        if let files = configuration.security.tls {
            do throws(TLSError) {
                let store = try TLSStore(files, node: configuration.node)
                report.warnings += Self.warnings(of: store.material, files, now: now)
            } catch {
                report.problems.append(self.unusable(error.key(of: files), "\(error)"))
            }
        }
        if let path = configuration.security.tokens {
            do throws(TokenError) { _ = try TokenStore(path: path) } catch {
                report.problems.append(self.unusable(.tokens, "\(error)"))
            }
        }
        return report
    }

    private func unusable(_ key: ConfigurationKey, _ reason: String) -> ConfigurationError {
        let origin = self.values.first { $0.key == key }?.origin ?? .fallback
        return .unusableFile(key, origin: origin, reason: reason)
    }

    private static func warnings(
        of material: TLSMaterial, _ files: TLSFiles, now: Date
    ) -> [ConfigurationWarning] {
        guard let facts = material.facts else { return [] }
        var warnings: [ConfigurationWarning] = []
        let days = facts.validUntil.timeIntervalSince(now) / 86_400
        if days < Self.warningDays { warnings.append(.certificateEnds(facts.holder, at: facts.validUntil)) }
        if let authority = files.authority, let pem = try? String(contentsOfFile: authority, encoding: .utf8),
            let signer = try? CertificateFacts(pem: pem), let name = signer.name, let own = facts.name,
            name.cluster != own.cluster
        {
            warnings.append(.otherAuthority(facts.holder, authority: signer.holder))
        }
        return warnings
    }
}

extension TLSError {
    /// Which of the three files is to be looked at.
    fileprivate func key(of files: TLSFiles) -> ConfigurationKey {
        switch self {
        case .unreadable(files.key, _), .malformed(files.key, _), .otherKey: .tlsKey
        case .unreadable(files.authority, _), .malformed(files.authority, _): .tlsAuthority
        default: .tlsCertificate
        }
    }
}
