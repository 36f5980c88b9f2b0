import Certificates
import LogModel
import Testing

@Suite struct CertificateNameTests {
    @Test func `A name is read from the URI that it is written as`() {
        let names: [CertificateName] = [
            .node(NodeID(2), cluster: "prod"), .client("billing", cluster: "prod"), .authority(cluster: "a.b-c_1"),
        ]
        for name in names { #expect(CertificateName(uri: name.uri) == name) }
        #expect(names[0].uri == "holdfast://prod/node/2")
    }

    @Test(arguments: [
        "https://prod/node/2", "holdfast://", "holdfast:///node/2", "holdfast://prod/node/0", "holdfast://prod/node/x",
        "holdfast://prod/node/+1", "holdfast://prod/node/007", "holdfast://prod/node/4294967296",
        "holdfast://prod/node/2/3", "holdfast://prod/node", "holdfast://prod/client/", "holdfast://prod/client/a b",
        "holdfast://prod/other/2", "holdfast://pr od/node/2", "holdfast://prod",
    ])
    func `What is not quite a name is none`(uri: String) {
        #expect(CertificateName(uri: uri) == nil)
    }

    @Test func `A word is short and plain`() {
        #expect(CertificateName.isWord("prod-1.eu_west"))
        #expect(CertificateName.isWord(String(repeating: "a", count: 64)))
        for word in ["", String(repeating: "a", count: 65), "a/b", "ü", "a b"] {
            #expect(!CertificateName.isWord(word))
        }
    }
}
