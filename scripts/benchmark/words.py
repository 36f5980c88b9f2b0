"""How figures, tables, machines and commands are written, the same in all reports."""

import shlex

from .summary import Spread


def table(header: list[str], rows: list[list[str]], *, words: int = 2) -> str:
    """The first `words` columns hold words, the others figures."""
    lines = [header, ["---"] * words + ["--:"] * (len(header) - words), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine_line(machine: dict, *more: str) -> str:
    """Where a run took place; `more` are further facts of the same line."""
    place = (
        f"{machine['processors']} processors ({machine['processor']}), {machine['memory_bytes'] >> 30} GiB, "
        f"{machine['distribution']}, {machine['kernel']}, {machine['file_system']}")
    return "- " + "; ".join([place, *more])


#: Options that name places of one machine: what a page says of them, or nothing, as where results went changes none.
_PLACES = {"--page": "FILE", "--dir": "DIR", "--out": "", "--readme": "", "--from": "", "--holdfast": "", "--driver": ""}


def command_line(results: dict, otherwise: str) -> str:
    """The command of a run as it was given, without the machine's paths; `otherwise` for a run that did not note it."""
    argv = results.get("argv")
    command = shlex.join(["scripts/bench", *_without_paths(argv)]) if isinstance(argv, list) else otherwise
    return f"- command: `{command}`"


def _without_paths(argv: list[str]) -> list[str]:
    said, words = [], iter(argv)
    for word in words:
        option, _, value = word.partition("=")
        if option not in _PLACES:
            said.append(word)
            continue
        if not value:
            next(words, None)
        if _PLACES[option]:
            said += [option, _PLACES[option]]
    return said


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def three_digits(value: float) -> str:
    """Three that count, and no fewer than there are before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def plain(value: float) -> str:
    """A figure of any size among words: 2,425, 8.09, 0.02."""
    return number(value) if value >= 10 else f"{value:.2f}"


def range_of(spread: Spread | None, scale: float = 1, form: str = ",.0f") -> str:
    return f"{spread.min / scale:{form}} to {spread.max / scale:{form}}" if spread else ""


def times(ratio: float | None) -> str:
    """Two digits that count: 0.08 x, 0.5 x, 3.2 x, 17 x."""
    if ratio is None:
        return ""
    return f"{ratio:.2f} x" if ratio < 0.1 else f"{ratio:.1f} x" if ratio < 10 else f"{ratio:.0f} x"


def milliseconds(spread: Spread | None) -> str:
    """The median, from microseconds."""
    return f"{spread.median / 1000:.2f}" if spread else ""


def worst_milliseconds(spread: Spread | None) -> str:
    """The most of all rounds, from microseconds: a median of worsts would not be the worst."""
    return f"{spread.max / 1000:.2f}" if spread else ""


def decimal(spread: Spread | None, form: str = ".2f") -> str:
    return f"{spread.median:{form}}" if spread else ""


def whole(spread: Spread | None) -> str:
    return f"{spread.median:.0f}" if spread else ""


def mebibytes(spread: Spread | None) -> str:
    return f"{spread.median / (1 << 20):,.0f}" if spread else ""
