import Foundation
import Testing

@testable import HoldfastClient

/// From pictures of a cluster of three to findings.
@Suite struct DiagnosisTests {
    /// Three voters; n2 leads in term 5 and has committed records 1 to 10, unless something else is said.
    struct Picture {
        var statuses: [UInt32: ClusterStatus]
        var silences: [UInt32: ClusterSight.Silence] = [:]

        static let numbers: [UInt32] = [1, 2, 3]

        init(leader: UInt32? = 2) {
            self.statuses = Dictionary(
                uniqueKeysWithValues: Self.numbers.map { ($0, Self.status(of: $0, leader: leader)) })
        }

        private static func status(of number: UInt32, leader: UInt32?) -> ClusterStatus {
            let nodes = self.numbers.map { other in
                var node = ClusterStatus.Node(
                    node: other, client: self.client(other), peer: "127.0.0.1:74\(other)1")
                node.membership = .voter
                guard other != number else { return node }
                node.isConnected = true
                guard leader == number else { return node }
                (node.received, node.persisted) = ("0:900", "0:900")
                (node.missingBytes, node.shipping) = (0, .streaming)
                return node
            }
            let role = leader == number ? "leader" : leader == nil ? "candidate" : "follower"
            var status = ClusterStatus(
                node: number, role: role, term: 5, leader: leader, cluster: "c", incarnation: "1", firstIndex: 1,
                lastIndex: 10, commit: "0:900", tail: "0:900", isReady: true, nodes: nodes)
            status.tailIndex = 10
            status.health = self.health()
            return status
        }

        static func client(_ number: UInt32) -> String { "127.0.0.1:74\(number)0" }

        static func health(mayVote: Bool = true, damaged: [UInt32] = []) -> ClusterStatus.Health {
            .init(
                mayVote: mayVote, damagedSegments: damaged, damageFound: 0, segmentsRepaired: 0, scrubbedBytes: 0,
                scrubPasses: 0)
        }

        mutating func silence(_ number: UInt32, _ silence: ClusterSight.Silence = .unreachable(reason: "refused")) {
            self.statuses[number] = nil
            self.silences[number] = silence
        }

        mutating func change(_ number: UInt32, _ change: (inout ClusterStatus) -> Void) {
            guard var status = self.statuses[number] else { return }
            change(&status)
            self.statuses[number] = status
        }

        /// What the leader, or whoever says it, says of another node.
        mutating func change(_ number: UInt32, about other: UInt32, _ change: (inout ClusterStatus.Node) -> Void) {
            self.change(number) { status in
                for place in status.nodes.indices where status.nodes[place].node == other {
                    change(&status.nodes[place])
                }
            }
        }

        var sight: ClusterSight {
            ClusterSight(
                answers: Dictionary(uniqueKeysWithValues: self.statuses.map { (Self.client($0), $1) }),
                silences: Dictionary(uniqueKeysWithValues: self.silences.map { (Self.client($0), $1) }),
                asked: Self.numbers.map(Self.client))
        }
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var ask: @Sendable (inout Picture) -> [Finding]
        var leader: UInt32? = 2
        /// `!` before what is trouble.
        var says: [String]
        var testDescription: String { self.name }
    }

    private static let well = "all is well: n2 leads in term 5; all 3 voters are there, and any 1 may be lost"
    private static let spare = "2 of 3 voters are there (n1, n2), 2 are needed: with one less, nothing is acknowledged"
    private static let missing =
        "!1 of 3 voters are there (n1), 2 are needed: nothing is elected and nothing is committed until 1 more of n2, n3 "
        + "is back"

