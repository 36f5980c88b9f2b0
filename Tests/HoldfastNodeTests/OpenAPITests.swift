import Foundation
import HTTPTypes
import HoldfastClient
import LogModel
import Testing

@testable import HoldfastNode

/// The description against the program: what one has and the other has not is found here.
@Suite struct OpenAPITests {
    private typealias Object = [String: Any]

    private static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .delete, .patch, .options]

    private func document() throws -> Object {
        try #require(try JSONSerialization.jsonObject(with: Data(OpenAPIDocument.bytes)) as? Object)
    }

    private func resolved(_ value: Any, in document: Object) throws -> Object {
        let object = try #require(value as? Object)
        guard let reference = object["$ref"] as? String else { return object }
        var target: Any = document
        for part in reference.split(separator: "/").dropFirst() {
            target = try #require((target as? Object)?[String(part)], "\(reference)")
        }
        return try #require(target as? Object)
    }

    private func path(_ template: String) -> String {
        template.replacingOccurrences(of: "{index}", with: "7").replacingOccurrences(of: "{name}", with: "billing")
            .replacingOccurrences(of: "{node}", with: "4").replacingOccurrences(of: "{segment}", with: "2")
    }

    /// What the description calls a route; a new one does not compile without a name.
    private func operation(_ route: Route) -> String {
        switch route {
        case .append: "append"
        case .read: "read"
        case .record: "record"
        case .tail: "tail"
        case .cluster: "cluster"
        case .describe: "describe"
        case .nodeStatus: "nodeStatus"
        case .transfer: "transfer"
        case .addMember: "addMember"
        case .promoteMember: "promoteMember"
        case .removeMember: "removeMember"
        case .cursors: "cursors"
        case .cursor: "cursor"
        case .setCursor: "setCursor"
        case .deleteCursor: "deleteCursor"
        case .raiseFence: "raiseFence"
        case .trim: "trim"
        case .segments: "segments"
        case .frames: "frames"
        }
    }

    @Test func `every path has the methods that its route has, and no others`() throws {
        let paths = try #require(try self.document()["paths"] as? Object)
        var operations: Set<String> = []
        for (template, item) in paths {
            let item = try #require(item as? Object)
            let path = self.path(template)
            var allowed: [String] = []
            for method in Self.methods {
                let described = item[method.rawValue.lowercased()] as? Object
                do {
                    let route = try Route.decide(method: method, path: path[...])
                    allowed.append(method.rawValue)
                    #expect(described?["operationId"] as? String == self.operation(route), "\(method) \(template)")
                    operations.insert(self.operation(route))
                } catch {
                    #expect(described == nil, "\(method) \(template): \(error.document.detail)")
                    let named = error.fields[.allow]?.split(separator: ",").map { $0.filter { $0 != " " } } ?? []
                    #expect(Set(named) == Set(item.keys.map { $0.uppercased() }).subtracting(["PARAMETERS"]))
                }
            }
        }
        #expect(operations.count == 19)
    }

    @Test func `every operation has the parameters that its route knows, the body that it reads, and its statuses`()
        throws
    {
        let document = try self.document()
        let paths = try #require(document["paths"] as? Object)
        for (template, item) in paths {
            let item = try #require(item as? Object)
            let shared = item["parameters"] as? [Any] ?? []
            for method in Self.methods {
                guard let operation = item[method.rawValue.lowercased()] as? Object else { continue }
                let route = try Route.decide(method: method, path: self.path(template)[...])
                let parameters = try (shared + (operation["parameters"] as? [Any] ?? [])).map {
                    try self.resolved($0, in: document)
                }
                let named = parameters.filter { $0["in"] as? String == "query" }.compactMap { $0["name"] as? String }
                #expect(Set(named) == route.parameterNames, "\(method) \(template)")
                #expect((operation["requestBody"] != nil) == (route.bodyByteCountMax != nil), "\(method) \(template)")
                let responses = try #require(operation["responses"] as? Object)
                #expect(responses.keys.contains("400") && responses.keys.contains("431"))
                #expect(responses.keys.contains("413") == (route.bodyByteCountMax != nil), "\(method) \(template)")
                #expect(
                    responses.keys.contains("421") == route.parameterNames.contains("forward"), "\(method) \(template)")
                for response in responses.values { _ = try self.resolved(response, in: document) }
            }
        }
    }

    @Test func `every code of a problem is named, and every field that a problem can have`() throws {
        let schemas = try #require((try self.document()["components"] as? Object)?["schemas"] as? Object)
        let problem = try #require((schemas["Problem"] as? Object)?["properties"] as? Object)
        let codes = try #require((problem["code"] as? Object)?["enum"] as? [String])
        #expect(codes == ProblemCode.allCases.map(\.rawValue))
        let receipt = AppendReceipt(
            first: LogIndex(1), last: LogIndex(1), position: .zero, term: Term(1), durability: .persisted, nodes: 1,
            voters: 1, isDuplicate: false)
        let whole = ProblemDocument(
            title: "", status: 400, code: "", detail: "", hint: "", leader: "", firstIndex: 1, nextIndex: 1,
            fencingToken: 1, expectedSequence: 1, receipt: receipt, requestID: "1")
        let fields = try #require(try JSONSerialization.jsonObject(with: Data(whole.json)) as? Object)
        #expect(Set(fields.keys) == Set(problem.keys))
    }

    @Test func `it is served to whoever asks`() async throws {
        try await Listener.with { listener in
            let answer = try await listener.ask(.get, "/openapi.json")
            #expect(answer.status == 200 && answer.fields[.contentType] == "application/json")
            #expect(Array(answer.body.utf8) == OpenAPIDocument.bytes)
        }
    }
}
