"""The report of a run as Markdown: every figure with its spread, and beside it what it cost."""

from pathlib import Path

from . import plots
from .plan import Append, CatchUp, Ceiling, Failover, Idle, Local, Tail
from .summary import Summary, label
from .words import decimal, machine_line, mebibytes, milliseconds, number, range_of, table, times, whole

_RATE = ("records_per_second",)


def write(results: dict, directory: Path) -> None:
    """results.md, and the plots beside it."""
    summary = Summary(results)
    for name, picture in plots.draw_all(summary).items():
        (directory / f"{name}.svg").write_text(picture)
    parts = ["# Holdfast and its peers", circumstances(summary), systems(summary), *sections(summary)]
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
    if disk:
        lines.append(
            f"- fdatasync of 512 B, before each cell: median {disk.median:.0f} µs, {disk.percentile(5):.0f} to "
            f"{disk.percentile(95):.0f} µs for nine of ten cells")
    return "\n".join(lines)


def systems(summary: Summary) -> str:
    rows = [
        [label(name), system["version"], system["promise"], system["settings"]]
        for name, system in summary.results["systems"].items()
    ]
    return "## Systems\n\n" + table(["system", "version", "acknowledged means", "settings"], rows, words=4)


def append_table(summary: Summary, *, single: bool) -> str:
    works = summary.works(Append, lambda work: (work.in_flight == 1 and work.batch == 1) == single)
    rows = []
    for work in works:
        for system in summary.systems(work):
            rate = summary.spread(work, system, *_RATE)
            if not rate:
                continue
            rows.append([
                work.title, label(system) + unsynced(summary, system), number(rate.median), range_of(rate),
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
                work.title, label(system) + unsynced(summary, system), milliseconds(delivery),
                range_of(delivery, 1000, ".2f"), milliseconds(summary.spread(work, system, "delivery", "p99_us")),
                milliseconds(summary.spread(work, system, "delivery", "max_us")),
                milliseconds(summary.spread(work, system, "acknowledgement", "p50_us")),
                decimal(summary.spread(work, system, "server_cores")),
                whole(summary.spread(work, system, "missing")),
            ])
    header = [
        "work", "system", "p50 ms", "min to max", "p99 ms", "worst ms", "acknowledged p50 ms", "servers' cores",
        "not delivered",
    ]
    return table(header, rows) + footnote(summary) if rows else ""


def failover_table(summary: Summary) -> str:
    rows = []
    for work in summary.works(Failover):
        for system in summary.systems(work):
            gap = summary.spread(work, system, "gap_ms")
            if not gap:
                continue
            rows.append([
                label(system) + unsynced(summary, system), f"{len(gap.values)}", number(gap.median),
                number(gap.percentile(90)), number(gap.max), number(gap.min),
                times(1 / ratio if (ratio := summary.ratio(work, system, "gap_ms")) else None)
                if system != "holdfast" else "",
                whole(summary.spread(work, system, "timed_out")), whole(summary.spread(work, system, "refused")),
            ])
    header = [
        "system", "kills", "median ms", "p90 ms", "worst ms", "best ms", "times Holdfast's", "timed out", "refused",
    ]
    return table(header, rows, words=1) + footnote(summary) if rows else ""


def catch_up_table(summary: Summary) -> str:
    rows = []
    for work in summary.works(CatchUp):
        for system in summary.systems(work):
            seconds = summary.spread(work, system, "seconds")
            rate = summary.spread(work, system, "bytes_per_second")
            floor = summary.spread(work, "floor", "seconds")
            rows.append([
                work.title, "cp and sync of as many bytes" if system == "floor" else label(system), decimal(seconds),
                range_of(seconds, 1, ".2f"), mebibytes(rate),
                f"{seconds.median / floor.median:.1f}" if seconds and floor and system != "floor" else "",
                decimal(summary.spread(work, system, "fill_seconds")),
            ])
    header = ["work", "system", "s", "min to max", "MiB/s", "times cp and sync", "s to append it"]
    return table(header, rows) if rows else ""


def local_table(summary: Summary) -> str:
    rows = []
    for work in summary.works(Local):
        for system in summary.systems(work):
            rate = summary.spread(work, system, *_RATE)
            if not rate:
                continue
            rows.append([
                work.title, "bare loop of pwrite and fdatasync, one thread" if system == "floor" else label(system),
                number(rate.median), range_of(rate),
                times(summary.ratio(work, system, *_RATE)) if system == "rocksdb" else "",
                milliseconds(summary.spread(work, system, "latency", "p50_us")),
                milliseconds(summary.spread(work, system, "latency", "p99_us")),
            ])
    return table(["work", "system", "records/s", "min to max", "Holdfast is", "p50 ms", "p99 ms"], rows) if rows else ""


def ceiling_table(summary: Summary) -> str:
    rows = []
    for work in summary.works(Ceiling):
        append = Append(work.clients, work.size, in_flight=work.in_flight)
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
        [label(system), decimal(summary.spread(work, system, "server_cores"), ".3f"),
         mebibytes(summary.spread(work, system, "server_memory_bytes"))]
        for work in summary.works(Idle) for system in summary.systems(work)
    ]
    return table(["system", "cores of three nodes", "MiB of three nodes"], rows, words=1) if rows else ""


def failure_list(summary: Summary) -> str:
    return "\n".join(
        f"- {label(failure['system'])}, round {failure['round']}, {failure['work']['kind']}: {failure['reason']}"
        for failure in summary.results["failures"])


# Words


def unsynced(summary: Summary, system: str) -> str:
    known = summary.results["systems"].get(system)
    return " †" if known and not known["is_synced"] else ""


def footnote(summary: Summary) -> str:
    names = [label(name) for name, system in summary.results["systems"].items() if not system["is_synced"]]
    return f"\n\n† {', '.join(names)}: nothing is synced before it is acknowledged." if names else ""
