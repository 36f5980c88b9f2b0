"""Three kinds of plots as SVG text. Colours follow the reader's preference for light or dark; ids and fonts are nobody else's."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

_WIDTH = 760
_LEFT, _RIGHT, _TOP = 64, 16, 64
#: For each system one colour in light and one in dark surroundings, which people with any colour vision can tell apart.
_COLOURS = {
    "holdfast": ("#0b62c4", "#62a8ff"),
    "etcd": ("#b4540a", "#f2a65a"),
    "nats": ("#2b8a57", "#6fd39c"),
    "postgresql": ("#7a4fa3", "#c6a4ea"),
    "rocksdb": ("#a8324a", "#f08ca0"),
    "floor": ("#6b7280", "#a3aab5"),
}
#: Lines have the colours of systems, in their order.
_LINE_KINDS = tuple(_COLOURS)
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:15px}.small{font-size:11px}"
    ".axis{stroke:#8c959f;stroke-width:1}.grid{stroke:#d0d7de;stroke-width:1}.whisker{stroke:#24292f;stroke-width:1.2}"
    + "".join(f".{name}{{fill:{light}}}" for name, (light, _) in _COLOURS.items())
    + "".join(f".{name}-line{{fill:none;stroke:{light};stroke-width:2}}" for name, (light, _) in _COLOURS.items())
    + "@media (prefers-color-scheme:dark){text{fill:#e6edf3}.axis{stroke:#6e7681}.grid{stroke:#30363d}"
    ".whisker{stroke:#e6edf3}" + "".join(f".{name}{{fill:{dark}}}" for name, (_, dark) in _COLOURS.items())
    + "".join(f".{name}-line{{stroke:{dark}}}" for name, (_, dark) in _COLOURS.items()) + "}"
)


@dataclass(frozen=True)
class Bar:
    """`kind` is a key of the colours."""

    kind: str
    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class BarPlot:
    """Groups of bars from zero on, so that lengths compare as values do."""

    title: str
    groups: list[tuple[str, list[Bar]]]
    height: int = 340

    def draw(self) -> str:
        top = max((bar.high for _, bars in self.groups for bar in bars), default=0) or 1
        step = nice_step(top / 5)
        limit = math.ceil(top / step) * step
        base = self.height - 40
        span = base - _TOP

        def y(value: float) -> float:
            return base - span * value / limit

        parts = [_text(_LEFT, 22, self.title, "title"), self._legend()]
        for index in range(round(limit / step) + 1):
            value = index * step
            parts.append(_line(_LEFT, y(value), _WIDTH - _RIGHT, y(value), "axis" if index == 0 else "grid"))
            parts.append(_text(_LEFT - 8, y(value) + 4, short(value), "small", "end"))
        place = (_WIDTH - _LEFT - _RIGHT) / max(1, len(self.groups))
        for number, (title, bars) in enumerate(self.groups):
            left = _LEFT + place * number
            width = min(56.0, place * 0.84 / max(1, len(bars)))
            begin = left + (place - width * len(bars)) / 2
            for index, bar in enumerate(bars):
                parts += self._bar(bar, begin + width * index, width, y)
            parts.append(_text(left + place / 2, base + 20, title, "", "middle"))
        return _picture(self.title, self.height, parts)

    def _bar(self, bar: Bar, x: float, width: float, y) -> list[str]:
        middle = x + width / 2
        said = f"{bar.name}: {short(bar.value)} ({short(bar.low)} to {short(bar.high)})"
        height = max(0.5, y(0) - y(bar.value))
        return [
            f'<rect class="{bar.kind}" x="{x + 1:.1f}" y="{y(0) - height:.1f}" width="{width - 2:.1f}" '
            f'height="{height:.1f}" rx="1.5"><title>{escape(said)}</title></rect>',
            _line(middle, y(bar.low), middle, y(bar.high), "whisker"),
            _text(middle, y(bar.high) - 5, short(bar.value), "small", "middle"),
        ]

    def _legend(self) -> str:
        names: dict[str, str] = {}
        for _, bars in self.groups:
            for bar in bars:
                names.setdefault(bar.kind, bar.name)
        if len(names) == len(self.groups) and all(len(bars) == 1 for _, bars in self.groups):
            return ""
        return _legend(list(names.items()))


@dataclass(frozen=True)
class Dots:
    """One row of dots, and their median as a line."""

    kind: str
    name: str
    values: tuple[float, ...]
    median: float


@dataclass(frozen=True)
class DotPlot:
    """Rows over a logarithmic axis: for values of very different sizes."""

    title: str
    rows: list[Dots]
    row_height: int = field(default=52, kw_only=True)

    def draw(self) -> str:
        values = [value for row in self.rows for value in row.values if value > 0]
        low = math.floor(math.log10(min(values, default=1)))
        high = max(low + 1, math.ceil(math.log10(max(values, default=10))))
        left = 200

        def x(value: float) -> float:
            share = (math.log10(max(value, 10**low)) - low) / (high - low)
            return left + share * (_WIDTH - left - _RIGHT - 24)

        base = 44 + self.row_height * len(self.rows)
        parts = [_text(24, 22, self.title, "title")]
        for power in range(low, high + 1):
            parts.append(_line(x(10**power), 40, x(10**power), base, "grid"))
            parts.append(_text(x(10**power), base + 18, short(10**power), "small", "middle"))
        for number, row in enumerate(self.rows):
            y = 44 + self.row_height * (number + 0.5)
            parts.append(_text(left - 12, y + 4, row.name, "small", "end"))
            for index, value in enumerate(row.values):
                # A little apart, so that equal ones can be counted.
                offset = (index * 7 % 5 - 2) * 3
                parts.append(
                    f'<circle class="{row.kind}" cx="{x(value):.1f}" cy="{y + offset:.1f}" r="4" fill-opacity="0.65">'
                    f"<title>{short(value)}</title></circle>")
            parts.append(_line(x(row.median), y - 17, x(row.median), y + 17, "whisker"))
            parts.append(_text(x(row.median), y - 19, short(row.median), "small", "middle"))
        return _picture(self.title, base + 30, parts)


@dataclass(frozen=True)
class Line:
    """`points` are x, median, least and most, all above 0 and in the order of x."""

    name: str
    points: list[tuple[float, float, float, float]]


@dataclass(frozen=True)
class LinePlot:
    """Lines over two logarithmic axes, where what grows in proportion rises by as much on both."""

    title: str
    lines: list[Line]
    #: How an x is written below the axis.
    x_label: Callable[[float], str]
    height: int = field(default=340, kw_only=True)

    def draw(self) -> str:
        points = [point for line in self.lines for point in line.points]
        xs = sorted({point[0] for point in points})
        low, high = math.log10(xs[0]), math.log10(xs[-1])
        bottom = math.floor(math.log10(min(point[2] for point in points)))
        top = max(bottom + 1, math.ceil(math.log10(max(point[3] for point in points))))
        base = self.height - 40

        def x(value: float) -> float:
            share = (math.log10(value) - low) / (high - low) if high > low else 0.5
            return _LEFT + 40 + share * (_WIDTH - _LEFT - _RIGHT - 80)

        def y(value: float) -> float:
            return base - (math.log10(value) - bottom) / (top - bottom) * (base - _TOP)

        parts = [_text(_LEFT, 22, self.title, "title")]
        if len(self.lines) > 1:
            parts.append(_legend([(kind, line.name) for kind, line in zip(_LINE_KINDS, self.lines)]))
        for power in range(bottom, top + 1):
            value = 10.0**power
            parts.append(_line(_LEFT, y(value), _WIDTH - _RIGHT, y(value), "axis" if power == bottom else "grid"))
            parts.append(_text(_LEFT - 8, y(value) + 4, short(value), "small", "end"))
        beside = -math.inf
        for value in xs:
            # Where two values are close, the first has its label.
            if x(value) - beside >= 40:
                parts.append(_text(x(value), base + 20, self.x_label(value), "small", "middle"))
                beside = x(value)
        for kind, line in zip(_LINE_KINDS, self.lines):
            path = " ".join(f"{x(point[0]):.1f},{y(point[1]):.1f}" for point in line.points)
            parts.append(f'<polyline class="{kind}-line" points="{path}"/>')
            for at, median, least, most in line.points:
                said = f"{line.name}, {self.x_label(at)}: {short(median)} ({short(least)} to {short(most)})"
                parts.append(_line(x(at), y(least), x(at), y(most), "whisker"))
                parts.append(
                    f'<circle class="{kind}" cx="{x(at):.1f}" cy="{y(median):.1f}" r="3.5">'
                    f"<title>{escape(said)}</title></circle>")
                parts.append(_text(x(at), y(most) - 6, short(median), "small", "middle"))
        return _picture(self.title, self.height, parts)


def nice_step(about: float) -> float:
    """1, 2 or 5 times a power of ten, at least as large."""
    power = 10.0 ** math.floor(math.log10(about))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= about * 0.999)


def short(value: float) -> str:
    """At most four characters where it can be: 4.2k, 310k, 1.5M."""
    for scale, unit in ((1e6, "M"), (1e3, "k")):
        if value >= scale:
            scaled = value / scale
            return f"{scaled:.1f}{unit}".replace(".0", "") if scaled < 10 else f"{scaled:.0f}{unit}"
    if value >= 10 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _legend(names: list[tuple[str, str]]) -> str:
    parts, x = [], float(_LEFT)
    for kind, name in names:
        parts.append(f'<rect class="{kind}" x="{x:.0f}" y="36" width="11" height="11" rx="2"/>')
        parts.append(_text(x + 16, 46, name, "small"))
        x += 34 + 6.4 * len(name)
    return "".join(parts)


def _picture(title: str, height: float, parts: list[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" width="{_WIDTH}" '
        f'height="{height:.0f}" role="img" aria-label="{escape(title)}"><style>{_STYLE}</style>'
        + "".join(parts) + "</svg>\n")


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
