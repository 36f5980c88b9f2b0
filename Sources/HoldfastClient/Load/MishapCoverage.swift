/// Which kinds of mishaps a soak test has made, of those that were possible where it ran.
///
/// Each comes once in a round, so a run of as many mishaps as there are kinds has had a round: a kind that is missing then has a
/// fault of the test to thank for that, and what it would have shown is not tested. A shorter run says how much it has tested.
package struct MishapCoverage: Hashable, Sendable {
    /// All kinds that could happen.
    package var possible: [String]
    /// How often each happened, and how often one was tried in vain.
    package var made: [String: Int]
    package var missed: [String: Int]

    package init(possible: [String], made: [String: Int], missed: [String: Int]) {
        self.possible = possible
        self.made = made
        self.missed = missed
    }

    /// Kinds that happened.
    private var happened: [String] { self.possible.filter { self.made[$0, default: 0] > 0 } }

    /// Whether the run had room for each kind once.
    package var isRound: Bool {
        (self.made.values.reduce(0, +) + self.missed.values.reduce(0, +)) >= self.possible.count
    }

    /// In words; none in a run that was too short for a round.
    package var problems: [String] {
        guard self.isRound else { return [] }
        return self.possible.filter { self.made[$0, default: 0] == 0 }.map { kind in
            let tries = self.missed[kind, default: 0]
            return tries == 0 ? "never happened: \(kind)" : "never happened, and was tried \(tries) x: \(kind)"
        }
    }

    /// For people: how much was tested.
    package var summary: String {
        "\(self.happened.count) of \(self.possible.count) kinds of mishaps happened"
            + (self.isRound ? "" : "; a round of all takes a longer run")
    }
}
