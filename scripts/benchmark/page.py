"""The Performance article of the documentation, and the README's quote, from one run."""

import os
from pathlib import Path

from . import behind, growth_page, plots, report
from .failure import Failure
from .plan import Append, CatchUp, Failover, Tail
from .summary import Summary, label
from .words import command_line, plain, table

_BEGIN, _END = "<!-- performance: written by scripts/bench --page -->", "<!-- performance: end -->"

_INTRODUCTION = """\
# Performance

How fast Holdfast is beside etcd, NATS JetStream, PostgreSQL and RocksDB, where it is behind, and how to measure it again.

All figures on this page come from one run of one program, `scripts/bench`, on one machine. Systems take turns, cell by cell, in
an order that is drawn anew for each: what the machine and its disk feel like at the moment, they feel alike. Compare within the
page, not with figures from elsewhere: the same machine differs by a factor of two from hour to hour.
"""

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
  waits behind a slow one is slow, too.
- **A failover** is a kill -9 of the leader while one client appends every 2 ms and waits 100 ms for each answer. It begins at
  the leader; when an answer does not come or says no, it asks the next node in turn. Discovery by client libraries is left out
  for all alike. On one machine a killed process's connections close at once, which a follower of Holdfast notices; a machine
  that loses its power is noticed by its silence, after an election time-out of 300 to 600 ms.
- **Catching up** counts from starting the process again until its copy of the log is level, in a cluster of its own.
- **CPU** is that of all nodes together, in cores; **memory** is anonymous and shared memory of all nodes at the end of a cell.

What is not compared: PostgreSQL has no failover of its own, and a standby that a reader could follow notifies nobody; one
connection has one transaction at a time, so it is not pipelined. NATS of this version takes no batches. etcd is a key-value
store that keeps an index and revisions as well, PostgreSQL a database: each does more for an append than a log does.
"""

_SPENT = """\
## Where the time goes

64 callers over 8 connections, 44,000 appends a second, by `perf record -a`: three nodes and the load keep both processors busy,
92 % of the time. 51 % is the kernel's (sockets, wake-ups, the disk), 35 % the program's with Swift's runtime (a fifth of it
retains and releases), 8 % libc's (memory), 5 % libnghttp2's. By thread: the nodes' loops 49 %, their disk threads 19 %, the load
18 %. So many callers are bound by processors, most of it for requests of their own: sessions, which share them, reach six times
as much. One caller is bound by wake-ups and the disk: both processors are idle half of the time.
"""

_TRIED = """\
## What was kept, and what was dropped

Each measured against the build without it, in turns; `scripts/budgets` guards the paths' instructions since.