    static let general: [Case] = [
        Case(name: "all is well", ask: { Diagnosis.all($0.sight) }, says: [well]),
        Case(
            name: "a follower is down",
            ask: {
                $0.silence(3)
                $0.change(2, about: 3) { $0.isConnected = false }
                return Diagnosis.all($0.sight)
            }, says: ["!n3 cannot be reached at 127.0.0.1:7430: refused", spare]),
        Case(
            name: "a follower speaks another version of the protocol",
            ask: {
                $0.change(2, about: 3) { $0.otherProtocol = 2 }
                return Diagnosis.all($0.sight)
            },
            says: [
                "!n3 speaks version 2 of the peer protocol, which n2 does not: neither hears the other, and the vote of n3 "
                    + "does not count", spare,
            ]),
        Case(
            name: "a follower does not read what the leader ships",
            ask: {
                $0.change(3, about: 2) { $0.laterFormat = 9 }
                return Diagnosis.all($0.sight)
            },
            says: [
                "!n3 cannot take what n2 ships as the leader: segments of format 9, which its release does not read; it stays "
                    + "behind", "3 of 3 voters are there (n1, n2, n3), 2 are needed",
            ]),
        Case(
            name: "what an earlier leader shipped is over",
            ask: {
                $0.change(3, about: 1) { $0.laterFormat = 9 }
                return Diagnosis.all($0.sight)
            }, says: [well]),
        Case(
            name: "a follower of another version is silent: what it spoke explains nothing",
            ask: {
                $0.silence(3)
                $0.change(2, about: 3) { ($0.isConnected, $0.otherProtocol) = (false, 2) }
                return Diagnosis.all($0.sight)
            }, says: ["!n3 cannot be reached at 127.0.0.1:7430: refused", spare]),
        Case(
            name: "a follower hangs, and the leader has a connection to it",
            ask: {
                $0.silence(3, .hangs)
                return Diagnosis.all($0.sight)
            },
            says: [
                "!n3 takes connections at 127.0.0.1:7430 and does not answer, and the leader has a connection to it, too: "
                    + "it is paused, or very busy", spare,
            ]),
        Case(
            name: "a follower runs and cannot be reached from here",
            ask: {
                $0.silence(3)
                return Diagnosis.all($0.sight)
            },
            says: [
                "!n3 cannot be reached at 127.0.0.1:7430: refused; the leader has a connection to it, so it runs",
                spare,
            ]),
        Case(
            name: "a voter is blank",
            ask: {
                $0.change(3) { ($0.role, $0.cluster) = ("forming", nil) }
                return Diagnosis.all($0.sight)
            },
            says: ["!n3 has an empty data directory: what it had promised is gone, so it has no vote", spare]),
        Case(
            name: "a node of another cluster listens where one should",
            ask: {
                $0.change(3) { $0.cluster = "another" }
                return Diagnosis.all($0.sight)
            }, says: ["!n3: what answers at 127.0.0.1:7430 is no node of this cluster", spare]),
        Case(
            name: "a voter is retired",
            ask: {
                $0.change(3) { $0.retired = "its file VOTE was unreadable" }
                return Diagnosis.all($0.sight)
            }, says: ["!n3 neither votes nor counts any more: its file VOTE was unreadable", spare]),
        Case(
            name: "the cluster was recovered without a node that was asked, too",
            ask: {
                for number in Picture.numbers.dropFirst() {
                    $0.change(number) { $0.nodes.removeAll { $0.node == 1 } }
                }
                $0.change(1) { $0.retired = "the cluster was recovered without it; holdfast member replace 1" }
                return Diagnosis.all($0.sight)
            },
            says: [
                "!n1 neither votes nor counts any more: the cluster was recovered without it; holdfast member replace 1",
                "2 of 2 voters are there (n2, n3), 2 are needed: with one less, nothing is acknowledged",
            ]),
        Case(
            name: "a node that was removed is no trouble",
            ask: {
                for number in Picture.numbers.dropFirst() {
                    $0.change(number) { $0.nodes.removeAll { $0.node == 1 } }
                }
                return Diagnosis.all($0.sight)
            }, says: ["all is well: n2 leads in term 5; all 2 voters are there, and no loss can be borne"]),
        Case(
            name: "a follower is damaged and may not vote",
            ask: {
                $0.change(3) { $0.health = Picture.health(mayVote: false, damaged: [4, 7]) }
                return Diagnosis.all($0.sight)
            },
            says: [
                "!n3 has damage in segment 4, 7, which its peers are asked to repair",
                "!n3 may not vote: it lost a part of its log, and has to get it again from a leader", spare,
            ]),
        Case(
            name: "the leader's disk is full",
            ask: {
                $0.change(2) { $0.isDiskFull = true }
                return Diagnosis.all($0.sight)
            },
            says: [
                "!n2's disk is full, and it leads: appends are refused (NO_SPACE) before there is room",
                "3 of 3 voters are there (n1, n2, n3), 2 are needed",
            ]),
        Case(
            name: "a follower's disk is full",
            ask: {
                $0.change(3) { $0.isDiskFull = true }
                return Diagnosis.all($0.sight)
            },
            says: [
                "!n3's disk is full: it keeps nothing more of the log before there is room, and falls behind",
                "3 of 3 voters are there (n1, n2, n3), 2 are needed",
            ]),
        Case(
            name: "the leader is unproven",
            ask: {
                $0.change(2) { $0.isReady = false }
                return Diagnosis.all($0.sight)
            },
            says: [
                "!n2 leads in term 5, and has committed nothing in it yet: a majority has to acknowledge the beginning of "
                    + "its term first", "3 of 3 voters are there (n1, n2, n3), 2 are needed",
            ]),
        Case(
            name: "the leader cannot reach who answers here",
            ask: {
                $0.change(2, about: 3) { $0.isConnected = false }
                return Diagnosis.all($0.sight)
            },
            says: [
                "!n2 has no connection to n3 at 127.0.0.1:7431, though both answer here",
                "3 of 3 voters are there (n1, n2, n3), 2 are needed",
            ]),
        Case(
            name: "a follower is behind",
            ask: {
                $0.change(2, about: 3) { $0.missingBytes = 5 << 20 }
                $0.change(3) { $0.lastIndex = 4 }
                return Diagnosis.all($0.sight)
            },
            says: [
                "!n3 is not known to have the last 5 MiB of n2's log, 6 records shown later",
                "3 of 3 voters are there (n1, n2, n3), 2 are needed",
            ]),
        Case(
            name: "voters change",
            ask: {
                $0.change(2, about: 3) { $0.membership = .joining }
                return Diagnosis.all($0.sight)
            },
            says: [
                "the voters are being changed: majorities of the old and the new ones are needed",
                "all is well: n2 leads in term 5",
            ]),
    ]

