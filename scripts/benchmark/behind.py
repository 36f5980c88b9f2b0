"""Where Holdfast is slower than a peer, or takes more, in this very run: found by looking at every figure, not by choice."""

from dataclasses import dataclass

from .plan import Work
from .reasons import UNEXPLAINED, reason
from .summary import Spread, Summary, label
from .words import plain

#: Figures that differ by less are the same.
_TOLERANCE = 1.05


@dataclass(frozen=True)
class Figure:
    """One figure of the tables that systems are compared by; compared for every work whose cells have it."""

    path: tuple[str, ...]
    #: How it is called behind a value: `0.66 ms (p99)`.
    unit: str
    is_more_better: bool = False
    scale: float = 1
    #: The most of all rounds, instead of the median.
    is_worst: bool = False

    @property
    def name(self) -> str:
        """What reasons call it."""
        return ("worst " if self.is_worst else "") + ".".join(self.path)

    def value(self, spread: Spread) -> float:
        return spread.max if self.is_worst else spread.median


FIGURES = (
    Figure(("records_per_second",), "records/s", is_more_better=True),
    Figure(("latency", "p50_us"), "ms (p50)", scale=1000),
    Figure(("latency", "p99_us"), "ms (p99)", scale=1000),
    Figure(("delivery", "p50_us"), "ms (p50)", scale=1000),
    Figure(("delivery", "p99_us"), "ms (p99)", scale=1000),
    Figure(("delivery", "max_us"), "ms (worst)", scale=1000, is_worst=True),
    Figure(("acknowledgement", "p50_us"), "ms (acknowledged, p50)", scale=1000),
    Figure(("missing",), "not delivered"),
    Figure(("gap_ms",), "ms (median)"),
    Figure(("gap_ms",), "ms (worst)", is_worst=True),
    Figure(("seconds",), "s"),
    Figure(("server_cores",), "cores"),
    Figure(("server_memory_bytes",), "MiB", scale=1 << 20),
)
#: The driver's, not a system's, or in no table.
_KINDS_LEFT_OUT = ("ceiling",)
_LEFT_OUT = {("catch-up", "server_memory_bytes")}

#: What is looked at, for whoever reads that nothing else is.
COMPARED = (
    "rate, p50, p99, the servers' cores and memory; of deliveries also the worst, the acknowledgement's p50 and what was not "
    "delivered; of failovers the median and the worst; of catching up the seconds; at rest cores and memory")


@dataclass(frozen=True)
class Finding:
    """One figure that is worse than a peer's."""

    work: Work
    system: str
    figure: Figure
    own: Spread
    other: Spread
    #: Why, as far as it is known.
    reason: str

    @property
    def factor(self) -> float:
        """How many times better the other one's is; above 1."""
        own, other = self.figure.value(self.own), self.figure.value(self.other)
        if self.figure.is_more_better:
            own, other = other, own
        return own / other if other else float("inf") if own else 1.0

    @property
    def is_within_spread(self) -> bool:
        """Whether some round of Holdfast's was as good as some of the other's. Of a worst there is one only."""
        return not self.figure.is_worst and self.own.min <= self.other.max and self.other.min <= self.own.max

    @property
    def text(self) -> str:
        own, other = (plain(self.figure.value(spread) / self.figure.scale) for spread in (self.own, self.other))
        return f"{own} {self.figure.unit} against {other}" + (" (spreads overlap)" if self.is_within_spread else "")


def find(summary: Summary) -> list[Finding]:
    """Work by work in the order of the run, peer by peer, figure by figure in the order of the tables."""
    found = []
    for work in summary.works(object):
        if work.kind in _KINDS_LEFT_OUT:
            continue
        for system in summary.systems(work):
            if system in ("holdfast", "floor"):
                continue
            for figure in FIGURES:
                own, other = (summary.spread(work, name, *figure.path) for name in ("holdfast", system))
                if not own or not other or (work.kind, figure.path[-1]) in _LEFT_OUT:
                    continue
                finding = Finding(work, system, figure, own, other, reason(summary, work, system, figure.name))
                if finding.factor > _TOLERANCE:
                    found.append(finding)
    return found


def bullets(findings: list[Finding]) -> list[str]:
    """One for each work and peer: figures with one reason stand together before it."""
    pairs: dict[tuple[Work, str], dict[str, list[Finding]]] = {}
    for finding in findings:
        pairs.setdefault((finding.work, finding.system), {}).setdefault(finding.reason, []).append(finding)
    lines = []
    for (work, system), reasons in pairs.items():
        # What nothing explains comes last, once.
        ordered = sorted(reasons.items(), key=lambda pair: pair[0] == UNEXPLAINED)
        parts = [f"{'; '.join(finding.text for finding in group)}: {why}." for why, group in ordered]
        lines.append(f"- **{work.title}, {label(system)}**: {' '.join(parts)}")
    return lines
