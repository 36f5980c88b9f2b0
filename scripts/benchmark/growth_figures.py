"""What is plotted of a growth run, how its costs grew, and why where they grew more than they should."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from .growth import Cell
from .plan import byte_count
from .summary import Spread
from .words import three_digits

#: A cost that stays within this factor from the least of an axis to the most does not grow.
_FLAT_RATIO = 1.5
#: An exponent that is above 1 by less is that of a straight line, measured.
_EXPONENT_TOLERANCE = 0.05


class Allowed(Enum):
    """How a cost may grow with what is on its axis."""

    NOT = "not at all"
    LOGARITHM = "as the logarithm of the log's bytes"
    PROPORTION = "in proportion"


@dataclass(frozen=True)
class Figure:
    """One plot. `keys` are figures of a sample and how they are called; `series` are those of its cells."""

    name: str
    title: str
    axis: str
    keys: tuple[tuple[str, str], ...]
    unit: str
    #: For rates: a cost is their inverse, that of one record or byte.
    is_rate: bool = False
    growth: Allowed = Allowed.NOT
    scale: float = 1
    x_label: Callable[[float], str] = lambda value: f"{value:,.0f}"
    #: Bytes of the log for one of what is on the axis, where a logarithm counts them.
    log_bytes: int = 1

    @property
    def x_title(self) -> str:
        return _AXES[self.axis]

    def allowed(self, low: float, high: float) -> float:
        """How many times as much a cost may be at `high` as at `low`."""
        if self.growth is Allowed.PROPORTION:
            return high / low
        if self.growth is Allowed.LOGARITHM:
            return math.log(high * self.log_bytes) / math.log(low * self.log_bytes)
        return 1


def _bytes(value: float) -> str:
    return byte_count(round(value))


_APPENDS = (("append: os", "os"), ("append: always", "always"))
_SEEKS = (("seek: cold", "cold"), ("seek: warm", "warm"))
_OPEN = (("open", "opening"),)

FIGURES = (
    Figure("growth-log-size-append", "Microseconds of one append, by the size of the log", "log-size", _APPENDS, "µs",
           x_label=_bytes),
    Figure("growth-log-size-seek", "Microseconds of one seek, by the size of the log", "log-size", _SEEKS, "µs",
           growth=Allowed.LOGARITHM, x_label=_bytes),
    Figure("growth-log-size-open", "Milliseconds of opening, by the size of the log", "log-size", _OPEN, "ms",
           growth=Allowed.PROPORTION, scale=1000, x_label=_bytes),
    Figure("growth-segments-append", "Microseconds of one append, by segments of 1 MiB", "segments", _APPENDS, "µs"),
    Figure("growth-segments-seek", "Microseconds of one seek, by segments of 1 MiB", "segments", _SEEKS, "µs",
           growth=Allowed.LOGARITHM, log_bytes=1 << 20),
    Figure("growth-segments-open", "Milliseconds of opening, by segments of 1 MiB", "segments", _OPEN, "ms",
           growth=Allowed.PROPORTION, scale=1000),
    Figure("growth-nodes", "Microseconds of one quorum append, by nodes", "nodes", (("p50_us", "median"),), "µs",
           growth=Allowed.PROPORTION),
    Figure("growth-clients", "Acknowledged records per second, by clients", "clients", (("records_per_second", ""),),
           "records/s", is_rate=True),
    Figure("growth-record-size-records", "Acknowledged records per second, by the size of a record, one client",
           "record-size", (("records_per_second", "records"),), "records/s", is_rate=True, growth=Allowed.PROPORTION,
           x_label=_bytes),
    Figure("growth-record-size-bytes", "Acknowledged MiB per second, by the size of a record, one client",
           "record-size", (("bytes_per_second", "MiB"),), "MiB/s", is_rate=True, scale=1 << 20, x_label=_bytes),
)

_COLD = (
    "the search itself is logarithmic; over many segments a seek meets inodes, page tables and index pages that no cache of the "
    "processor holds any more.")
_CACHES = (
    "a log keeps the indexes of 64 sealed segments in memory, and 16 descriptors (`openFilesMax`), however many segments there "
    "are. Sought all over more than that, a segment is opened, and the headers on the way are walked, nearly each time: a "
    "step that is bounded, and not a slope.")
#: By figure and line; what nothing here explains is one to be explained.
REASONS: dict[tuple[str, str], str] = {
    ("growth-log-size-seek", "cold"): _COLD,
    ("growth-segments-seek", "cold"): _COLD,
    ("growth-log-size-seek", "warm"): _CACHES,
    ("growth-segments-seek", "warm"): _CACHES,
}
#: What there is more of along an axis.
_COUNTED = {
    "log-size": "bytes", "segments": "segments", "nodes": "nodes", "clients": "clients", "record-size": "bytes",
}
#: What the axis of a plot is called.
_AXES = {
    "log-size": "size of the log", "segments": "segments of 1 MiB", "nodes": "nodes", "clients": "clients",
    "record-size": "size of a record",
}
_UNEXPLAINED = "nothing that is known explains it."


@dataclass(frozen=True)
class Course:
    """How one line goes; every value is above 0."""

    figure: Figure
    line: str
    points: tuple[tuple[int, Spread], ...]

    @property
    def costs(self) -> list[tuple[int, float]]:
        return [(x, 1 / spread.median if self.figure.is_rate else spread.median) for x, spread in self.points]

    @property
    def ratio(self) -> float:
        """The last cost in the first."""
        return self.costs[-1][1] / self.costs[0][1]

    @property
    def exponent(self) -> float:
        """Of the power that fits best: the slope of the least squares' line through the logarithms."""
        points = [(math.log(x), math.log(cost)) for x, cost in self.costs]
        mean_x, mean_y = (sum(values) / len(points) for values in zip(*points))
        across = sum((x - mean_x) ** 2 for x, _ in points)
        return sum((x - mean_x) * (y - mean_y) for x, y in points) / across if across else 0.0

    @property
    def verdict(self) -> str:
        if self.ratio <= _FLAT_RATIO:
            return "it does not grow"
        (first, _), *_, (last, _) = self.points
        if self.figure.growth is Allowed.LOGARITHM and self.ratio <= self.figure.allowed(first, last):
            return f"no more than the logarithm of the log's bytes, {three_digits(self.figure.allowed(first, last))} times"
        if self.exponent > 1 + _EXPONENT_TOLERANCE:
            return "worse than linear"
        return "linear" if self.exponent > 1 - _EXPONENT_TOLERANCE else "better than linear"

    @property
    def steepest(self) -> tuple[int, int, float]:
        """From where to where the cost rises most, beside what it may, and how many times: the ends of a line tell nothing
        of a fall that a rise follows."""
        costs = self.costs
        return max(
            ((low, high, cost / before) for number, (high, cost) in enumerate(costs) for low, before in costs[:number]),
            key=lambda rise: rise[2] / self.figure.allowed(rise[0], rise[1]))

    @property
    def is_as_promised(self) -> bool:
        low, high, ratio = self.steepest
        return ratio <= _FLAT_RATIO * self.figure.allowed(low, high)

    @property
    def is_within_spread(self) -> bool:
        """Whether, of the steepest rise, some round at its dear end cost no more than some round at its cheap end."""
        low, high, _ = self.steepest
        spreads = dict(self.points)
        if self.figure.is_rate:
            return spreads[low].min <= spreads[high].max
        return spreads[high].min <= spreads[low].max

    @property
    def reason(self) -> str:
        return REASONS.get((self.figure.name, self.line), _UNEXPLAINED)

    @property
    def sentence(self) -> str:
        (first, low), (last, high) = self.points[0], self.points[-1]
        figure, said = self.figure, f"**{self.line}**: " if self.line else ""
        what = "one costs" if figure.is_rate else "that is"
        return (
            f"{said}{three_digits(low.median / figure.scale)} {figure.unit} at {figure.x_label(first)}, "
            f"{three_digits(high.median / figure.scale)} at {figure.x_label(last)}: {what} {three_digits(self.ratio)} times as "
            f"much for {three_digits(last / first)} times as many {_COUNTED[figure.axis]}, exponent {self.exponent:.2f}: "
            f"{self.verdict}.")


def courses(results: dict, figure: Figure) -> list[Course]:
    """The lines of a figure that have two points at least, in the order of the run."""
    samples: dict[Cell, list[dict]] = {}
    for cell in results["cells"]:
        if cell["axis"] == figure.axis:
            samples.setdefault(Cell(cell["axis"], cell["x"], cell["series"]), []).append(cell["sample"])
    found = []
    for series in dict.fromkeys(cell.series for cell in samples):
        for key, name in figure.keys:
            points = []
            for cell, measured in samples.items():
                values = tuple(float(sample[key]) for sample in measured if sample.get(key))
                if cell.series == series and values:
                    points.append((cell.x, Spread(values)))
            if len(points) > 1:
                found.append(Course(figure, series or name, tuple(points)))
    return found
