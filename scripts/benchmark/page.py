"""The Performance article of the documentation, and the README's quote, from one run."""

import os
from pathlib import Path

from . import behind, growth_page, plots, prose, report
from .failure import Failure
from .plan import Append, CatchUp, Tail
from .summary import Summary, label
from .svg import Picture
from .systems import footnote, systems, unsynced
from .words import command_line, plain, table

_BEGIN, _END = "<!-- performance: written by scripts/bench --page -->", "<!-- performance: end -->"


def write(results: dict, page: Path, readme: Path | None = None) -> None:
    """Writes the article, its plots into `Resources` beside it, and what `readme` quotes between its two marks. A section
    on growth that the article has stays.

    Raises Failure, with nothing written, when the run was interrupted, or something failed in every round: such a page would
    compare what is not there. A cell that failed in some rounds is named on the page.
    """
    summary = Summary(results)
    if not results.get("is_complete", True):
        raise Failure("the run was interrupted: no page was written", next="see results.md, and run it again")
    if missing := summary.missing:
        work, system = missing[0]
        raise Failure(
            f"{label(system)} failed in every round of \"{work.title}\": no page was written",
            next="see results.md, and run it again")
    # Before anything is written: a README without marks is refused.
    told = quoted(readme.read_text(), quote(summary, os.path.relpath(page, readme.parent))) if readme else ""
    pictures = plots.draw_all(summary)
    resources = page.parent / "Resources"
    resources.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        (resources / f"{name}.svg").write_text(picture.svg)
    page.write_text(growth_page.kept(page, article(summary, pictures)))
    if readme:
        readme.write_text(told)


def article(summary: Summary, pictures: dict[str, Picture]) -> str:
    plan = summary.results["plan"]
    command = "scripts/bench --page FILE" if plan == "full" else f"scripts/bench --{plan} --page FILE"
    parts = [
        prose.INTRODUCTION,
        report.circumstances(summary) + "\n" + command_line(summary.results, command),
        "## At a glance",
        *(picture.markdown(f"Resources/{name}.svg") for name, picture in pictures.items()),
        "## What an acknowledgement promises", systems(summary),
        "## Where Holdfast is behind, and why", _behind(summary),
        prose.method(summary),
        *report.sections(summary),
        prose.spent(summary),
        prose.tried(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _behind(summary: Summary) -> str:
    found = behind.find(summary)
    compared = f"Compared are, of the tables below: {behind.COMPARED}."
    if not found:
        return f"{compared} In none of them a peer is better by more than a twentieth."
    return (
        f"{compared} Each in which a peer is better by more than a twentieth is here, work by work.\n\n"
        + "\n".join(behind.bullets(found)))


def quote(summary: Summary, page: str) -> str:
    """A few lines: the middle of the table, each with its figures for all systems."""
    chosen: list[tuple[object, str, tuple[str, ...], float]] = []
    singles = summary.works(Append, lambda work: work.size == 100 and work.in_flight == 1 and work.batch == 1)
    chosen += [(work, "appends/s", ("records_per_second",), 1) for work in singles if work.clients in (1, 64)]
    many = summary.works(Append, lambda work: work.in_flight > 1)
    chosen += [(work, "appends/s", ("records_per_second",), 1) for work in many]
    chosen += [(work, "p50 ms", ("delivery", "p50_us"), 1000) for work in summary.works(Tail)]
    chosen += [(work, "ms", ("gap_ms",), 1) for work in summary.works_with("gap_ms")]
    chosen += [(work, "s", ("seconds",), 1) for work in summary.works(CatchUp)]
    names = list(summary.results["systems"])
    rows = []
    for work, unit, path, scale in chosen:
        row = [f"{work.title}, {unit}"]
        for system in names:
            spread = summary.spread(work, system, *path)
            value = spread.median / scale if spread else None
            row.append("" if value is None else plain(value))
        rows.append(row)
    header = ["medians", *(label(system) + unsynced(summary, system) for system in names)]
    return (
        table(header, rows, words=1) + footnote(summary)
        + (f"\n\n{report.KILLED}" if summary.works_with("gap_ms") else "")
        + f"\n\nFrom one run of `scripts/bench` on {summary.results['machine']['processors']} processors that nodes and load "
        f"share; [spreads, costs, settings, and where Holdfast is behind]({page}).")


def quoted(text: str, new: str) -> str:
    """The text with what stands between the marks replaced. Raises Failure when it has not both marks, once each."""
    if text.count(_BEGIN) != 1 or text.count(_END) != 1 or text.index(_BEGIN) > text.index(_END):
        raise Failure(f"README.md has not the lines {_BEGIN} and {_END}, once each and in this order")
    before, _, rest = text.partition(_BEGIN)
    return f"{before}{_BEGIN}\n{new}\n{_END}{rest.partition(_END)[2]}"
