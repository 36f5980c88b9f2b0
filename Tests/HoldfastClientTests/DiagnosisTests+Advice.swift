import Testing

@testable import HoldfastClient

/// What people are told to do about it.
extension DiagnosisTests {
    @Test func `who is not let in is told how to ask`() {
        func next(_ silence: ClusterSight.Silence) -> String {
            var picture = Picture()
            for number in Picture.numbers { picture.silence(number, silence) }
            return Diagnosis.noLeader(picture.sight).ofAccess?.next ?? ""
        }
        #expect(next(.denied(code: "UNAUTHENTICATED", detail: "")).contains("--token-file FILE"))
        #expect(next(.denied(code: "TLS_REQUIRED", detail: "")).contains("https://"))
        #expect(next(.untrusted(.unknownSigner(of: "a", signer: "b"))).contains("--tls-ca FILE"))
        #expect(next(.untrusted(.toldNoCertificate)).contains("--tls-cert FILE"))
        #expect(next(.untrusted(.plainText)).contains("without TLS"))
        #expect(next(.unintelligible).isEmpty && next(.hangs).isEmpty)
    }

    @Test func `waiting is in vain where nobody lets in, and where all are wrong ports`() {
        func code(_ silences: ClusterSight.Silence?...) -> Finding.Code? {
            var picture = Picture()
            for (number, silence) in zip(Picture.numbers, silences) {
                if let silence { picture.silence(number, silence) }
            }
            return Diagnosis.denial(picture.sight)?.code
        }
        let (port, down) = (ClusterSight.Silence.noClientPort("a peer port"), ClusterSight.Silence.hangs)
        let denied = ClusterSight.Silence.denied(code: "UNAUTHENTICATED", detail: "")
        #expect(code(port, denied, down) == .tokenNeeded)
        #expect(code(port, .untrusted(.plainText), port) == .untrusted)
        #expect(code(port, port, port) == .wrongPort)
        // Nodes that are still to come may let in.
        #expect(code(port, down, port) == nil)
        #expect(code(denied, nil, denied) == nil)
    }

    @Test func `a full disk is helped by room, a trim, and another leader that has room`() {
        var picture = Picture()
        func next() -> String { Diagnosis.all(picture.sight).first { $0.code == .diskFull }?.next ?? "" }
        picture.change(2) { $0.isDiskFull = true }
        #expect(next().contains("make room") && next().contains("holdfast trim --before INDEX"))
        #expect(next().contains("holdfast transfer-leader"))
        // Nobody could take over.
        for number in Picture.numbers { picture.change(number) { $0.isDiskFull = true } }
        #expect(!next().contains("transfer-leader"))
        picture.change(2) { $0.isDiskFull = false }
        #expect(!next().isEmpty && !next().contains("transfer-leader"))
    }
}