    static let leaderless: [Case] = [
        Case(
            name: "somebody leads", ask: { Diagnosis.noLeader($0.sight) },
            says: ["n2 leads in term 5", "it has committed in its term: a majority follows it"]),
        Case(
            name: "two are down",
            ask: {
                $0.silence(2)
                $0.silence(3, .hangs)
                return Diagnosis.noLeader($0.sight)
            }, leader: nil,
            says: [
                "!nobody leads", "!n2 cannot be reached at 127.0.0.1:7420: refused",
                "!n3 takes connections at 127.0.0.1:7430 and does not answer: it is paused, or very busy",
                "n1 is candidate in term 5 and voted for itself; its log ends at 0:900", missing,
            ]),
        Case(
            name: "one is down and one may not vote",
            ask: {
                $0.silence(2)
                $0.change(3) { $0.health = Picture.health(mayVote: false) }
                return Diagnosis.noLeader($0.sight)
            }, leader: nil,
            says: [
                "!nobody leads", "!n2 cannot be reached at 127.0.0.1:7420: refused",
                "!n3 may not vote: it lost a part of its log, and has to get it again from a leader",
                "n1 is candidate in term 5 and voted for itself; its log ends at 0:900", missing,
            ]),
        Case(
            name: "all are there: an election is under way",
            ask: {
                $0.change(2) { $0.votedFor = 1 }
                $0.change(3) { $0.votedFor = nil }
                return Diagnosis.noLeader($0.sight)
            }, leader: nil,
            says: [
                "!nobody leads", "n1 is candidate in term 5 and voted for itself; its log ends at 0:900",
                "n2 is candidate in term 5 and voted for n1; its log ends at 0:900",
                "n3 is candidate in term 5 and voted for nobody; its log ends at 0:900",
                "3 of 3 voters are there (n1, n2, n3), 2 are needed: they can elect a leader; if they can reach each other, "
                    + "that takes about a second. Look again",
            ]),
        Case(
            name: "all answer here and one reaches nobody",
            ask: {
                $0.silence(3)
                $0.change(1, about: 2) { $0.isConnected = false }
                $0.change(2) { $0.votedFor = 2 }
                return Diagnosis.noLeader($0.sight)
            }, leader: nil,
            says: [
                "!nobody leads", "!n1 has no connection to n2 at 127.0.0.1:7421, though both answer here",
                "!n3 cannot be reached at 127.0.0.1:7430: refused",
                "n1 is candidate in term 5 and voted for itself; its log ends at 0:900",
                "n2 is candidate in term 5 and voted for itself; its log ends at 0:900",
                "2 of 3 voters are there (n1, n2), 2 are needed: they can elect a leader; if they can reach each other, that "
                    + "takes about a second. Look again",
            ]),
        Case(
            name: "the cluster has not formed",
            ask: {
                for number in Picture.numbers.prefix(2) {
                    $0.change(number) { ($0.role, $0.cluster) = ("forming", nil) }
                }
                $0.silence(3)
                return Diagnosis.noLeader($0.sight)
            }, leader: nil,
            says: [
                "!the cluster has not formed: its nodes are blank and wait until all are there; n3 is missing",
                "!n3 cannot be reached at 127.0.0.1:7430: refused",
            ]),
        Case(
            name: "nobody lets in whoever asks",
            ask: {
                $0.silence(1, .denied(code: "UNAUTHENTICATED", detail: "this node asks for a token"))
                $0.silence(2, .denied(code: "TLS_REQUIRED", detail: "this port speaks TLS"))
                $0.silence(3, .untrusted(.unknownSigner(of: "node 3", signer: "play")))
                return Diagnosis.noLeader($0.sight)
            },
            says: [
                "!nobody answers", "!the node at 127.0.0.1:7410 does not let you in: this node asks for a token",
                "!the node at 127.0.0.1:7420 speaks TLS, and was asked in plain text",
                "!no secure connection to the node at 127.0.0.1:7430: the certificate of node 3 is signed by play, which is "
                    + "not trusted here",
            ]),
        Case(
            name: "one does not let in whoever asks",
            ask: {
                $0.silence(3, .denied(code: "FORBIDDEN", detail: "the token x is not for this"))
                return Diagnosis.all($0.sight)
            }, says: ["!n3 at 127.0.0.1:7430 does not let you in: the token x is not for this", spare]),
        Case(
            name: "nobody answers",
            ask: {
                for number in Picture.numbers { $0.silence(number) }
                return Diagnosis.noLeader($0.sight)
            },
            says: ["!nobody answers"]
                + (1...3).map { "!nothing answers at 127.0.0.1:74\($0)0: refused" }),
    ]

