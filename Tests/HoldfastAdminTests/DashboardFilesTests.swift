import Testing

@testable import HoldfastAdmin

@Suite struct DashboardFilesTests {
    @Test func `all that the page and its modules ask for is there, with its type, under one policy`() async throws {
        try await Listener.with { listener in
            var asked: Set<String> = []
            var open = ["/"]
            while let path = open.popLast() {
                guard asked.insert(path).inserted else { continue }
                let answer = try await listener.get(path)
                #expect(answer.status == 200, "\(path)")
                #expect(answer.fields["content-type"] == Self.type(of: path), "\(path)")
                #expect(answer.fields["content-security-policy"]?.hasPrefix("default-src 'self';") == true, "\(path)")
                open += answer.body.matches(of: /"(\/dashboard\/[a-z.]+)"/).map { String($0.1) }
                open += answer.body.matches(of: /from "\.\/([a-z]+\.js)"/).map { "/dashboard/\($0.1)" }
            }
            #expect(asked.count == 13, "\(asked.sorted())")
        }
    }

    @Test func `the page has nothing in it that its policy forbids`() async throws {
        try await Listener.with { listener in
            let page = try await listener.get("/").body
            #expect(!page.contains("style="))
            #expect(page.matches(of: /\son[a-z]+=/).isEmpty)
            #expect(page.matches(of: /<script(?![^>]*\ssrc=)/).isEmpty)
            #expect(page.matches(of: /(?:src|href)="(?![\/#])/).isEmpty)
        }
    }

    private static func type(of path: String) -> String {
        switch path.split(separator: ".").last {
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        default: "text/html; charset=utf-8"
        }
    }
}
