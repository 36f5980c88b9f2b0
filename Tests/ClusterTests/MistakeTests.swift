import Foundation
import Testing

extension ClusterTests {
    /// Command lines as people get them wrong: each has its exit code, says what is wrong, and how it is done right.
    @Suite struct MistakeTests {
        private struct Mistake: Sendable {
            var status: Int32
            var arguments: [String]
            /// What the answer says, among other things.
            var gist: String
        }

        /// Exit code, arguments after `holdfast`, gist. `CLOSED` is an address where nobody listens; stdin is a line with `x`.
        private static let table = """
            64 | frobnicate                                           | Unexpected argument 'frobnicate'
            64 | tial -f                                              | Unexpected argument 'tial'. Did you mean 'tail'?
            64 | help tial                                            | Unexpected argument 'tial'. Did you mean 'tail'?
            64 | member lst --server CLOSED                           | Unexpected argument 'lst'. Did you mean 'list'?

            64 | cluster frobnicate                                   | Unexpected argument 'frobnicate'
            64 | cluster up -n 0                                      | -n must be from 1 to 7
            64 | cluster up -n eight                                  | The value 'eight' is invalid for '-n <nodes>'
            64 | cluster up --base-port 70000                         | --base-port must be 1 to 65000
            78 | cluster up --config-dir /absent                      | there is no n*.yaml in /absent
            64 | cluster up --config-dir . -n 3                       | --config-dir already says nodes, ports and settings
            64 | cluster kill                                         | Missing expected argument '<node>'
            1  | cluster kill n1                                      | there is no cluster under
            1  | cluster status                                       | there is no cluster under
            64 | cluster corrupt n1 --offset 3                        | --offset needs --segment
            64 | cluster corrupt n1 --segment x                       | The value 'x' is invalid for '--segment <segment>'
            64 | cluster corrupt n1 --offset -3                       | Missing value for '--offset <offset>'
            1  | cluster start n1                                     | there is no cluster under
            1  | cluster down                                         | there is no cluster under

            64 | status --frobnicate                                  | Unknown option '--frobnicate'
            64 | status -o xml                                        | The value 'xml' is invalid for '-o <output>'
            64 | status --color pink                                  | The value 'pink' is invalid for '--color <color>'
            64 | status --wait-ready soon                             | a duration is a whole number and its unit
            64 | status --wait-ready 1s --wait-leader 1s              | --wait-ready waits for a leader, too
            69 | status --server CLOSED                               | no node answers

            64 | read --from yesterday                                | --from must be first, tail, an index from 1, -N for the last N, or @TIME
            64 | read --from 0                                        | --from must be first, tail, an index from 1, -N for the last N, or @TIME
            64 | read --from @yesterday                               | --from must be first, tail, an index from 1, -N for the last N, or @TIME
            64 | read --to 0                                          | --to must be first, tail, an index from 1, -N for the last N, or @TIME
            64 | read -n 0                                            | --limit must be above 0
            64 | read -n many                                         | The value 'many' is invalid for '-n <limit>'
            64 | read --limit -1                                      | --limit must be above 0
            64 | read --consistency eventual                          | The value 'eventual' is invalid for '--consistency <consistency>'
            64 | read --min-index 0                                   | --min-index must be above 0: indexes begin with 1
            64 | read --format xml                                    | The value 'xml' is invalid for '--format <format>'
            64 | read -o json --format lines                          | -o json prints JSON: leave it out, or say --format json
            64 | read --format json --long                            | --long goes without --format json, which has all of it
            64 | read --server nonsense                               | "nonsense" is not a list of host:port
            64 | read --server host:99999                             | "host:99999" is not a list of host:port
            64 | read --timeout 5                                     | a duration is a whole number and its unit
            64 | read --timeout 5parsecs                              | a duration is a whole number and its unit
            69 | read --server CLOSED --timeout 50ms                  | no leader was reached: CLOSED: no connection: Connection refused

            64 | tail -n -1                                           | -n must be 0 or more
            64 | tail -n x                                            | The value 'x' is invalid for '-n <lines>'
            64 | tail --from tomorrow                                 | --from must be first, tail, an index from 1, -N for the last N, or @TIME
            64 | tail -n 3 --from 2                                   | -n goes without --from
            69 | tail --server CLOSED --timeout 50ms                  | no leader was reached: CLOSED: no connection: Connection refused

            64 | append --batch 0                                     | --batch must be from 1 to 4096
            64 | append --batch 5000                                  | --batch must be from 1 to 4096
            64 | append --expect 0                                    | --expect must be above 0: indexes begin with 1
            64 | append --expect x                                    | The value 'x' is invalid for '--expect <expect>'
            64 | append --key                                         | Missing value for '--key <key>'
            64 | append --linger 5                                    | a duration is a whole number and its unit
            64 | append --linger 2m                                   | --linger must be at most 1m
            64 | append --key k --linger 1s                           | --linger goes without --key: all of the input is one request
            64 | append --format csv                                  | The value 'csv' is invalid for '--format <format>'
            64 | append --ack some                                    | The value 'some' is invalid for '--ack <ack>'
            64 | append --fencing-token -1                            | Missing value for '--fencing-token <fencing-token>'
            1  | append /absent/file                                  | /absent/file: No such file or directory
            1  | append /                                             | / is a directory
            69 | append --server CLOSED --timeout 50ms                | stdin, line 1: no leader was reached: CLOSED: no connection: Connection refused
            69 | append --server nohost.invalid:1 --timeout 50ms      | nohost.invalid:1: no connection: there is no host of the name nohost.invalid
            69 | explain --server CLOSED                              | no node answers
            64 | append --format json --server CLOSED                 | stdin, line 1: no record as JSON
            64 | append --format base64 --server CLOSED               | stdin, line 1: not base64

            64 | cursor get                                           | Missing expected argument '<name>'
            64 | cursor set billing zero                              | The value 'zero' is invalid for '<index>'
            64 | cursor set billing 0                                 | indexes begin with 1
            64 | cursor set bad/name 1                                | a name has 1 to 64 letters
            69 | cursor list --server CLOSED --timeout 50ms           | no leader was reached: CLOSED: no connection: Connection refused

            64 | trim                                                 | Missing expected argument '--before <before>'
            64 | trim --before 0                                      | --before is an index, a whole number from 1
            64 | trim --before x                                      | The value 'x' is invalid for '--before <before>'
            69 | trim --before 5 --server CLOSED --timeout 50ms       | no leader was reached: CLOSED: no connection: Connection refused

            64 | transfer-leader --to zero                            | a node is a number from 1
            64 | transfer-leader --to n0                              | a node is a number from 1
            69 | transfer-leader --server CLOSED --timeout 50ms       | no leader was reached: CLOSED: no connection: Connection refused

            64 | member add 4                                         | Missing expected argument '--peer <peer>'
            64 | member add zero --peer 127.0.0.1:1 --client 127.0.0.1:2 | a node is a number from 1
            64 | member add 4 --peer nowhere --client 127.0.0.1:2     | an address is a host and a port
            64 | member promote                                       | Missing expected argument '<node>'
            64 | member remove n0                                     | a node is a number from 1
            69 | member list --server CLOSED --timeout 50ms           | no leader is known

            64 | verify                                               | Missing expected argument '<dir> ...'
            64 | verify /absent                                       | /absent: No such file or directory
            64 | verify /                                             | / holds no log
            64 | verify /etc/passwd                                   | /etc/passwd is a file, and not a segment of a log

            64 | inspect segment /absent                              | /absent: No such file or directory
            64 | inspect segment /                                    | / is a directory: which segment? it holds none
            64 | inspect segment . x                                  | The value 'x' is invalid for '<segment>'
            64 | inspect frame . 0:0                                  | there is no 000000.wal in .: it holds none
            64 | inspect vote /                                       | / holds no log

            64 | repair /absent                                       | Say either --plan or --apply
            64 | repair / --plan                                      | / holds no log
            64 | repair . --plan --apply                              | Say either --plan or --apply

            64 | recover-quorum --plan                                | Missing expected argument '<directories> ...'
            64 | recover-quorum --plan /absent                        | /absent: No such file or directory

            64 | bench append --rate 0                                | --rate must be from 1 to 1M appends per second: 500, 1k, 1k/s
            64 | bench append --rate fast                             | --rate must be from 1 to 1M appends per second: 500, 1k, 1k/s
            64 | bench append --rate 2M                               | --rate must be from 1 to 1M appends per second: 500, 1k, 1k/s
            64 | bench append --rate 1 --duration 999ms              | --duration must be long enough for one append at this --rate
            64 | bench append --verify                                | --verify goes with --rate
            64 | bench append --rate 1k --clients 1,2                 | --clients must be one number from 1 to 200 with --rate
            64 | bench append --rate 1k --session                     | --session, --in-flight and --runs go without --rate
            64 | bench append --rate 1k --runs 3                      | --session, --in-flight and --runs go without --rate
            64 | bench append --rate 1k --size 10                     | --size must be at least 35 with --rate: records have names
            64 | bench append --rate 1k --clients 201                 | --clients must be one number from 1 to 200 with --rate
            64 | bench append --clients 0                             | --clients must be numbers from 1 to 4096, separated by commas
            64 | bench append --clients 10 --connections 4            | --connections must divide --clients
            64 | bench append --session --clients 1,257               | --clients must be at most 256 with --session: each session is a producer
            64 | bench append --size 5bytes                           | a size is a whole number of bytes
            64 | bench append --size 1GiB                             | bytes of a record must be from 1 to 8388608
            64 | bench append --data xml                              | The value 'xml' is invalid for '--data <data>'
            64 | bench append --duration 0s                           | --duration must be above 0
            64 | bench append --server nowhere                        | --server must be host:port, separated by commas
            64 | bench read --page 0                                  | --page must be from 1 to 10000
            64 | bench read --server nowhere                          | --server must be host:port, separated by commas
            64 | bench read --log-size 0                              | --log-size must be from 1 to 16GiB
            64 | bench disk --dir /absent                             | cannot make a directory in /absent
            64 | bench disk --file-size 1                             | --file-size must be whole MiB, from 1MiB to 4GiB
            64 | bench disk --duration 2m                             | --duration must be from 1ms to 60s
            64 | bench catch-up --size 1                              | --size must be at least 1MiB
            64 | bench failover --nodes 1                             | --nodes must be at least 3: fewer do not go on without their leader
            64 | bench log append --policy never                      | --policy must be always, batch, batch:10ms (1ms to 60s) or os,
            64 | bench log recover --segment-size 1                   | --segment-size must be from 1MiB to 128MiB
            64 | bench log growth --segment-size 1GiB                 | --segment-size must be from 1MiB to 128MiB
            64 | bench log recover --log-size 0                       | --log-size must be from 1MiB to 1TiB
            69 | bench append --server CLOSED --rate 1k               | no leader is known
            69 | bench read --server CLOSED --runs 1                  | no leader is known

            64 | failover-test --kills 101010                         | --kills must be from 1 to 10000

            64 | soak-test --minutes 0                                | --minutes must be more than 0

            64 | sim --seeds 0                                        | --seeds is 1 ... 1000000000
            64 | sim --seed x                                         | The value 'x' is invalid for '--seed <seed>'
            64 | sim --nodes 99                                       | --nodes is 1 ... 7

            78 | serve --config /absent.yaml                          | /absent.yaml: cannot be read as configuration: No such file
            78 | serve --auth-tokens absent --node-id 1 --data-dir ./x | absent cannot be read: No such file or directory
            71 | cluster up --data-dir /proc/x                        | cannot create /proc/x/run: No such file or directory
            78 | serve --node-id zero --data-dir ./x                  | --node-id: node.id is "zero", but must be a whole number from 1 to 4294967295
            78 | serve --listen nowhere --node-id 1 --data-dir ./x    | --listen: listen.client is "nowhere", but must be host:port, for
            78 | serve --fsync never --node-id 1 --data-dir ./x       | --fsync: fsync.policy is "never", but must be always, batch or os
            78 | serve --segment-size 5 --node-id 1 --data-dir ./x    | --segment-size: segment.size is "5", but must be a size from 1MiB to

            78 | config check --config /absent.yaml                   | /absent.yaml: cannot be read as configuration
            64 | config keys --frobnicate                             | Unknown option '--frobnicate'

            71 | generate systemd --output /nonexistent/x             | cannot write /nonexistent/x
            78 | token list --file /absent/tokens                     | /absent/tokens cannot be read
            78 | token revoke billing --file /absent/tokens           | /absent/tokens cannot be read
            71 | token create --name a --scope read --file /absent/t  | cannot write /absent/t: No such file or directory
            1  | certs show nothere                                   | nothere cannot be read
            1  | certs node 1 --dir nothere                           | there is no authority in nothere
            64 | certs ca --cluster a/b                               | a/b is no name of a cluster

            64 | --generate-completion-script tcsh                    | Can't generate completion scripts for 'tcsh'
            """

