import HTTPTypes
import HoldfastClient

/// An answer that is an error, in the same form as the client listener's.
package struct AdminProblem: Error, Hashable, Sendable {
    package var document: ProblemDocument
    var fields: HTTPFields
    /// Whoever asked has gone: nobody was refused anything, and no metric says so.
    private(set) var isUnheard = false

    package init(
        _ status: HTTPResponse.Status, _ code: String, _ detail: String, hint: String,
        applied: ProblemDocument.Applied = .no, fields: HTTPFields = [:]
    ) {
        self.document = ProblemDocument(
            title: status.reasonPhrase, status: status.code, code: code, detail: detail, hint: hint,
            applied: applied)
        self.fields = fields
    }
}

extension AdminProblem {
    private static let wordByteCountMax = 200

    /// Codes that the client listener does not have.
    package static let ownCodes = ["FOREIGN_HOST", "FOREIGN_ORIGIN", "NO_SUCH_CHECK"]

    /// Of a request whose client has gone.
    ///
    /// - Parameter applied: What is known of it, for whoever has closed one half of his connection only.
    package static func unheard(_ detail: String, applied: ProblemDocument.Applied = .no) -> AdminProblem {
        var problem = AdminProblem(
            .badRequest, "BAD_REQUEST", detail,
            hint: applied == .no
                ? "Nothing was done. Send it again, whole."
                : "Send it again with the same Idempotency-Key, and stay for the answer.",
            applied: applied, fields: [.connection: "close"])
        problem.isUnheard = true
        return problem
    }

    static func foreignHost(_ host: String) -> AdminProblem {
        AdminProblem(
            .misdirectedRequest, "FOREIGN_HOST", "this node is not called \(host.prefix(Self.wordByteCountMax))",
            hint: "Use its address, localhost, or the name that listen.admin or peers has for it.")
    }

    static func foreignOrigin(_ origin: String) -> AdminProblem {
        AdminProblem(
            .forbidden, "FOREIGN_ORIGIN",
            "a page of \(origin.prefix(Self.wordByteCountMax)) asked, and only this listener's own may",
            hint: "Open the dashboard of this node itself, or ask from a program.")
    }

    static func noSuchRoute(_ path: String) -> AdminProblem {
        AdminProblem(
            .notFound, "NO_SUCH_ROUTE", "there is nothing at \(path.prefix(Self.wordByteCountMax))",
            hint: "GET / names the routes, and GET /openapi.json describes them.")
    }

    static func methodNotAllowed(_ method: HTTPRequest.Method, _ path: String, allowed: [String]) -> AdminProblem {
        let allowed = allowed.joined(separator: ", ")
        return AdminProblem(
            .methodNotAllowed, "METHOD_NOT_ALLOWED",
            "\(path.prefix(Self.wordByteCountMax)) does not take \(method.rawValue)",
            hint: "Use \(allowed).", fields: [.allow: allowed])
    }

    static func noSuchCheck(_ name: String, known: [String]) -> AdminProblem {
        AdminProblem(
            .notFound, "NO_SUCH_CHECK", "there is no check \(name.prefix(Self.wordByteCountMax))",
            hint: "The checks are \(known.joined(separator: ", ")).")
    }

    static func badParameter(_ name: String, expected: String) -> AdminProblem {
        AdminProblem(.badRequest, "BAD_REQUEST", "\(name) is not \(expected)", hint: "Leave it out, or correct it.")
    }

    static let bodyTooLarge = AdminProblem(
        .contentTooLarge, "TOO_LARGE", "the body is over \(AdminLimits.mirroredByteCountMax) bytes",
        hint: "Send smaller batches; one record is at most as large, too.")

    /// Its client has gone, or was cut off, which is counted by itself.
    static let bodyEndedEarly = AdminProblem.unheard("the body ended early")

    static let bodiesUnfinished = AdminProblem(
        .tooManyRequests, "BUSY",
        "too much of other requests is on its way to this node: there is no room for this body",
        hint: "Nothing was done. Wait a moment and try again, or send smaller batches.", fields: [.retryAfter: "1"])

    /// The connection ends behind it: the rest of the body is not read.
    static let bodyStoodStill = AdminProblem(
        .tooManyRequests, "BUSY",
        "this body stood still while others needed its room: less than \(AdminLimits.bodyPace.byteCount) bytes of it came in "
            + "\(AdminLimits.bodyPace.time.nanoseconds / 1_000_000) ms",
        hint: "Nothing was done. Send it again without pauses, or in smaller batches.",
        fields: [.retryAfter: "1", .connection: "close"])

    static let tooManyStreams = AdminProblem(
        .tooManyRequests, "BUSY", "\(AdminLimits.streamsMax) streams are open already",
        hint: "Close one, or ask GET /admin/v1/cluster now and then.", fields: [.retryAfter: "5"])
}
