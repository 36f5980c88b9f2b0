import NIOCore

/// Whether a restart would help: every loop and the disk's thread is asked to answer, and none may hang.
struct Liveness {
    let inquiry: PartInquiry
    let limitMilliseconds: UInt64

    init(node: any AdminNode, limitMilliseconds: UInt64 = AdminLimits.livenessMilliseconds) {
        self.inquiry = PartInquiry(node: node)
        self.limitMilliseconds = limitMilliseconds
    }

    func report() async -> HealthReport {
        let checks = await withTaskGroup(of: HealthCheck.self) { group in
            for part in NodePart.allCases { group.addTask { await self.check(part) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        return HealthReport(checks.sorted { $0.name < $1.name })
    }

    private func check(_ part: NodePart) async -> HealthCheck {
        let inquiry = self.inquiry
        let began = NIODeadline.now()
        guard await within(milliseconds: self.limitMilliseconds, { await inquiry.reach(part) }) != nil else {
            return .failed(part.rawValue, "no answer within \(self.limitMilliseconds) ms")
        }
        let microseconds = (NIODeadline.now() - began).nanoseconds / 1_000
        return .ok(part.rawValue, "answered in \(microseconds) us")
    }
}
