"""Medians and spreads of what a run's cells found."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .plan import LABELS, Work, decode


def percentile(ordered: Sequence[float], thousandths: int) -> float:
    """The value, of at least one in ascending order, that so many of a thousand do not exceed."""
    return ordered[max(0, (len(ordered) * thousandths + 999) // 1000 - 1)]


@dataclass(frozen=True)
class Spread:
    """Of at least one value."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def min(self) -> float:
        return min(self.values)

    @property
    def max(self) -> float:
        return max(self.values)

    def percentile(self, percent: int) -> float:
        """The value that so many of a hundred do not exceed."""
        return percentile(sorted(self.values), percent * 10)


class Summary:
    """Reads the document that a run wrote; knows nothing else of it."""

    def __init__(self, results: dict) -> None:
        self.results = results
        self.samples: dict[tuple[Work, str], list[dict]] = {}
        for cell in results["cells"]:
            self.samples.setdefault((decode(cell["work"]), cell["system"]), []).append(cell["sample"])

    def works(self, kind: type, chosen: Callable[[Work], bool] = lambda _: True) -> list[Work]:
        """In the order of the run, each once; of all kinds for `object`."""
        return list(dict.fromkeys(work for work, _ in self.samples if isinstance(work, kind) and chosen(work)))

    def works_with(self, figure: str) -> list[Work]:
        """Those of whose cells some have this figure, in the order of the run, each once."""
        return list(dict.fromkeys(work for (work, _), samples in self.samples.items() if any(figure in one for one in samples)))

    def rounds_missing(self, work: Work, system: str) -> tuple[int, int] | None:
        """How many rounds a median is over and how many the run had; None when it is over all of them."""
        planned = self.results["catch_up_rounds" if work.kind == "catch-up" else "rounds"]
        measured = len(self.samples.get((work, system), []))
        return (measured, planned) if measured < planned else None

    def systems(self, work: Work) -> list[str]:
        """Those that were measured, Holdfast first, what is no system last."""
        order = [*LABELS, "floor"]
        return sorted((system for found, system in self.samples if found == work), key=order.index)

    @property
    def missing(self) -> list[tuple[Work, str]]:
        """What failed in every round: of it there is no figure at all."""
        failed = [(decode(failure["work"]), failure["system"]) for failure in self.results["failures"]]
        return [pair for pair in dict.fromkeys(failed) if pair not in self.samples]

    def spread(self, work: Work, system: str, *path: str) -> Spread | None:
        """Of one figure of a cell over all rounds; None where none was measured."""
        values = []
        for sample in self.samples.get((work, system), []):
            value: object = sample
            for key in path:
                value = value.get(key) if isinstance(value, dict) else None
            if isinstance(value, (int, float)):
                values.append(float(value))
        return Spread(tuple(values)) if values else None

    def ratio(self, work: Work, system: str, *path: str) -> float | None:
        """How many times Holdfast's median is that of another system."""
        own, other = self.spread(work, "holdfast", *path), self.spread(work, system, *path)
        return own.median / other.median if own and other and other.median > 0 else None

    @property
    def disk(self) -> Spread | None:
        """Microseconds of one fdatasync, before each cell."""
        values = [cell["sample"]["disk_sync_us"] for cell in self.results["cells"] if "disk_sync_us" in cell["sample"]]
        return Spread(tuple(values)) if values else None


def label(system: str) -> str:
    return LABELS.get(system, "floor")
