import LogModel
import Testing

@testable import HoldfastClient

/// Where nodes say that their logs begin.
@Suite struct BeginningLedgerTests {
    private static func status(
        _ first: UInt64, node: UInt32 = 1, incarnation: String = "a", cluster: String? = "c"
    ) -> ClusterStatus {
        ClusterStatus(
            node: node, role: "follower", term: 3, leader: 1, cluster: cluster, incarnation: incarnation,
            firstIndex: first,
            lastIndex: 2_000, commit: "0:0", tail: "0:0", isReady: true, nodes: [])
    }

    @Test func `a log that begins where it began before, or later, is as it should be`() {
        var ledger = BeginningLedger()
        for first in [1, 1, 900, 900] as [UInt64] { ledger.heard(Self.status(first), askedAs: ledger.ask()) }
        #expect(ledger.retreats.isEmpty)
    }

    @Test func `a log that begins earlier again went back`() {
        var ledger = BeginningLedger()
        for first in [900, 899] as [UInt64] { ledger.heard(Self.status(first), askedAs: ledger.ask()) }
        #expect(ledger.retreats == ["n1 began at 900, and then at 899 again"])
    }

    @Test func `an answer that was asked for before the last one was taken says nothing`() {
        var ledger = BeginningLedger()
        let (early, late) = (ledger.ask(), ledger.ask())
        ledger.heard(Self.status(900), askedAs: late)
        ledger.heard(Self.status(1), askedAs: early)
        #expect(ledger.retreats.isEmpty)
        // Nor the other way round: the later question may have been answered first, by the node itself.
        let (third, fourth) = (ledger.ask(), ledger.ask())
        ledger.heard(Self.status(1_500), askedAs: third)
        ledger.heard(Self.status(900), askedAs: fourth)
        #expect(ledger.retreats.isEmpty)
        // Whoever is asked now has no such excuse.
        ledger.heard(Self.status(900), askedAs: ledger.ask())
        #expect(ledger.retreats.count == 1)
    }

    @Test func `each node and each life of one is by itself, and one without a cluster says nothing`() {
        var ledger = BeginningLedger()
        ledger.heard(Self.status(900), askedAs: ledger.ask())
        ledger.heard(Self.status(1, node: 2), askedAs: ledger.ask())
        ledger.heard(Self.status(1, incarnation: "b"), askedAs: ledger.ask())
        ledger.heard(Self.status(1, cluster: nil), askedAs: ledger.ask())
        #expect(ledger.retreats.isEmpty)
    }

    @Test func `trims never go back`() {
        var ledger = BeginningLedger()
        ledger.trimmed(to: LogIndex(50))
        ledger.trimmed(to: LogIndex(50))
        #expect(ledger.first == LogIndex(50) && ledger.retreats.isEmpty)
        ledger.trimmed(to: LogIndex(40))
        #expect(ledger.first == LogIndex(50) && ledger.retreats.count == 1)
    }
}
