import Testing

extension ClusterTests {
    /// The judge itself: a check that never complains proves nothing.
    @Suite struct HistoryTests {
        private static let first = History.values(0, 2)
        private static let second = History.values(0, 4)
        private static let doubtful = History.values(1, 1)

        /// Producer 0 was told 1 and 4 for its batches, producer 1 nothing certain and then a refusal.
        private static func history() -> History {
            let history = History(producers: 2)
            history.told(0, self.first, .acknowledged(first: 1))
            history.told(0, self.second, .acknowledged(first: 4))
            history.told(1, self.doubtful, .unknown)
            history.told(1, ["refused"], .refused)
            return history
        }

        @Test func `A log that keeps every promise has no findings, with or without what is unknown`() {
            let log = Self.first + Self.second
            #expect(Self.first.count == 3 && Self.second.count == 2 && Self.doubtful.count == 2)
            #expect(Self.history().findings(in: log).isEmpty)
            #expect(Self.history().findings(in: log + Self.doubtful).isEmpty)
            #expect(Self.history().findings(in: log + ["other"], others: ["other"]).isEmpty)
        }

        private static let good: [String] = first + second
        private static let broken: [(log: [String], finding: String)] = [
            (first, "was acknowledged at 4 and is lost"),
            (second + first, "was acknowledged at 1 and stands at 3"),
            (good + first, "stands at 1 and at 6"),
            (good + [doubtful[0]], "is torn"),
            (good + doubtful + doubtful, "stands at 6 and at 8"),
            (good + ["refused"], "was refused and stands at 6"),
            (good + ["foreign"], "was appended by nobody"),
        ]

        @Test(arguments: broken)
        func `A log that breaks a promise is found out`(log: [String], finding: String) {
            let findings = Self.history().findings(in: log)
            #expect(findings.contains { $0.contains(finding) }, "\(findings)")
        }
    }
}