| change | what it did | |
| --- | --- | --- |
| frames are written, not stored through a mapping, where a log is synced all the time | a sync carried a folio of up to 1 MiB for each byte touched | kept |
| a sync waits for the callers of the last one | callers had split into two groups that took turns, each waiting for two syncs | kept |
| one sync carries 256 KiB at most | half the latency of a leader beside a follower that catches up on the same disk | kept |
| both event loops are one thread on fewer than four cores | 64 callers: 35,000 appends/s instead of 28,000 | kept |
| the quorum's value without the runtime's generics | 102,000 instructions an append for three cores in memory instead of 150,000 | kept |
| beside appends, a follower that catches up from files gets one RANGE at a time | their p99 1.9 ms instead of 4.2, at 60 % of the bytes a second of cp and sync instead of 108 % | kept |
| ranges of 160 KiB then, instead of 256 KiB | nothing for the appends, a tenth less for the follower | dropped |
| followers hear of each commit after 1 ms | 7 % of the appends of a single caller | dropped |
| followers hear of a commit at once where appends are sparse | up to 10 ms less to a reader there, nothing for a busy caller | kept |
| `auto` compresses what shrinks to half or less | below that the processor costs more than the wire saves | kept |
"""


def write(results: dict, page: Path, readme: Path | None = None) -> None:
    """Writes the article, its plots into `Resources` beside it, and what `readme` quotes between its two marks. A section
    on growth that the article has stays.

    Raises Failure, with nothing written, when something failed in every round: such a page would compare what is not there. A
    cell that failed in some rounds is named on the page.
    """
    summary = Summary(results)
    if missing := summary.missing:
        work, system = missing[0]
        raise Failure(
            f"{label(system)} failed in every round of \"{work.title}\": no page was written",
            next="see results.md, and run it again")
    # Before anything is written: a README without marks is refused.
    told = quoted(readme.read_text(), quote(summary, os.path.relpath(page, readme.parent))) if readme else ""
    pictures = plots.draw_all(summary)
    resources = page.parent / "Resources"
    resources.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        (resources / f"{name}.svg").write_text(picture)
    page.write_text(growth_page.kept(page, article(summary, list(pictures))))
    if readme:
        readme.write_text(told)


def article(summary: Summary, pictures: list[str]) -> str:
    plan = summary.results["plan"]
    command = "scripts/bench --page FILE" if plan == "full" else f"scripts/bench --{plan} --page FILE"
    parts = [
        _INTRODUCTION.rstrip(),
        report.circumstances(summary) + "\n" + command_line(summary.results, command),
        "## At a glance",
        *(f"![{_title(name)}](Resources/{name}.svg)" for name in pictures),
        "## What an acknowledgement promises", report.systems(summary).partition("\n\n")[2],
        "## Where Holdfast is behind, and why", _behind(summary),
        _METHOD.rstrip(),
        *report.sections(summary),
        _SPENT.rstrip(),
        _TRIED.rstrip(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _behind(summary: Summary) -> str:
    found = behind.find(summary)
    if not found:
        return "Nowhere in this run: no median of a peer is better by more than a twentieth."
    lines = "\n".join(f"- {finding.text}" for finding in found)
    return f"Every row in which a peer's median is better by more than a twentieth, in the order of the tables.\n\n{lines}"


def _title(name: str) -> str:
    return name.removeprefix("performance-").replace("-", " ")


def quote(summary: Summary, page: str) -> str:
    """A few lines: the middle of the table, each with its figures for all systems."""
    chosen: list[tuple[object, str, tuple[str, ...], float]] = []
    singles = summary.works(Append, lambda work: work.size == 100 and work.in_flight == 1 and work.batch == 1)
    chosen += [(work, "appends/s", ("records_per_second",), 1) for work in singles if work.clients in (1, 64)]
    many = summary.works(Append, lambda work: work.in_flight > 1)
    chosen += [(work, "appends/s", ("records_per_second",), 1) for work in many]
    chosen += [(work, "p50 ms", ("delivery", "p50_us"), 1000) for work in summary.works(Tail)]
    chosen += [(work, "ms", ("gap_ms",), 1) for work in summary.works(Failover)]
    chosen += [(work, "s", ("seconds",), 1) for work in summary.works(CatchUp)]
    systems = list(summary.results["systems"])
    rows = []
    for work, unit, path, scale in chosen:
        row = [f"{work.title}, {unit}"]
        for system in systems:
            spread = summary.spread(work, system, *path)
            value = spread.median / scale if spread else None
            row.append("" if value is None else plain(value))
        rows.append(row)
    header = ["medians", *(label(system) + report.unsynced(summary, system) for system in systems)]
    return (
        table(header, rows, words=1) + report.footnote(summary)
        + f"\n\nFrom one run of `scripts/bench` on {summary.results['machine']['processors']} processors that nodes and load "
        f"share; [spreads, costs, settings, and where Holdfast is behind]({page}).")


def quoted(text: str, new: str) -> str:
    """The text with what stands between the marks replaced. Raises Failure when it has not both marks, once each."""
    if text.count(_BEGIN) != 1 or text.count(_END) != 1 or text.index(_BEGIN) > text.index(_END):
        raise Failure(f"README.md has not the lines {_BEGIN} and {_END}, once each and in this order")
    before, _, rest = text.partition(_BEGIN)
    return f"{before}{_BEGIN}\n{new}\n{_END}{rest.partition(_END)[2]}"
