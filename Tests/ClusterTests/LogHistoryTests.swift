import Testing

extension ClusterTests {
    /// The judge itself: a check that never complains proves nothing.
    @Suite struct LogHistoryTests {
        private static let start = ContinuousClock.now

        private static func at(_ milliseconds: Int) -> LogHistory.Instant { self.start + .milliseconds(milliseconds) }

        private static func append(
            _ values: [String], _ fate: LogHistory.Fate, _ began: Int, _ ended: Int
        ) -> LogHistory.Append {
            LogHistory.Append(values: values, fate: fate, began: self.at(began), ended: self.at(ended))
        }

        private static func read(
            _ values: [String], from first: UInt64, of length: UInt64, _ began: Int, _ ended: Int,
            isLinearizable: Bool = true
        ) -> LogHistory.Read {
            LogHistory.Read(
                node: "n1", isLinearizable: isLinearizable, first: first, values: values, length: length,
                began: self.at(began), ended: self.at(ended))
        }

        private static let log = ["a1", "a2", "b1", "c1", "c2"]

        /// Two appends one after the other, one beside both whose fate nobody knows, and one that was refused.
        private static let history = LogHistory(appends: [
            append(["a1", "a2"], .acknowledged(first: 1), 0, 10), append(["b1"], .acknowledged(first: 3), 20, 30),
            append(["c1", "c2"], .unknown, 5, 40), append(["refused"], .refused, 0, 50),
        ])

        // MARK: Contents

        @Test func `A log that keeps every promise has no findings, with or without what is unknown`() {
            for log in [Self.log, Array(Self.log.prefix(3))] {
                #expect(Self.history.findings(in: log).isEmpty)
                #expect(Self.history.findings(in: log + ["other"], others: ["other"]).isEmpty)
            }
        }

        private static let broken: [(log: [String], finding: String)] = [
            (["a1", "a2"], "b1 was acknowledged at 3 and is lost"),
            (["b1", "a1", "a2"], "a1 was acknowledged at 1 and stands at 2"),
            (["a1", "a2", "b1", "b1"], "b1 stands at 3 and at 4"),
            (["a1", "x", "b1"], "a1 was acknowledged at 1 and is torn"),
            (["a1", "a2", "b1", "c2"], "the batch of c1 is torn"),
            (log + ["c1", "c2"], "c1 stands at 4 and at 6"),
            (log + ["refused"], "refused was refused and stands at 6"),
            (log + ["foreign"], "foreign at 6 was appended by nobody"),
        ]

        @Test(arguments: broken)
        func `A log that breaks a promise is found out`(log: [String], finding: String) {
            let findings = Self.history.findings(in: log)
            #expect(findings.contains { $0.contains(finding) }, "\(findings)")
        }

        @Test func `What others appended must be there`() {
            #expect(Self.history.findings(in: Self.log, others: ["other"]) == ["other is lost"])
        }

        // MARK: Reads

        private static let goodReads: [[LogHistory.Read]] = [
            // Beside the append that it sees, and beside the one that it does not see.
            [read(["a1", "a2"], from: 1, of: 2, 1, 9)], [read([], from: 1, of: 0, 1, 9)],
            // What is unknown is there from some moment on: before or after its own client gave up.
            [read(["b1"], from: 3, of: 3, 25, 60), read(Self.log, from: 1, of: 5, 61, 70)],
            // Two at once may be told different lengths in any order.
            [read(["b1"], from: 3, of: 3, 31, 50), read(["c2"], from: 5, of: 5, 31, 50)],
            // Committed reads may lag.
            [read(["a2"], from: 2, of: 2, 60, 70, isLinearizable: false)],
        ]

        @Test(arguments: goodReads)
        func `Reads that some order explains have no findings`(reads: [LogHistory.Read]) {
            var history = Self.history
            history.reads = reads
            #expect(history.findings(in: Self.log).isEmpty)
        }

        private static let badReads: [(reads: [LogHistory.Read], finding: String)] = [
            ([read(["a2"], from: 2, of: 2, 31, 50)], "began after the end of b1 at 3"),
            (
                [read(["c2"], from: 5, of: 5, 31, 32), read(["b1"], from: 3, of: 3, 33, 50)],
                "through 3 began after the end of a linearizable read of n1 through 5"
            ),
            (
                [read(["c2"], from: 5, of: 5, 31, 32, isLinearizable: false), read(["b1"], from: 3, of: 3, 33, 50)],
                "through 3 began after the end of a committed read of n1 through 5"
            ),
            ([read(["b1"], from: 3, of: 3, 11, 19)], "b1 at 3 began after the end of a linearizable read"),
            ([read(["x"], from: 3, of: 3, 11, 60)], "not the log's"),
            ([read(["x"], from: 3, of: 3, 11, 60, isLinearizable: false)], "not the log's"),
            ([read(["b1"], from: 3, of: 2, 11, 60)], "not the log's"),
            ([read([], from: 7, of: 6, 11, 60)], "not the log's"),
            ([read(["a1"], from: 1, of: 1, 1, 9)], "saw half of the batch of a1"),
        ]

        @Test(arguments: badReads)
        func `Reads that no order explains are found out`(reads: [LogHistory.Read], finding: String) {
            var history = Self.history
            history.reads = reads
            let findings = history.findings(in: Self.log)
            #expect(findings.contains { $0.contains(finding) }, "\(findings)")
        }

        // MARK: Appends in real time

        @Test func `An append that began after another was acknowledged has a higher index`() {
            let history = LogHistory(appends: [
                Self.append(["late"], .acknowledged(first: 1), 20, 30),
                Self.append(["early"], .acknowledged(first: 2), 0, 10),
            ])
            #expect(
                history.findings(in: ["late", "early"]) == [
                    "late at 1 began after the end of early at 2 and comes before it"
                ])
        }

        @Test func `An unknown append that took effect did so after it began`() {
            let history = LogHistory(appends: [
                Self.append(["lost?"], .unknown, 20, 30), Self.append(["early"], .acknowledged(first: 2), 0, 10),
            ])
            #expect(history.findings(in: ["lost?", "early"]).count == 1)
        }
    }
}
