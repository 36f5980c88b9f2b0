"""What the Performance article says in words. Figures that are of no run of `scripts/bench` have their date and command here."""

from .plan import Append, Failover
from .summary import Summary
from .words import table, times

INTRODUCTION = """\
# Performance

How fast Holdfast is beside etcd, NATS JetStream, PostgreSQL and RocksDB, where it is behind, and how to measure it again.

The figures on this page come from one run of one program, `scripts/bench`, on one machine, except those of four sections, which
give the date and the command of their own runs: [where the time goes](#Where-the-time-goes), [what was kept and what was
dropped](#What-was-kept-and-what-was-dropped), [growth](#Growth) and [goals](#Goals). Systems take turns, cell by cell, in an order that is drawn
anew for each: what the machine and its disk feel like at the moment, they feel alike. Compare within a run, not with figures from
elsewhere: the same machine differs by a factor of two from hour to hour."""

_METHOD = """\
## How it is measured

- **Three nodes** of each system on loopback, all of them running at once; those that are not measured rest, and
  [what that takes](#At-rest) is measured, too. Holdfast, etcd and NATS get the same load from the same program (`peer-bench`:
  one process, one event loop; Holdfast and etcd by the same HTTP/2 client), PostgreSQL from its own `pgbench` with prepared
  statements and one thread. Clients ask the leader. Up to 64 clients have a connection each, more share 64; those of
  PostgreSQL have one each in any case. Holdfast takes batches, and many appends of one client at once, in a session.
- **The load is not the bottleneck** as long as it reaches much more with [a server that keeps
  nothing](#What-the-driver-can-show). It shares the machine with what it measures, so its own part stands beside each cell.
- **A latency** counts from sending to the acknowledgement; where a rate is given, from when the append was due, so that what
  waits behind a slow one is slow, too. A p50 or p99 in a table is the median over the rounds of each round's own; a worst is that
  of all rounds.
- **A failover** is a kill -9 of the leader while one client appends every 2 ms and waits 100 ms for each answer. It begins at
  the leader; when an answer does not come or says no, it asks the next node in turn. Discovery by client libraries is left out
  for all alike. On one machine a killed process's connections close at once, which a follower of Holdfast notices; a machine
  that loses its power, or a process that hangs, is noticed by its silence, after an election time-out of 300 to 600 ms.{silence}
- **Catching up** counts from starting the process again until its copy of the log is level, in a cluster of its own. Memory
  for it was touched just before, since hosts of virtual machines give it page by page when it is used.
- **CPU** is that of all nodes together, in cores; **memory** is anonymous and shared memory of all nodes at the end of a cell.

What is not compared: PostgreSQL has no failover of its own, and a standby that a reader could follow notifies nobody; one
connection has one transaction at a time, so it is not pipelined. NATS of this version takes no batches. etcd is a key-value
store that keeps an index and revisions as well, PostgreSQL a database: each does more for an append than a log does."""

_TRIED = """\
## What was kept, and what was dropped

Measured on 2026-11-27 and 2026-11-28, when each change was made, against the build without it, in turns: by `holdfast bench append`
(many callers: `--clients 64 --connections 8`), and instructions by valgrind over `path-costs`. The figures compare within their
row, and with no table of this page. `scripts/budgets` guards the paths' instructions since."""

#: Change, what it did, and what became of it.
_CHANGES = (
    ("frames are written, not stored through a mapping, where a log is synced all the time",
     "a sync carried a folio of up to 1 MiB for each byte touched", "kept"),
    ("a sync waits for the callers of the last one",
     "callers had split into two groups that took turns, each waiting for two syncs", "kept"),
    ("one sync carries 256 KiB at most",
     "half the latency of a leader beside a follower that catches up on the same disk, until that one got one RANGE at a time",
     "dropped"),
    ("one sync carries up to 2 MiB instead",
     "a follower 1 GiB behind an idle leader: 579 MiB/s instead of 478; beside appends no difference to either", "kept"),
    ("one system call writes 1 MiB at most",
     "records of 8 MiB: 44 a second instead of 25; the pages of a larger write come in blocks that the host of a virtual machine "
     "has to give first", "kept"),
    ("a frame that is alone becomes the run that is written and shipped, uncopied",
     "records of 1 MiB: 382 a second instead of 354", "kept"),
    ("what comes of a session at once is taken in two halves, one on the disk while the other is on the processor",
     "300,000 records/s instead of 285,000, and once 251,000; the p99 a tenth longer", "dropped"),
    ("small batches of a session leave the client as one piece", "320,000 records/s instead of 289,000", "kept"),
    ("both event loops are one thread on fewer than four cores",
     "64 callers: 35,000 appends/s instead of 28,000", "kept"),
    ("the quorum's value without the runtime's generics",
     "102,000 instructions an append for three cores in memory instead of 150,000", "kept"),
    ("beside appends, a follower that catches up from files gets one RANGE at a time",
     "their p99 1.9 ms instead of 4.2, at 60 % of the bytes a second of cp and sync instead of 108 %", "kept"),
    ("ranges of 160 KiB then, instead of 256 KiB", "nothing for the appends, a tenth less for the follower", "dropped"),
    ("a pause of 0.5 ms, or of 1.5, behind each of these ranges",
     "their p99 0.15 ms shorter, and the follower gets 81 % of the bytes, or 44 %", "dropped"),
    ("followers hear of each commit after 1 ms", "7 % of the appends of a single caller", "dropped"),
    ("followers hear of a commit at once where appends are sparse",
     "up to 10 ms less to a reader there, nothing for a busy caller", "kept"),
    ("`auto` compresses what shrinks to half or less",
     "below that the processor costs more than the wire saves", "kept"),
)

_SPENT = """\
## Where the time goes

Measured on 2026-11-28 by `perf record -a` beside `holdfast bench append --clients 64 --connections 8`, on the same kind of machine.
It reached 44,000 appends a second, more than the tables have of 64 clients: those have a connection each, and here eight share one.

Three nodes and the load keep both processors busy, 92 % of the time. 51 % is the kernel's (sockets, wake-ups, the disk), 35 % the
program's with Swift's runtime (a fifth of it retains and releases), 8 % libc's (memory), 5 % libnghttp2's. By thread: the nodes'
loops 49 %, their disk threads 19 %, the load 18 %. So many callers are bound by processors, most of it for requests of their own,
which a session shares{sessions}. One caller is bound by wake-ups and the disk: both processors are idle half of the time."""


def method(summary: Summary) -> str:
    """How it is measured; of ways to lose a leader those that the run has."""
    others = [work.title for work in summary.works_with("gap_ms") if not isinstance(work, Failover)]
    silence = f"\n  Lost otherwise, under the same client: {', '.join(others)}." if others else ""
    return _METHOD.format(silence=silence)


def spent(summary: Summary) -> str:
    """Where the time goes, from a profile; what sessions gain is of this run, and left out where it has not both figures."""
    alone = summary.spread(Append(64, 100), "holdfast", "records_per_second")
    shared = summary.spread(Append(1, 100, in_flight=256), "holdfast", "records_per_second")
    gain = ""
    if alone and shared and alone.median > 0:
        gain = f": in the run above, one with 256 in flight reached {times(shared.median / alone.median)[:-2]} times as much"
    return _SPENT.format(sessions=gain)


def tried() -> str:
    """What was kept, and what was dropped."""
    return f"{_TRIED}\n\n{table(['change', 'what it did', ''], [list(change) for change in _CHANGES], words=3)}"