    static let records: [Case] = [
        Case(
            name: "a committed record", ask: { Diagnosis.index(10, $0.sight) },
            says: ["record 10 is committed: a majority has it, and it stays"]),
        Case(
            name: "a committed record that one does not show yet",
            ask: {
                $0.change(3) { $0.lastIndex = 7 }
                return Diagnosis.index(10, $0.sight)
            },
            says: [
                "record 10 is committed: a majority has it, and it stays",
                "n3 does not show it yet: it shows records through 7",
            ]),
        Case(
            name: "a trimmed record",
            ask: {
                $0.change(2) { $0.firstIndex = 5 }
                return Diagnosis.index(4, $0.sight)
            }, says: ["record 4 is trimmed: n2's log begins with 5"]),
        Case(
            name: "a record of the future", ask: { Diagnosis.index(12, $0.sight) },
            says: ["record 12 is not appended yet: the next one that n2 takes becomes 11"]),
        Case(
            name: "a record that only the leader has",
            ask: {
                $0.change(2) { $0.tailIndex = 12 }
                $0.silence(1)
                $0.silence(3, .hangs)
                return Diagnosis.index(11, $0.sight)
            },
            says: [
                "!record 11 stands in n2's log, and is not committed: it shows through 10", "n2 has a record 11",
                "!n1 cannot be reached at 127.0.0.1:7410: refused; the leader has a connection to it, so it runs",
                "!n3 takes connections at 127.0.0.1:7430 and does not answer, and the leader has a connection to it, too: "
                    + "it is paused, or very busy",
                "!1 of 3 voters are there (n2), 2 are needed: nothing is elected and nothing is committed until 1 more of n1, "
                    + "n3 is back",
            ]),
        Case(
            name: "a record on its way",
            ask: {
                $0.change(2) { $0.tailIndex = 11 }
                $0.change(3) { $0.tailIndex = 11 }
                return Diagnosis.index(11, $0.sight)
            },
            says: [
                "!record 11 stands in n2's log, and is not committed: it shows through 10",
                "n1 lacks it: its log ends with record 10", "n2 has a record 11",
                "n3 has a record 11; it has acknowledged the log through 0:900",
                "3 of 3 voters are there (n1, n2, n3), 2 are needed",
            ]),
        Case(
            name: "a record without a leader", ask: { Diagnosis.index(10, $0.sight) }, leader: nil,
            says: [
                "!nobody leads: nothing is committed now, and what is not committed may yet be replaced",
                "n1 has a record 10", "n2 has a record 10", "n3 has a record 10",
                "why nobody leads: holdfast explain no-leader",
            ]),
    ]

