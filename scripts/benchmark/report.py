"""The report of a run as Markdown: every figure with its spread, and beside it what it cost."""

from pathlib import Path

from . import plots
from .plan import Append, CatchUp, Ceiling, Idle, Local, Tail, Work, decode
from .summary import Summary, label
from .systems import footnote, systems, unsynced
from .words import (
    decimal, machine_line, mebibytes, milliseconds, number, range_of, table, times, whole, worst_milliseconds)

_RATE = ("records_per_second",)
#: What a gap after a kill is, and is not.
KILLED = (
    "A killed process's connections close at once, and a follower of Holdfast takes that for a sign; a leader that falls silent is "
    "noticed after an election time-out of 300 to 600 ms.")
_ROCKSDB = (
    "RocksDB is its own `db_bench`, fillseq. Beside each record it writes a key of 16 B (116 B for one of 100 B) and inserts both "
    "into a memtable; its write-ahead log is not allocated ahead, as Holdfast's segments are. It takes a number of operations "
    "instead of a time, as many as a trial says fill it. A client is a thread of RocksDB's, and a task of Holdfast's.")


def write(results: dict, directory: Path) -> None:
    """results.md, and the plots beside it."""
    summary = Summary(results)
    for name, picture in plots.draw_all(summary).items():
        (directory / f"{name}.svg").write_text(picture.svg)
    parts = ["# Holdfast and its peers", circumstances(summary), f"## Systems\n\n{systems(summary)}", *sections(summary)]
    (directory / "results.md").write_text("\n\n".join(part for part in parts if part) + "\n")


def sections(summary: Summary, heading: str = "##") -> list[str]:
    """The tables, each behind its heading; empty ones are left out."""
    parts = [
        ("Appends of one record", append_table(summary, single=True)),
        ("Pipelined and batched appends", append_table(summary, single=False)),
        ("From an append to a reader on another node", tail_table(summary)),
        ("Failover", failover_table(summary)),
        ("Catching up", catch_up_table(summary)),
        ("One log without a cluster", local_table(summary)),
        ("What the driver can show", ceiling_table(summary)),
        ("At rest", idle_table(summary)),
        ("Cells that failed", failure_list(summary)),
    ]
    return [f"{heading} {title}\n\n{body}" for title, body in parts if body]


def circumstances(summary: Summary) -> str:
    results, disk = summary.results, summary.disk
    lines = [
        machine_line(results["machine"]),
        f"- {results['began']}, {results['seconds'] / 60:.0f} min; plan {results['plan']}: {results['rounds']} rounds, "
        f"cells of {results['duration_ms'] / 1000:g} s after {results['warm_up_ms'] / 1000:g} s of warming up; all nodes "
        "and the load share the machine",
    ]
    if not results.get("is_complete", True):
        lines.append("- **interrupted**: these are its cells so far")
    if disk:
        lines.append(
            f"- fdatasync of 512 B, before each cell: median {disk.median:.0f} µs, {disk.percentile(5):.0f} to "
            f"{disk.percentile(95):.0f} µs for nine of ten cells")
    return "\n".join(lines)


def append_table(summary: Summary, *, single: bool) -> str:
    works = summary.works(Append, lambda work: (work.in_flight == 1 and work.batch == 1) == single)
    rows = []
    for work in works:
        for system in summary.systems(work):
            rate = summary.spread(work, system, *_RATE)
            if not rate:
                continue
            rows.append([
                work.title, name(summary, work, system), number(rate.median), range_of(rate),
                times(summary.ratio(work, system, *_RATE)) if system != "holdfast" else "",
                milliseconds(summary.spread(work, system, "latency", "p50_us")),
                milliseconds(summary.spread(work, system, "latency", "p99_us")),
                decimal(summary.spread(work, system, "server_cores")),
                mebibytes(summary.spread(work, system, "server_memory_bytes")),
                decimal(summary.spread(work, system, "driver_cores")),
            ])
    header = [
        "work", "system", "records/s", "min to max", "Holdfast is", "p50 ms", "p99 ms", "servers' cores",
        "servers' MiB", "driver's cores",
    ]
    return table(header, rows) + footnote(summary) if rows else ""


def tail_table(summary: Summary) -> str:
    rows = []
    for work in summary.works(Tail):
        for system in summary.systems(work):
            delivery = summary.spread(work, system, "delivery", "p50_us")
            rows.append([
                work.title, name(summary, work, system), milliseconds(delivery),
                range_of(delivery, 1000, ".2f"), milliseconds(summary.spread(work, system, "delivery", "p99_us")),
                worst_milliseconds(summary.spread(work, system, "delivery", "max_us")),
                milliseconds(summary.spread(work, system, "acknowledgement", "p50_us")),
                decimal(summary.spread(work, system, "server_cores")),
                whole(summary.spread(work, system, "missing")),
            ])
    header = [
        "work", "system", "p50 ms", "min to max", "p99 ms", "worst ms", "acknowledged p50 ms", "servers' cores",
        "not delivered",
    ]
    return table(header, rows) + footnote(summary) + _consumers(summary) if rows else ""


