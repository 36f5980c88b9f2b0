"""The plots of a run. Bars are medians, whiskers the least and the most; a dot is one kill."""

from .plan import Append, CatchUp, Failover, Local, Tail, Work, byte_count
from .summary import Summary, label
from .svg import Bar, BarPlot, DotPlot, Dots


def draw_all(summary: Summary) -> dict[str, str]:
    """Name: SVG; only of what was measured."""
    pictures: dict[str, str] = {}
    sizes = {work.size for work in summary.works(Append, _is_single)}
    for size in sorted(sizes):
        works = summary.works(Append, lambda work, size=size: _is_single(work) and work.size == size)
        pictures[f"performance-appends-{size}"] = _rates(
            summary, works, f"Acknowledged appends per second, {byte_count(size)} each",
            lambda work: f"{work.clients} client{'s' if work.clients > 1 else ''}")
    many = summary.works(Append, lambda work: not _is_single(work))
    if many:
        pictures["performance-pipelined"] = _rates(
            summary, many, "Pipelined and batched: records per second, 100 B each",
            lambda work: f"{work.clients} x {work.in_flight} in flight" if work.batch == 1
            else f"{work.clients} x batches of {work.batch}")
    for work in summary.works(Failover):
        pictures["performance-failover"] = _failover(summary, work)
    for work in summary.works(Tail):
        pictures["performance-tail"] = _tail(summary, work)
    local = summary.works(Local)
    if local:
        pictures["performance-local"] = _rates(
            summary, local, f"One log without a cluster, synced: records per second, {byte_count(local[0].size)} each",
            lambda work: f"{work.clients} thread{'s' if work.clients > 1 else ''}")
    for work in summary.works(CatchUp):
        pictures["performance-catch-up"] = _catch_up(summary, work)
    return pictures


def _is_single(work: Append) -> bool:
    return work.in_flight == 1 and work.batch == 1


def _name(summary: Summary, system: str) -> str:
    if system == "floor":
        return "bare loop, one thread"
    known = summary.results["systems"].get(system)
    return f"{label(system)} (not synced)" if known and not known["is_synced"] else label(system)


def _rates(summary: Summary, works: list[Work], title: str, group) -> str:
    groups = []
    for work in works:
        bars = []
        for system in summary.systems(work):
            rate = summary.spread(work, system, "records_per_second")
            if rate:
                bars.append(Bar(system, _name(summary, system), rate.median, rate.min, rate.max))
        groups.append((group(work), bars))
    return BarPlot(title, groups).draw()


def _tail(summary: Summary, work: Tail) -> str:
    groups = []
    for title, key in (("median", "p50_us"), ("99 of 100", "p99_us")):
        bars = []
        for system in summary.systems(work):
            delay = summary.spread(work, system, "delivery", key)
            if delay:
                bars.append(Bar(
                    system, _name(summary, system), delay.median / 1000, delay.min / 1000, delay.max / 1000))
        groups.append((title, bars))
    return BarPlot(f"Milliseconds from an append to a reader on another node, {work.rate}/s", groups).draw()


def _catch_up(summary: Summary, work: CatchUp) -> str:
    groups = []
    for system in summary.systems(work):
        seconds = summary.spread(work, system, "seconds")
        if seconds:
            name = "cp and sync" if system == "floor" else label(system)
            groups.append((name, [Bar(system, name, seconds.median, seconds.min, seconds.max)]))
    return BarPlot(f"Seconds until a follower is level that was {byte_count(work.byte_count)} behind", groups).draw()


def _failover(summary: Summary, work: Failover) -> str:
    rows = []
    for system in summary.systems(work):
        gap = summary.spread(work, system, "gap_ms")
        if gap:
            rows.append(Dots(system, _name(summary, system), gap.values, gap.median))
    return DotPlot("Milliseconds without an acknowledgement around a kill -9 of the leader", rows).draw()
