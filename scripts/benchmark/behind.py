"""Where Holdfast is slower than a peer, or takes more, in this very run: found by looking at every row, not by choice."""

from dataclasses import dataclass

from .plan import Append, CatchUp, Failover, Idle, Local, Tail, Work
from .summary import Spread, Summary, label
from .words import plain

#: Medians that differ by less are the same.
_TOLERANCE = 1.05


@dataclass(frozen=True)
class Figure:
    """One figure that every system has of a kind of work."""

    kind: type
    path: tuple[str, ...]
    unit: str
    is_more_better: bool
    scale: float = 1


FIGURES = (
    Figure(Append, ("records_per_second",), "records/s", True),
    Figure(Append, ("latency", "p99_us"), "ms (p99)", False, 1000),
    Figure(Tail, ("delivery", "p50_us"), "ms (p50)", False, 1000),
    Figure(Tail, ("delivery", "p99_us"), "ms (p99)", False, 1000),
    Figure(Failover, ("gap_ms",), "ms", False),
    Figure(CatchUp, ("seconds",), "s", False),
    Figure(Local, ("records_per_second",), "records/s", True),
    Figure(Idle, ("server_cores",), "cores", False),
    Figure(Idle, ("server_memory_bytes",), "MiB", False, 1 << 20),
)

_REST = (
    "a node has heartbeats, asks its peers every second for what it shows of the cluster, and keeps the newest 32 MiB of its log "
    "in memory for followers.")

#: What follows from what a system promises or is; a difference that nothing here explains is one to be explained.
REASONS: dict[tuple[type, str], str] = {
    (Append, "nats"): "NATS acknowledges what is in the page cache of two servers; Holdfast waits for the disks of two nodes.",
    (Append, "postgresql"): "alone, an append is handed from thread to thread six times on two nodes, and each of them sleeps before; "
    "callers that come together share what that costs.",
    (Idle, "nats"): _REST,
    (Idle, "postgresql"): _REST,
    (Tail, "nats"): "a reader gets what is committed, and NATS commits without waiting for a disk.",
}
_UNEXPLAINED = "what the systems promise does not explain it."


@dataclass(frozen=True)
class Finding:
    work: Work
    system: str
    figure: Figure
    own: Spread
    other: Spread

    @property
    def factor(self) -> float:
        """How many times better the other one's median is; above 1."""
        own, other = self.own.median, self.other.median
        if self.figure.is_more_better:
            return other / own if own else float("inf")
        return own / other if other else float("inf")

    @property
    def is_within_spread(self) -> bool:
        return self.own.min <= self.other.max and self.other.min <= self.own.max

    @property
    def text(self) -> str:
        scale = self.figure.scale

        def said(value: float) -> str:
            return plain(value / scale)

        reason = REASONS.get((type(self.work), self.system), _UNEXPLAINED)
        overlap = " Their spreads overlap." if self.is_within_spread else ""
        return (
            f"**{self.work.title}**: {said(self.own.median)} {self.figure.unit}, {label(self.system)} "
            f"{said(self.other.median)}: {reason}{overlap}")


def find(summary: Summary) -> list[Finding]:
    """In the order of the run."""
    found = []
    for figure in FIGURES:
        for work in summary.works(figure.kind):
            own = summary.spread(work, "holdfast", *figure.path)
            for system in summary.systems(work):
                other = summary.spread(work, system, *figure.path)
                if not own or not other or system in ("holdfast", "floor"):
                    continue
                finding = Finding(work, system, figure, own, other)
                if finding.factor > _TOLERANCE:
                    found.append(finding)
    return found
