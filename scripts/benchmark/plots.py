"""The plots of a run. Bars are medians, whiskers the least and the most; a dot is one kill."""

from collections.abc import Callable

from .bar_plot import Bar, BarPlot
from .dot_plot import DotPlot, Dots
from .plan import Append, CatchUp, Local, Tail, Work, byte_count
from .summary import Summary, label
from .svg import Picture

#: What stands below a bar, where a system's whole name is too long.
_SHORT_NAMES = {"nats": "NATS", "floor": "bare loop"}


def draw_all(summary: Summary) -> dict[str, Picture]:
    """By name; only of what was measured."""
    pictures: dict[str, Picture] = {}
    sizes = {work.size for work in summary.works(Append, _is_single)}
    for size in sorted(sizes):
        works = summary.works(Append, lambda work, size=size: _is_single(work) and work.size == size)
        pictures[f"performance-appends-{size}"] = _rates(
            summary, works, f"Acknowledged appends per second, {byte_count(size)} each", _clients)
    many = summary.works(Append, lambda work: not _is_single(work))
    if many:
        pictures["performance-pipelined"] = _rates(
            summary, many, "Pipelined and batched appends, 100 B each",
            lambda work: f"{work.clients} x {work.in_flight} in flight" if work.batch == 1
            else f"{work.clients} x batches of {work.batch}")
    for number, work in enumerate(summary.works_with("gap_ms"), start=1):
        name = f"performance-{work.kind}"
        pictures[f"{name}-{number}" if name in pictures else name] = _failover(summary, work)
    for work in summary.works(Tail):
        pictures["performance-tail"] = _tail(summary, work)
    local = summary.works(Local)
    if local:
        pictures["performance-local"] = _rates(
            summary, local, f"One log without a cluster, synced, {byte_count(local[0].size)} each",
            lambda work: f"{work.clients} caller{'s' if work.clients > 1 else ''}")
    for work in summary.works(CatchUp):
        pictures["performance-catch-up"] = _catch_up(summary, work)
    return pictures


def _is_single(work: Append) -> bool:
    return work.in_flight == 1 and work.batch == 1


def _clients(work: Append) -> str:
    return f"{work.clients} client{'s' if work.clients > 1 else ''}"


def _is_unsynced(summary: Summary, system: str) -> bool:
    known = summary.results["systems"].get(system)
    return bool(known) and not known["is_synced"]


def _name(summary: Summary, system: str) -> str:
    if system == "floor":
        return "bare loop, one thread"
    return f"{label(system)} (not synced)" if _is_unsynced(summary, system) else label(system)


def _bar(summary: Summary, system: str, value: float, low: float, high: float) -> Bar:
    name = _SHORT_NAMES.get(system, label(system))
    return Bar(
        system, f"{name} †" if _is_unsynced(summary, system) else name, value, low, high, _name(summary, system))


def _note(summary: Summary, groups: list[tuple[str, list[Bar]]]) -> str:
    is_marked = any(_is_unsynced(summary, bar.kind) for _, bars in groups for bar in bars)
    return "† not synced before it is acknowledged" if is_marked else ""


def _rates(summary: Summary, works: list[Work], title: str, group: Callable[[Work], str]) -> Picture:
    groups = []
    for work in works:
        bars = []
        for system in summary.systems(work):
            rate = summary.spread(work, system, "records_per_second")
            if rate:
                bars.append(_bar(summary, system, rate.median, rate.min, rate.max))
        groups.append((group(work), bars))
    return BarPlot(title, "records/s", groups, note=_note(summary, groups)).draw()


def _tail(summary: Summary, work: Tail) -> Picture:
    groups = []
    for title, key in (("median", "p50_us"), ("99 of 100", "p99_us")):
        bars = []
        for system in summary.systems(work):
            delay = summary.spread(work, system, "delivery", key)
            if delay:
                bars.append(_bar(summary, system, delay.median / 1000, delay.min / 1000, delay.max / 1000))
        groups.append((title, bars))
    return BarPlot(
        f"From an append to a reader on another node, {work.rate}/s", "ms", groups, note=_note(summary, groups)).draw()


def _catch_up(summary: Summary, work: CatchUp) -> Picture:
    groups = []
    for system in summary.systems(work):
        seconds = summary.spread(work, system, "seconds")
        if seconds:
            bar = Bar(
                system, "cp and sync" if system == "floor" else label(system), seconds.median, seconds.min, seconds.max,
                "cp and sync of as many bytes" if system == "floor" else _name(summary, system))
            groups.append((bar.name + (" †" if _is_unsynced(summary, system) else ""), [bar]))
    return BarPlot(
        f"Until a follower is level that was {byte_count(work.byte_count)} behind", "s", groups,
        note=_note(summary, groups)).draw()


def _failover(summary: Summary, work: Work) -> Picture:
    """Of a kill, or of another way to lose a leader."""
    rows = []
    for system in summary.systems(work):
        gap = summary.spread(work, system, "gap_ms")
        if gap:
            rows.append(Dots(system, _name(summary, system), gap.values, gap.median))
    return DotPlot(f"Gap between acknowledgements: {work.title}", "ms", rows).draw()