        private static func mistakes(closed: String) throws -> [Mistake] {
            try self.table.split(separator: "\n").map { row in
                let cells = row.replacing("CLOSED", with: closed).split(separator: " | ", maxSplits: 2)
                try #require(cells.count == 3, "\(row)")
                return Mistake(
                    status: try #require(Int32(cells[0].prefix { $0 != " " }), "\(row)"),
                    arguments: cells[1].split(separator: " ").map(String.init), gist: String(cells[2]))
            }
        }

        @Test func `What makes no sense, is not there or does not answer is told with its exit code and what to do`()
            async throws
        {
            let mistakes = try Self.mistakes(closed: "127.0.0.1:\(try Ports.freeBase(nodes: 1))")
            #expect(mistakes.count >= 100)
            // A few at a time: the machine has few cores.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, mistake) in mistakes.enumerated() {
                    if number >= 4 { try await group.next() }
                    group.addTask { try await Self.expect(mistake) }
                }
                try await group.waitForAll()
            }
        }

        private static func expect(_ mistake: Mistake) async throws {
            let answer = try await Program.run(mistake.arguments, input: "x\n")
            let line = mistake.arguments.joined(separator: " ")
            #expect(answer.status == mistake.status, "\(line): \(answer.summary)")
            #expect(answer.errors.contains(mistake.gist), "\(line): \(answer.summary)")
            let isParsed = answer.errors.contains("holdfast: ")
            #expect(answer.errors.contains(isParsed ? "\n  next: " : "Usage: holdfast"), "\(line): \(answer.summary)")
            // Data goes to stdout, and there is none; status shows who was asked.
            #expect(
                answer.output.isEmpty || ["status", "explain"].contains(mistake.arguments[0]),
                "\(line): \(answer.summary)")
        }
    }
}
