"""The figures that Holdfast is to reach, in the words of its design, and how near a goals run came."""

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from .summary import Spread


class Statistic(Enum):
    """What a goal is about."""

    #: Every round is to reach it; where only some do, the goal is within the spread.
    EACH = "each"
    #: The goal itself speaks of a median, and is reached or not.
    MEDIAN = "median"
    #: Of everything that was measured the one that is furthest from the goal.
    WORST = "worst"


class Outcome(Enum):
    MET = "met"
    #: Missed, and the goal is reached in another way that it allows.
    SPARED = "spared"
    WITHIN = "within the spread"
    MISSED = "missed"
    #: Rounds failed, and what the others measured reaches it.
    UNKNOWN = "unknown"
    #: Not measured, or not often enough.
    OPEN = "open"


@dataclass(frozen=True)
class Unit:
    """How a figure is written."""

    text: str
    scale: float = 1
    is_whole: bool = False

    def said(self, value: float) -> str:
        shown = value / self.scale
        figure = f"{shown:,.0f}" if self.is_whole or abs(shown) >= 100 else f"{shown:.3g}"
        return f"{figure}{self.text}"


_RATE = Unit("/s", is_whole=True)
_MICROSECONDS = Unit(" ms", 1_000)
_MILLISECONDS = Unit(" ms")
_MIB = Unit(" MiB", 1 << 20)
_MB = Unit(" MB/s", 1e6)
_GB = Unit(" GB/s", 1e9)
_TIMES = Unit(" x")
_PERCENT = Unit(" %", 0.01)
_COUNT = Unit("", is_whole=True)


@dataclass(frozen=True)
class Goal:
    """One figure. `key` is one of the samples of `cells`; a list in a sample counts value by value."""

    work: str
    #: In the design's words.
    wording: str
    cells: tuple[str, ...]
    key: str
    limit: float
    unit: Unit
    #: How a value stands to the limit when it is reached.
    reaches: Callable[[float, float], bool] = operator.ge
    statistic: Statistic = Statistic.EACH
    #: Another key of the same samples and what it is, to be shown beside.
    beside: tuple[str, str, Unit] | None = None
    #: Goals of the same name are one goal that can be reached in more than one way.
    choice: str = ""
    #: How many values a worst one is to be the worst of.
    count_min: int = 1
    #: Why it is missed, where that is known.
    why: str = ""


_LOADED = ("quorum append", "64 callers over 8 connections", "64 connections", "session", "JSON lines", "incompressible")
_READ, _RECOVERED = "sequential read, 100 B records, decoded and verified", "recovery after kill -9, the active segment"
_BANDWIDTH, _SHIPPING = "replication bandwidth, incompressible", "compressed shipping"
_NEVER_SLOWER = "never slower than uncompressed by more than 10 % in `auto`"

