import HTTPTypes
import HoldfastClient
import Hummingbird
import ServiceLifecycle

/// What the admin listener answers.
struct AdminRoutes: Sendable {
    let node: any AdminNode
    let watch: ClusterWatch
    let feed: StatusFeed
    private let liveness: Liveness
    private let readiness: Readiness
    private let connections: AdminConnections
    /// Tells this process's stream places from those of the one before.
    private let process = UInt32.random(in: 1 ... .max)

    init(node: any AdminNode, connections: AdminConnections) {
        self.connections = connections
        self.node = node
        self.watch = ClusterWatch(node: node)
        self.feed = StatusFeed(node: node, watch: self.watch)
        self.liveness = Liveness(node: node)
        self.readiness = Readiness(node: node, proof: CommitProof(node: node))
    }

    /// - Parameters:
    ///   - names: By which this node may be called.
    ///   - door: To the client API; without one there is no mirror of it.
    func router(
        names: Set<String>, authority: any AdminAuthority, door: (any ClientDoor)?
    ) -> Router<AdminContext> {
        let router = Router(context: AdminContext.self, options: .autoGenerateHeadEndpoints)
        let times = RequestTimes()
        let paths = KnownPaths()
        router.add(middleware: RequestTiming(times: times))
        router.add(middleware: RequestNaming())
        router.add(middleware: ProblemMiddleware(paths: paths, node: self.node))
        router.add(middleware: ForeignRequestGuard(names: names))
        router.add(middleware: Authorization(authority: authority))
        router.get("livez") { request, _ in Self.answer(await self.liveness.report(), of: "livez", to: request) }
        router.get("readyz") { request, _ in Self.answer(await self.readiness.report(), of: "readyz", to: request) }
        router.get("readyz/:check") { request, context in
            try Self.answer(await self.readiness.report(), check: context.parameters.require("check"), to: request)
        }
        router.get("metrics") { request, _ in
            let format: ExpositionFormat =
                request.accepts("application/openmetrics-text") ? .openMetrics : .prometheus
            var metrics = await self.node.metrics()
            metrics.listeners.append(self.connections.metrics)
            let text = Exposition.text(metrics, requests: times.all, as: format)
            return AdminAnswer.bytes(Array(text.utf8), type: format.contentType)
        }
        router.get("admin/v1/status") { _, _ in AdminAnswer.json(await self.node.status(eventsAfter: nil)) }
        router.get("admin/v1/cluster") { _, _ in AdminAnswer.json(await self.watch.look()) }
        router.get("admin/v1/members") { _, _ in AdminAnswer.json(await self.node.status(eventsAfter: nil).cluster) }
        router.get("admin/v1/segments") { _, _ in
            AdminAnswer.json(SegmentMap(node: self.node.number, segments: await self.node.segments()))
        }
        router.get("admin/v1/events") { request, _ in
            request.accepts("text/event-stream") ? try await self.stream(to: request) : try self.events(for: request)
        }
        router.get("admin/v1/stream") { request, _ in try await self.stream(to: request) }
        router.get("openapi.json") { _, _ in
            AdminAnswer.bytes(AdminDescription.bytes, type: "application/json")
        }
        DashboardFiles.add(to: router)
        if let door {
            ClientMirror(door: door, authority: authority, connections: self.connections).add(to: router)
        }
        paths.learn(router)
        return router
    }

    // MARK: Health

    private static func answer(_ report: HealthReport, of name: String, to request: Request) -> Response {
        let status: HTTPResponse.Status = report.isOK ? .ok : .serviceUnavailable
        if request.accepts("application/json") { return AdminAnswer.json(report, status: status) }
        let isVerbose = request.uri.queryParameters["verbose"] != nil
        return AdminAnswer.text(report.text(of: name, isVerbose: isVerbose), status: status)
    }

    private static func answer(
        _ report: HealthReport, check name: String, to request: Request
    ) throws(AdminProblem) -> Response {
        guard let check = report.checks.first(where: { $0.name == name }) else {
            throw .noSuchCheck(name, known: Readiness.names)
        }
        let status: HTTPResponse.Status = check.isOK ? .ok : .serviceUnavailable
        if request.accepts("application/json") { return AdminAnswer.json(check, status: status) }
        return AdminAnswer.text(check.line + "\n", status: status)
    }

    // MARK: Events

    private func events(for request: Request) throws(AdminProblem) -> Response {
        var after: UInt64 = 0
        if let text = request.uri.queryParameters["after"] {
            guard let number = UInt64(text) else { throw .badParameter("after", expected: "the number of an event") }
            after = number
        }
        let events = self.node.events(after: after)
        return AdminAnswer.json(EventList(node: self.node.number, last: self.node.lastEvent, events: events))
    }

    private func stream(to request: Request) async throws(AdminProblem) -> Response {
        let known = request.headers[.lastEventID].flatMap { StreamPlace($0) }
        guard let ticks = await self.feed.subscribe() else { throw .tooManyStreams }
        let (feed, process) = (self.feed, self.process)
        let place = known?.process == process ? known?.place ?? 0 : 0
        return AdminAnswer.stream { [place] writer in
            var place = place
            try await writer.write(ServerSentEvent.beginning)
            // Else a stream that is open would hold up the end of the node.
            for await _ in ticks.cancelOnGracefulShutdown() {
                let state = await feed.state(after: place)
                for heard in state.events {
                    place = heard.place
                    try await writer.write(
                        ServerSentEvent.event(heard.event, id: StreamPlace(process: process, place: place)))
                }
                try await writer.write(ServerSentEvent.status(state.view))
            }
            try await writer.finish(nil)
        }
    }
}