def _consumers(summary: Summary) -> str:
    """Where what a reader reads from was led elsewhere, as far as a run tells: records take a way more then."""
    lines = []
    for work in summary.works(Tail):
        for system in summary.systems(work):
            told = [
                sample["consumer_leader"] == sample["reader"] for sample in summary.samples[work, system]
                if sample.get("consumer_leader") and sample.get("reader")]
            if told:
                lines.append(
                    f"The consumer of {label(system)}'s reader was led by the server that it read from in {sum(told)} of "
                    f"{len(told)} rounds; else records go over another one.")
    return "".join(f"\n\n{line}" for line in lines)


def failover_table(summary: Summary) -> str:
    """Kills of the leader, and other ways to lose it: every work that has a gap."""
    rows = []
    for work in summary.works_with("gap_ms"):
        for system in summary.systems(work):
            gap = summary.spread(work, system, "gap_ms")
            if not gap:
                continue
            rows.append([
                work.title, label(system) + unsynced(summary, system), f"{len(gap.values)}", number(gap.median),
                number(gap.percentile(90)), number(gap.max), number(gap.min),
                times(1 / ratio if (ratio := summary.ratio(work, system, "gap_ms")) else None)
                if system != "holdfast" else "",
                whole(summary.spread(work, system, "timed_out")), whole(summary.spread(work, system, "refused")),
            ])
    header = [
        "work", "system", "repeats", "median ms", "p90 ms", "worst ms", "best ms", "times Holdfast's", "timed out", "refused",
    ]
    return f"{table(header, rows)}{footnote(summary)}\n\n{KILLED}" if rows else ""


def catch_up_table(summary: Summary) -> str:
    rows = []
    for work in summary.works(CatchUp):
        for system in summary.systems(work):
            seconds = summary.spread(work, system, "seconds")
            rate = summary.spread(work, system, "bytes_per_second")
            floor = summary.spread(work, "floor", "seconds")
            rows.append([
                work.title, "cp and sync of as many bytes" if system == "floor" else name(summary, work, system),
                summary.results["systems"].get(system, {}).get("level", ""), decimal(seconds),
                range_of(seconds, 1, ".2f"), mebibytes(rate),
                f"{seconds.median / floor.median:.1f}" if seconds and floor and system != "floor" else "",
                decimal(summary.spread(work, system, "fill_seconds")),
            ])
    header, words = ["work", "system", "level is", "s", "min to max", "MiB/s", "times cp and sync", "s to append it"], 3
    if not any(row[2] for row in rows):
        # An older run does not say what a follower has when it is level.
        header, words, rows = header[:2] + header[3:], 2, [row[:2] + row[3:] for row in rows]
    return table(header, rows, words=words) + footnote(summary) if rows else ""


def local_table(summary: Summary) -> str:
    rows = []
    for work in summary.works(Local):
        for system in summary.systems(work):
            rate = summary.spread(work, system, *_RATE)
            if not rate:
                continue
            rows.append([
                work.title,
                "bare loop of pwrite and fdatasync, one thread" if system == "floor" else name(summary, work, system),
                number(rate.median), range_of(rate),
                times(summary.ratio(work, system, *_RATE)) if system == "rocksdb" else "",
                milliseconds(summary.spread(work, system, "latency", "p50_us")),
                milliseconds(summary.spread(work, system, "latency", "p99_us")),
            ])
    header = ["work", "system", "records/s", "min to max", "Holdfast is", "p50 ms", "p99 ms"]
    return f"{table(header, rows)}\n\n{_ROCKSDB}" if rows else ""


def ceiling_table(summary: Summary) -> str:
    rows = []
    for work in summary.works(Ceiling):
        append = work.append
        for system in summary.systems(work):
            ceiling = summary.spread(work, system, *_RATE)
            if not ceiling:
                continue
            measured = summary.spread(append, system, *_RATE)
            rows.append([
                append.title, f"as to {label(system)}", number(ceiling.median), range_of(ceiling),
                decimal(summary.spread(work, system, "driver_cores")), number(measured.median) if measured else "",
                f"{measured.median / ceiling.median:.0%}" if measured else "",
            ])
    if not rows:
        return ""
    return (
        "Against a server of the same protocol that acknowledges at once and keeps nothing (for PostgreSQL: a `SELECT` "
        "of as many bytes at the primary). What is measured above has to be well below it.\n\n"
        + table(
            ["work", "protocol", "driver reaches/s", "min to max", "driver's cores", "system took/s", "of that"], rows))


def idle_table(summary: Summary) -> str:
    rows = [
        [name(summary, work, system, marked=False), decimal(summary.spread(work, system, "server_cores"), ".3f"),
         mebibytes(summary.spread(work, system, "server_memory_bytes"))]
        for work in summary.works(Idle) for system in summary.systems(work)
    ]
    return table(["system", "cores of three nodes", "MiB of three nodes"], rows, words=1) if rows else ""


def failure_list(summary: Summary) -> str:
    return "\n".join(
        f"- {decode(failure['work']).title}, {label(failure['system'])}, round {failure['round']}: {failure['reason']}"
        for failure in summary.results["failures"])


def name(summary: Summary, work: Work, system: str, *, marked: bool = True) -> str:
    """A system as its rows call it: with its mark, and with its rounds where a median is over fewer than the run's."""
    missing = summary.rounds_missing(work, system)
    few = f" ({missing[0]} of {missing[1]} rounds)" if missing else ""
    return label(system) + (unsynced(summary, system) if marked else "") + few