GOALS = (
    Goal("local append, `os`, 1 caller, 100 B", "2,000,000/s", ("local append, os",), "records_per_second", 2e6, _RATE),
    Goal("local append, `always`, 16 callers", "30,000/s", ("local append, always",), "at_16", 30e3, _RATE),
    Goal("local append, `always`, 256 callers", "300,000/s", ("local append, always",), "at_256", 300e3, _RATE),
    Goal("local append, `always`, 256 callers beside 16", "growing with callers", ("local append, always",), "growing", 1,
         _TIMES, operator.gt),
    Goal("rotation, `os`: an append that meets it", "median of per-run worsts under 1 ms", ("rotation",), "worst_us", 1_000,
         _MICROSECONDS, operator.lt, Statistic.MEDIAN, beside=("control_worst_us", "without rotation", _MICROSECONDS)),
    Goal(_READ, "5,000,000/s a reader", ("read",), "one_reader", 5e6, _RATE),
    Goal(f"{_READ}, 2 readers", "1.8 x", ("read",), "two_readers", 1.8, _TIMES),
    Goal("open a cleanly closed log of 10 GiB", "under 50 ms", ("recovery",), "clean_us", 50_000, _MICROSECONDS,
         operator.lt),
    Goal(_RECOVERED, "2 GB/s", ("recovery",), "on_disk_bytes_per_second", 2e9, _GB),
    Goal(f"{_RECOVERED}, at once", "2 GB/s", ("recovery",), "killed_bytes_per_second", 2e9, _GB,
         why="the disk has to take first what the system had not written back; the row above is the same without that"),
    Goal(_RECOVERED, "under 32 MiB of anonymous memory", ("recovery",), "recovery_memory_bytes", 32 << 20, _MIB,
         operator.lt, Statistic.WORST),
    Goal("quorum append, persisted, 1 client, 100 B", "p50 under 0.6 ms", ("quorum append",), "p50_us", 600,
         _MICROSECONDS, operator.lt),
    Goal("quorum append, persisted, 1 client, 100 B", "2,000/s", ("quorum append",), "records_per_second", 2e3, _RATE),
    Goal("same, 64 callers, one request each at a time, over 8 connections", "40,000/s", ("64 callers over 8 connections",),
         "records_per_second", 40e3, _RATE),
    Goal("same, 64 connections", "15,000/s", ("64 connections",), "records_per_second", 15e3, _RATE),
    Goal("same, pipelined session, 256 in flight", "300,000 records/s", ("session",), "records_per_second", 300e3, _RATE),
    Goal(_BANDWIDTH, "300 MB/s of log persisted on quorum, or", ("incompressible",), "bytes_per_second", 300e6, _MB,
         choice=_BANDWIDTH),
    Goal(_BANDWIDTH, "60 % of what the disk gives three writers", ("incompressible",), "share_of_disk", 0.6, _PERCENT,
         choice=_BANDWIDTH, beside=("disk_bytes_per_second", "the disk, each of three", _MB)),
    Goal(f"{_SHIPPING}, `always`", "JSON lines in ranges of 64 KiB and more cross the wire in under 30 % of their bytes",
         ("JSON lines",), "wire_share", 0.3, _PERCENT, operator.lt, beside=("auto_wire_share", "`auto` here", _PERCENT)),
    Goal(f"{_SHIPPING}: JSON lines, `auto` beside `never`", _NEVER_SLOWER, ("JSON lines",), "auto_in_never", 0.9, _TIMES,
         why="loopback carries every byte for nothing, and who compresses has the same two processors as who appends"),
    Goal(f"{_SHIPPING}: incompressible, `auto` beside `never`", _NEVER_SLOWER,
         ("incompressible",), "auto_in_never", 0.9, _TIMES),
    Goal("catch-up of a follower 1 GiB behind", "60 % of `cp` + sync of the same files", ("catch-up",), "share_of_copy", 0.6,
         _PERCENT, why="beside appends a follower that catches up gets one range at a time, which keeps the appends fast"),
    Goal("the leader's append p99 meanwhile", "less than doubled", ("catch-up",), "p99_growth", 2, _TIMES, operator.lt,
         beside=("p99_before_us", "before", _MICROSECONDS),
         why="the follower has the leader's disk and processors here: appends wait behind what it writes and syncs"),
    Goal("failover after kill -9 of the leader", "median under 100 ms", ("failover",), "gaps_ms", 100, _MILLISECONDS,
         operator.lt, Statistic.MEDIAN),
    Goal("failover after kill -9 of the leader", "worst of 100 under 1 s", ("failover",), "gaps_ms", 1_000, _MILLISECONDS,
         operator.lt, Statistic.WORST, count_min=100),
    Goal("planned handover", "longest gap under 20 ms", ("handover",), "gaps_ms", 20, _MILLISECONDS, operator.lt,
         Statistic.WORST),
    Goal("planned handover", "no refused append", ("handover",), "retried", 0, _COUNT, operator.le, Statistic.WORST),
    Goal("memory of a node at full load", "under 150 MiB anonymous resident (RssAnon)", _LOADED, "memory_bytes", 150 << 20,
         _MIB, operator.lt, Statistic.WORST),
    Goal("memory of a node beside a follower 1 GiB behind", "the same: not growing with log size or slow followers",
         ("catch-up",), "memory_bytes", 150 << 20, _MIB, operator.lt, Statistic.WORST),
    Goal("idle", "under 1 % of a core a node", ("idle",), "cores", 0.01, Unit(" % of a core", 0.01), operator.lt,
         why="heartbeats, and what nodes ask each other every second for what they show of the cluster"),
)

