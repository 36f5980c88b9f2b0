"""The report of a growth run, and the section on growth of the Performance article, which other runs leave alone."""

from pathlib import Path

from .failure import Failure
from .growth import Cell
from .growth_figures import FIGURES, Course, Figure, courses
from .line_plot import Line, LinePlot
from .sections import BLANK, Section
from .summary import Spread
from .svg import Picture
from .words import command_line, machine_line, table, three_digits

SECTION = Section("<!-- growth: written by scripts/bench --growth --page -->", "<!-- growth: end -->")

_METHOD = """\
What a cost does while something grows, of Holdfast alone, from one run of `scripts/bench --growth`. Both axes of each plot are
logarithmic: what grows in proportion rises by as much on both. Dots are medians of the rounds, whiskers the least and the most.

- **A large log** takes hardly any room here: its records are whole frames of zeros that were never written, holes in its files,
  eight in each segment. Only 256 records of 100 bytes at the beginning of each segment are written in full; these are what is
  sought. An append, a seek and an opening cannot tell the difference, a reader of everything could: it is not measured here.
  Segments have 128 MiB, and where they are counted 1 MiB.
- **A cold seek** is the first one after opening: no descriptor is open, no index in memory. Before **warm** ones every segment was
  sought. Both end when the record is there; what they read is in the page cache.
- **Nodes, clients and records** are of clusters with `fsync.policy: always`, on loopback: all nodes and the load share the
  processors, so that more nodes also mean less of the machine for each.
- **Clients** have a connection each, of nodes that hold so many (`client.connections.max`), or share at most 64. 64 connect at
  once; each connection has carried an append before the warm-up begins.
- **Records of 1 MiB and more** find memory that was touched just before: hosts of virtual machines give it page by page when it
  is used, which a page cache that grows would wait for.
- **An exponent** is that of the power of what grows that fits the cost best: 0 is a cost that stays, 1 one in proportion. Of a
  rate the cost is that of one record, or of one MiB."""


def write_report(results: dict, directory: Path) -> None:
    """growth.md, and the plots beside it."""
    for name, picture in draw_all(results).items():
        (directory / f"{name}.svg").write_text(picture.svg)
    (directory / "growth.md").write_text("# Growth\n\n" + body(results, "##", "") + "\n")


def write(results: dict, page: Path) -> None:
    """Puts the section into the article, in place of one that is there, and its plots into `Resources` beside it.

    Raises Failure, with nothing written, when a cell failed in every round, or the article's marks are not a pair.
    """
    measured = {(cell["axis"], cell["x"], cell["series"]) for cell in results["cells"]}
    for failure in results["failures"]:
        if (failure["axis"], failure["x"], failure["series"]) not in measured:
            raise Failure(
                f"{_title(failure)} failed in every round: no page was written",
                next="see growth.md, and run it again")
    text = page.read_text() if page.exists() else BLANK
    text = SECTION.put(text, f"## Growth\n\n{body(results, '###', 'Resources/')}", page.name)
    resources = page.parent / "Resources"
    resources.mkdir(parents=True, exist_ok=True)
    for name, picture in draw_all(results).items():
        (resources / f"{name}.svg").write_text(picture.svg)
    page.write_text(text)


def kept(page: Path, article: str) -> str:
    """A new article, with the section on growth of the one that is there.

    Raises Failure when the marks there are not a pair.
    """
    section = SECTION.body(page)
    return SECTION.put(article, section, page.name) if section else article


def body(results: dict, heading: str, pictures: str) -> str:
    """Everything but the title. `pictures` stands before the names of plots."""
    lines = {figure: courses(results, figure) for figure in FIGURES}
    drawn = draw_all(results)
    parts = [_METHOD, _circumstances(results)]
    for figure, found in lines.items():
        if found:
            parts += [
                f"{heading} {figure.title}", drawn[figure.name].markdown(f"{pictures}{figure.name}.svg"),
                "\n".join(f"- {course.sentence}" for course in found), _table(figure, found, results["rounds"])]
    parts += [f"{heading} What grows more than it should, and why", _unpromised(list(lines.values()))]
    if left_out := results.get("left_out"):
        parts += [f"{heading} Growth cells that were left out", "\n".join(
            f"- {cell['axis']} {cell['x']:,} {cell['series']}: {cell['reason']}" for cell in left_out)]
    if results["failures"]:
        parts += [f"{heading} Growth cells that failed", "\n".join(
            f"- {_title(failure)}, round {failure['round']}: {failure['reason']}"
            for failure in results["failures"])]
    return "\n\n".join(parts)


def _title(place: dict) -> str:
    """Of the cell that a failure names."""
    return Cell(place["axis"], place["x"], place["series"]).title


def _circumstances(results: dict) -> str:
    rounds = results["rounds"]
    return "\n".join([
        machine_line(results["machine"], f"Holdfast {results['version']}"),
        f"- {results['began']}, {results['seconds'] / 60:.0f} min: {rounds} round{'s' if rounds > 1 else ''}, loads of "
        f"{results['duration_ms'] / 1000:g} s after half a second of warming up",
        command_line(results, "scripts/bench --growth --page FILE"),
    ])


def _table(figure: Figure, found: list[Course], rounds: int) -> str:
    """Medians and spreads; where a median is over fewer than all rounds, over how many."""
    def cell(spread: Spread) -> str:
        median, least, most = (three_digits(value / figure.scale) for value in (spread.median, spread.min, spread.max))
        few = f", n = {len(spread.values)}" if len(spread.values) < rounds else ""
        return f"{median} ({least} to {most}{few})"

    xs = sorted({x for course in found for x, _ in course.points})
    rows = []
    for course in found:
        said = {x: cell(spread) for x, spread in course.points}
        rows.append([course.line or figure.unit, *(said.get(x, "") for x in xs)])
    return table([figure.unit, *(figure.x_label(x) for x in xs)], rows, words=1)


def _unpromised(found: list[list[Course]]) -> str:
    lines = []
    for course in (course for group in found for course in group if not course.is_as_promised):
        low, high, ratio = course.steepest
        figure, line = course.figure, f", {course.line}" if course.line else ""
        lines.append(
            f"- **{figure.title}{line}**: the cost is {three_digits(ratio)} times as much at {figure.x_label(high)} as at "
            f"{figure.x_label(low)}: {course.reason}" + (" Their spreads overlap." if course.is_within_spread else ""))
    promise = (
        "Appends are not to grow at all, nor is the cost of a record while clients grow, or of a MiB while records do; a seek "
        "by index may grow as the logarithm of the log's bytes does; opening, quorums and large records may grow in proportion. "
        "Named is what grows by more than half beside that, anywhere along its line.")
    return f"{promise}\n\n" + ("\n".join(lines) if lines else "Nothing grew more than that in this run.")


def draw_all(results: dict) -> dict[str, Picture]:
    """By name; only of what was measured."""
    pictures = {}
    for figure in FIGURES:
        found = courses(results, figure)
        if found:
            scale = figure.scale
            lines = [
                Line(course.line, [
                    (x, spread.median / scale, spread.min / scale, spread.max / scale) for x, spread in course.points])
                for course in found]
            pictures[figure.name] = LinePlot(figure.title, figure.unit, lines, figure.x_title, figure.x_label).draw()
    return pictures