    private static func lag(
        _ picture: Picture, before: Picture? = nil, of node: UInt32 = 3
    ) -> [Finding] {
        Diagnosis.lag(of: node, picture.sight, before: (before ?? picture).sight, seconds: 2)
    }

    static let lags: [Case] = [
        Case(
            name: "a level node", ask: { lag($0) },
            says: ["n3 is level with n2"]),
        Case(
            name: "a node that has less than a sync on its way",
            ask: {
                $0.change(2, about: 3) { $0.missingBytes = 300 }
                $0.change(3) { $0.lastIndex = 8 }
                return lag($0)
            }, says: ["n3 is level with n2: 300 B on their way, 2 records shown later"]),
        Case(name: "the leader", ask: { lag($0, of: 2) }, says: ["n2 leads: the others are measured by it"]),
        Case(name: "a stranger", ask: { lag($0, of: 9) }, says: []),
        Case(
            name: "a node that catches up",
            ask: {
                var before = $0
                before.change(2, about: 3) { $0.missingBytes = 30 << 20 }
                $0.change(2, about: 3) { $0.missingBytes = 10 << 20 }
                return lag($0, before: before)
            },
            says: [
                "!n3 is not known to have the last 10 MiB of n2's log, 0 records shown later",
                "it comes nearer by 10 MiB a second, with 10 MiB left: about 1.0 s more",
            ]),
        Case(
            name: "a node that does not come nearer, for its disk is slow",
            ask: {
                $0.change(2, about: 3) { ($0.missingBytes, $0.received, $0.persisted) = (10 << 20, "3:90", "2:70") }
                return lag($0)
            },
            says: [
                "!n3 has received the log to 3:90 and synced it to 2:70: its disk is slower than what arrives",
                "!n3 is not known to have the last 10 MiB of n2's log, 0 records shown later",
                "!n3 does not come nearer: in 2.0 s it went from 10 MiB to 10 MiB behind",
            ]),
        Case(
            name: "a node that does not come nearer, for its disk is full",
            ask: {
                $0.change(2, about: 3) { ($0.missingBytes, $0.received, $0.persisted) = (10 << 20, "3:90", "2:70") }
                $0.change(3) { $0.isDiskFull = true }
                return lag($0)
            },
            says: [
                "!n3's disk is full: it keeps nothing more of the log before there is room, and falls behind",
                "!n3 is not known to have the last 10 MiB of n2's log, 0 records shown later",
                "!n3 does not come nearer: in 2.0 s it went from 10 MiB to 10 MiB behind",
            ]),
        Case(
            name: "a node of an earlier release",
            ask: {
                $0.change(2, about: 3) { $0.missingBytes = 10 << 20 }
                $0.change(3, about: 2) { $0.laterFormat = 9 }
                return Array(lag($0).prefix(2))
            },
            says: [
                "!n3 cannot take what n2 ships as the leader: segments of format 9, which its release does not read; it stays "
                    + "behind", "!n3 is not known to have the last 10 MiB of n2's log, 0 records shown later",
            ]),
        Case(
            name: "a node that copies the first segment",
            ask: {
                $0.change(2, about: 3) { ($0.missingBytes, $0.shipping) = (2 << 30, .fetching) }
                $0.change(3) { $0.lastIndex = 9 }
                return Array(lag($0).prefix(2))
            },
            says: [
                "!what n3 needs is trimmed: it copies the first segment of n2, and goes on from there",
                "!n3 is not known to have the last 2.0 GiB of n2's log, 1 record shown later",
            ]),
        Case(
            name: "a silent node",
            ask: {
                $0.silence(3)
                $0.change(2, about: 3) { ($0.isConnected, $0.missingBytes) = (false, 300 << 10) }
                return Array(lag($0).prefix(2))
            },
            says: [
                "!n3 cannot be reached at 127.0.0.1:7430: refused",
                "!n3 is not known to have the last 300 KiB of n2's log",
            ]),
        Case(
            name: "a node that the leader does not reach",
            ask: {
                $0.change(2, about: 3) { ($0.isConnected, $0.missingBytes) = (false, 0) }
                return lag($0)
            },
            says: [
                "!the leader n2 has no connection to n3 at 127.0.0.1:7431, though n3 answers here",
                "n3 is level with n2",
            ]),
        Case(
            name: "nobody leads", ask: { lag($0) }, leader: nil,
            says: [
                "!nobody leads, so there is nothing to be behind of", "why nobody leads: holdfast explain no-leader",
            ]),
    ]