_UNEXPLAINED = "nothing that is known explains it"


@dataclass(frozen=True)
class Reached:
    """A goal, and what was measured of it: nothing where every round failed."""

    goal: Goal
    values: tuple[float, ...]
    #: Of what stands beside it; empty where nothing does.
    beside: tuple[float, ...] = ()
    #: Rounds of all its cells, and how many of them failed: what would have been measured in those, nobody knows.
    rounds: int = 0
    failed: int = 0
    #: Why the last one failed.
    failure: str = ""
    #: Whether another way to the same goal was found to be open.
    is_reached_otherwise: bool = False

    @property
    def spread(self) -> Spread | None:
        return Spread(self.values) if self.values else None

    @property
    def worst(self) -> float:
        return min(self.values) if self.goal.reaches in (operator.ge, operator.gt) else max(self.values)

    @property
    def counted(self) -> int:
        """How many of the values reach it."""
        return sum(self.goal.reaches(value, self.goal.limit) for value in self.values)

    @property
    def reaches_so_far(self) -> bool:
        """Whether what was measured, be it enough or not, reaches it."""
        if self.values and self.goal.statistic == Statistic.MEDIAN:
            return self.goal.reaches(Spread(self.values).median, self.goal.limit)
        return self.counted == len(self.values)

    @property
    def outcome(self) -> Outcome:
        if self.reaches_so_far:
            if not self.values:
                return Outcome.OPEN
            if self.failed:
                return Outcome.UNKNOWN
            return Outcome.MET if len(self.values) >= self.goal.count_min else Outcome.OPEN
        if self.is_reached_otherwise:
            return Outcome.SPARED
        # With rounds that failed, it is not known how far its spread goes.
        is_within = self.counted and self.goal.statistic == Statistic.EACH and not self.failed
        return Outcome.WITHIN if is_within else Outcome.MISSED

    @property
    def verdict(self) -> str:
        match self.outcome:
            case Outcome.MET:
                return "yes"
            case Outcome.SPARED:
                return "no; the alternative is"
            case Outcome.WITHIN:
                return f"within the spread: {self.counted} of {len(self.values)} rounds"
            case Outcome.MISSED:
                return f"no: {self._missed}" + (f"; {self._failures}" if self.failed else "")
            case Outcome.UNKNOWN:
                return f"unknown: {self._failures}"
        if self.values:
            return f"not measured: {len(self.values)} of {self.goal.count_min}, all of them below"
        return f"not measured: {self.failure or 'no cell of this run is about it'}"

    @property
    def _missed(self) -> str:
        if self.counted and self.goal.statistic == Statistic.EACH:
            return f"{self.counted} of {self.rounds} rounds reach it"
        return self.goal.why or _UNEXPLAINED

    @property
    def _failures(self) -> str:
        return f"{self.failed} of {self.rounds} rounds failed: {self.failure}"


def judged(results: dict) -> list[Reached]:
    """Every goal, in the design's order."""
    found = [_reached(goal, results) for goal in GOALS]
    open_ways = {reached.goal.choice for reached in found if reached.outcome == Outcome.MET} - {""}
    return [replace(reached, is_reached_otherwise=reached.goal.choice in open_ways) for reached in found]


def _reached(goal: Goal, results: dict) -> Reached:
    failures = [failure for failure in results["failures"] if failure["cell"] in goal.cells]
    rounds = {row["round"] for row in results["cells"] + results["failures"] if row["cell"] in goal.cells}
    return Reached(
        goal, _values(results, goal.cells, goal.key),
        beside=_values(results, goal.cells, goal.beside[0]) if goal.beside else (),
        rounds=len(rounds), failed=len({failure["round"] for failure in failures}),
        failure=failures[-1]["reason"] if failures else "")


def _values(results: dict, cells: tuple[str, ...], key: str) -> tuple[float, ...]:
    values: list[float] = []
    for cell in results["cells"]:
        if cell["cell"] in cells and key in cell["sample"]:
            value = cell["sample"][key]
            values += value if isinstance(value, list) else [value]
    return tuple(float(value) for value in values)
