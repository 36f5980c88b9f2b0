"""Why a figure of Holdfast's is worse than a peer's, where what the systems promise or are explains it.

A reason holds for certain works, systems and figures, not for whatever a system is better at: a difference that none fits is one to
be explained.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .plan import Append, Idle, Tail, Work
from .summary import Summary

UNEXPLAINED = "nothing here explains it"

#: Callers beyond so many keep processors busy while others wait for the disk: then waiting is no reason any more.
_FEW = 16


@dataclass(frozen=True)
class Reason:
    """`systems` and `figures` are those it holds for; no systems are all of them."""

    kinds: tuple[type, ...]
    systems: tuple[str, ...]
    figures: tuple[str, ...]
    words: str
    #: Whether it holds for a work of these kinds.
    holds: Callable[[Work], bool] = lambda _: True

    def fits(self, work: Work, system: str, figure: str) -> bool:
        return (
            isinstance(work, self.kinds) and (not self.systems or system in self.systems) and figure in self.figures
            and self.holds(work))


_SPEED = ("records_per_second", "latency.p50_us", "latency.p99_us")

REASONS = (
    Reason(
        (Append,), ("nats",), _SPEED,
        "NATS acknowledges what is in the page cache of two servers, Holdfast waits for the disks of two nodes",
        lambda work: work.batch == 1 and work.clients * work.in_flight <= _FEW),
    Reason(
        (Append,), ("postgresql",), (*_SPEED, "server_cores"),
        "alone, an append is handed from thread to thread six times on two nodes, and each of them sleeps before, which takes time "
        "and processors; callers that come together share what it costs",
        lambda work: work.batch == work.clients == work.in_flight == 1),
    Reason(
        (Tail,), ("nats",),
        ("delivery.p50_us", "delivery.p99_us", "worst delivery.max_us", "acknowledgement.p50_us"),
        "a reader gets what is committed, and NATS commits without waiting for a disk"),
    Reason(
        (Tail,), ("nats",), ("server_cores",),
        "syncs are work, too: of the kernel, of the disk threads, and of waking them"),
    Reason(
        (Idle,), (), ("server_cores",),
        "a node has heartbeats, and asks its peers every second for what it shows of the cluster"),
    Reason(
        (Append, Tail, Idle), (), ("server_memory_bytes",),
        "each node keeps the newest 32 MiB of its log in memory for followers"),
)


def reason(summary: Summary, work: Work, system: str, figure: str) -> str:
    """The first that fits; ``UNEXPLAINED`` when none does."""
    for known in REASONS:
        if known.fits(work, system, figure):
            return known.words
    if figure == "server_cores":
        return _for_more_work(summary, work, system) or UNEXPLAINED
    return UNEXPLAINED


def _for_more_work(summary: Summary, work: Work, system: str) -> str | None:
    """Cores that did as many times more are no loss: clients that wait for answers append more where those come sooner."""
    done = summary.ratio(work, system, "records_per_second")
    taken = summary.ratio(work, system, "server_cores")
    if not done or not taken or taken > done:
        return None
    return f"for {done:.2f} times as many records, {1 - taken / done:.0%} less for each"