    private static let log =
        "the log holds records 1 to 10, in segments up to 0; it goes in whole segments, and the newest sealed one stays"

    private static func cursor(_ name: String, _ index: UInt64, hold: Bool) throws -> CursorDocument {
        try #require(
            JSONDocument.decode(
                CursorDocument.self, from: Array("{\"name\":\"\(name)\",\"index\":\(index),\"hold\":\(hold)}".utf8)))
    }

    @Test(arguments: general + leaderless + records + lags)
    func `a picture is explained in these words`(of picture: Case) {
        var seen = Picture(leader: picture.leader)
        if picture.leader == nil { seen.change(1) { $0.votedFor = 1 } }
        let findings = picture.ask(&seen)
        #expect(findings.map { ($0.trouble ? "!" : "") + $0.text } == picture.says)
    }

    @Test func `what holds a trim is named`() throws {
        var picture = Picture()
        func words(_ cursors: [CursorDocument]?) -> [String] {
            Diagnosis.trim(picture.sight, cursors: cursors).map { ($0.trouble ? "!" : "") + $0.text }
        }
        let free = try Self.cursor("seen", 2, hold: false)
        #expect(words([free]) == [Self.log, "no cursor holds anything: all before the newest sealed segment may go"])
        let holding = try [free, Self.cursor("b", 7, hold: true), Self.cursor("a", 9, hold: true)]
        #expect(
            words(holding) == [
                Self.log,
                "the cursor b holds everything from record 7 on, the lowest of 2 that hold: move it, or delete it "
                    + "(holdfast cursor delete b)",
            ])
        #expect(words(nil).last == "!the cursors could not be read, so what they hold is not known")
        picture.change(2) { $0.health = Picture.health(damaged: [6, 4]) }
        picture.silence(3)
        #expect(
            words([]) == [
                Self.log,
                "!n2 has damage in segment 4: nothing from there on is trimmed before it is repaired",
                "n3 does not answer, and holds nothing up: what it misses of the beginning it skips",
            ])
        #expect(
            Diagnosis.trim(Picture(leader: nil).sight, cursors: nil).first?.text
                == "nobody leads: nobody can decide to trim")
    }

    @Test func `a deposed leader of an older term is not believed`() {
        var picture = Picture(leader: 2)
        picture.change(1) { ($0.role, $0.term, $0.leader) = ("leader", 6, 1) }
        #expect(picture.sight.leader?.node == 1)
    }

    @Test func `every code is documented`() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appendingPathComponent("Sources/HoldfastNode/HoldfastNode.docc/Explanations.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        for code in Finding.Code.allCases { #expect(text.contains("`\(code.rawValue)`"), "\(code)") }
    }

    @Test func `findings have stable names for programs`() {
        let finding = Finding(code: .nodeHangs, node: 3, trouble: true, text: "t", next: "n")
        #expect(
            String(decoding: JSONDocument.encode(finding), as: UTF8.self)
                == "{\"code\":\"node_hangs\",\"next\":\"n\",\"node\":3,\"text\":\"t\",\"trouble\":true}\n")
    }
}
