"""What plots are drawn of: SVG text. Colours follow the reader's preference for light or dark; ids and fonts are nobody else's."""

import math
from dataclasses import dataclass
from html import escape

WIDTH = 760
LEFT, RIGHT, TOP = 64, 16, 64
#: For each system one colour in light and one in dark surroundings. Not everybody can tell all of them apart: what is drawn in them
#: has its name beside it, or another line and other dots.
COLOURS = {
    "holdfast": ("#0b62c4", "#62a8ff"),
    "etcd": ("#b4540a", "#f2a65a"),
    "nats": ("#2b8a57", "#6fd39c"),
    "postgresql": ("#7a4fa3", "#c6a4ea"),
    "rocksdb": ("#a8324a", "#f08ca0"),
    "floor": ("#6b7280", "#a3aab5"),
}
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:15px}.small{font-size:11px}"
    ".axis{stroke:#8c959f;stroke-width:1}.grid{stroke:#d0d7de;stroke-width:1}.whisker{stroke:#24292f;stroke-width:1.2}"
    + "".join(f".{name}{{fill:{light}}}" for name, (light, _) in COLOURS.items())
    + "".join(f".{name}-line{{fill:none;stroke:{light};stroke-width:2}}" for name, (light, _) in COLOURS.items())
    + "@media (prefers-color-scheme:dark){text{fill:#e6edf3}.axis{stroke:#6e7681}.grid{stroke:#30363d}"
    ".whisker{stroke:#e6edf3}" + "".join(f".{name}{{fill:{dark}}}" for name, (_, dark) in COLOURS.items())
    + "".join(f".{name}-line{{stroke:{dark}}}" for name, (_, dark) in COLOURS.items()) + "}"
)


@dataclass(frozen=True)
class Picture:
    """A plot, and what it shows in words and figures, for whoever does not see it."""

    svg: str
    text: str

    def markdown(self, path: str) -> str:
        return f"![{self.text}]({path})"


def picture(said: str, height: float, parts: list[str]) -> Picture:
    """`said` is read aloud in place of the parts."""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" role="img" aria-label="{escape(said)}"><style>{_STYLE}</style>'
        + "".join(parts) + "</svg>\n")
    return Picture(svg, said)


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start", *, turned: int = 0) -> str:
    """`turned` by so many degrees around its anchor, clockwise."""
    named = f' class="{kind}"' if kind else ""
    turn = f' transform="rotate({turned} {x:.1f} {y:.1f})"' if turned else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


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


class Labels:
    """Places of values: a label that would lie on another one goes to its next place, or is left out; the dot's tooltip has it."""

    _HEIGHT = 11.0

    def __init__(self, lowest: float) -> None:
        """None reaches below `lowest`."""
        self._lowest = lowest
        self._taken: list[tuple[float, float, float, float]] = []

    def place(self, words: str, x: float, *baselines: float) -> str:
        """Centred at `x`, on the first of the baselines where it is free; empty where none is."""
        half = 3.2 * len(words)
        for baseline in baselines:
            box = (x - half, x + half, baseline - self._HEIGHT, baseline)
            if baseline <= self._lowest and all(self._is_beside(box, other) for other in self._taken):
                self._taken.append(box)
                return text(x, baseline, words, "small", "middle")
        return ""

    @staticmethod
    def _is_beside(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
        return one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
