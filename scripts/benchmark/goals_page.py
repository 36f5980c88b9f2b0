"""The report of a goals run, and its section of the Performance article, which other runs leave alone."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .failure import Failure
from .goals_figures import Outcome, Reached, Statistic, judged
from .sections import BLANK, Section
from .summary import Spread
from .words import table

SECTION = Section("<!-- goals: written by scripts/bench --goals --page -->", "<!-- goals: end -->")

_METHOD = """\
What Holdfast is to reach on a machine like this one, and what it reaches, of Holdfast alone, from one run of `scripts/bench
--goals`. Each row is measured in each round, in turns, and stands with the median of its rounds and the least and the most.

- **met** is *yes* when every round reaches the goal, *within the spread* when some do and others do not, *no* when none does. A
  goal that speaks of a median is held against the median; one of the worst, the longest or none against the worst of all, which
  is what stands there then. Where rounds failed, it is *no* when what the others measured misses the goal, and *unknown* when it
  reaches it.
- **The command** is what was run in each round, with `--runs 1`; it has a cluster or a log of its own, which is gone afterwards.
  A row that compares has several commands, whose order turns round from round to round.
- **Compressed shipping** is that of batches of 500 JSON objects of 200 bytes, so that no range is below 64 KiB; its share is that
  of all bytes of the log that the leader sent, where it compresses them: `auto` takes a twentieth of a core for that, and more
  only for a link that is behind, which loopback is not. MB and GB are powers of ten, as in the goals.
- **What the disk gives three writers** is measured beside: three at once, each with a file of its own that was allocated before, as
  segments are; each MiB is synced. The figure is that of one of them.
- **Memory** is the anonymous memory of the node that had most of it, at any moment of the loads above.
- **Idle** is the processor time of the busiest of three nodes that nobody asks for anything."""


def write_report(results: dict, directory: Path) -> None:
    """goals.md."""
    (directory / "goals.md").write_text("# Goals\n\n" + body(results, "##") + "\n")


def write(results: dict, article: Path) -> None:
    """Puts the section into the article, in place of one that is there.

    Raises Failure, with nothing written, when it was a smoke run, or the article's marks are not a pair.
    """
    if results["smoke"]:
        raise Failure("a smoke run shows that all of it works, and measures nothing: no page was written",
                      next="leave --smoke out", exit_code=64)
    text = article.read_text() if article.exists() else BLANK
    article.write_text(SECTION.put(text, f"## Goals\n\n{body(results, '###')}", article.name))


@contextmanager
def kept(article: Path) -> Iterator[None]:
    """While an article is written anew, its section on goals is kept. Raises Failure when the marks are not a pair."""
    section = SECTION.body(article)
    yield
    if section:
        article.write_text(SECTION.put(article.read_text(), section, article.name))


def body(results: dict, heading: str) -> str:
    """Everything but the title."""
    found = judged(results)
    parts = [_METHOD, _circumstances(results), _count(found), _table(results, found)]
    if results["failures"]:
        parts += [f"{heading} Goal cells that failed", "\n".join(
            f"- {failure['cell']}, round {failure['round']}: {_line(failure['reason'])}" for failure in results["failures"])]
    return "\n\n".join(parts)


def _circumstances(results: dict) -> str:
    machine, rounds = results["machine"], results["rounds"]
    disk = [cell["disk_sync_us"] for cell in results["cells"]]
    lines = [
        f"- {machine['processors']} processors ({machine['processor']}), {machine['memory_bytes'] >> 30} GiB, "
        f"{machine['distribution']}, {machine['kernel']}, {machine['file_system']}; Holdfast {results['version']}",
        f"- {results['began']}, {results['seconds'] / 60:.0f} min: {rounds} round{'s' if rounds > 1 else ''}; "
        "nodes and load share the machine",
    ]
    if disk:
        spread = Spread(tuple(disk))
        lines.append(f"- fdatasync of 512 B, before each cell: median {spread.median:.0f} µs, {spread.percentile(5):.0f} to "
                     f"{spread.percentile(95):.0f} µs for nine of ten cells")
    if results["smoke"]:
        lines.append("- **a smoke run**: it shows that all of it works, and measures nothing")
    return "\n".join([*lines, "- command: `scripts/bench --goals --page FILE`"])


def _count(found: list[Reached]) -> str:
    """In one sentence. Of a goal with two ways the one that need not be reached is none of the figures."""
    count = Counter(reached.outcome for reached in found)
    return (
        f"Of {len(found) - count[Outcome.SPARED]} figures {count[Outcome.MET]} are met, {count[Outcome.WITHIN]} within the "
        f"spread, {count[Outcome.MISSED]} missed, {count[Outcome.UNKNOWN]} unknown, {count[Outcome.OPEN]} not measured.")


def _table(results: dict, found: list[Reached]) -> str:
    rows = [
        [reached.goal.work, reached.goal.wording, _figures(reached), _line(reached.verdict), _command(results, reached)]
        for reached in found]
    return table(["work", "goal", "reached (min to max)", "met", "command"], rows, words=5)


def _figures(reached: Reached) -> str:
    goal, spread = reached.goal, reached.spread
    if spread is None:
        return ""
    unit = goal.unit
    shown = reached.worst if goal.statistic == Statistic.WORST else spread.median
    text = f"{unit.said(shown)} ({_bare(unit.said(spread.min), unit.text)} to {_bare(unit.said(spread.max), unit.text)})"
    if goal.key == "gaps_ms":
        text += f", {len(reached.values)} gaps"
    if goal.beside and reached.beside:
        _, what, other = goal.beside
        text += f"; {what} {other.said(Spread(reached.beside).median)}"
    return text


def _bare(said: str, unit: str) -> str:
    return said.removesuffix(unit) if unit else said


def _command(results: dict, reached: Reached) -> str:
    """Those of its cell; of several cells, which they are."""
    if len(reached.goal.cells) > 1:
        return "the most of these: " + "; ".join(reached.goal.cells)
    commands = results["commands"].get(reached.goal.cells[0])
    if not commands:
        return "`holdfast serve` three times, `/proc/PID/stat`"
    # Those of one cell differ in their last word.
    return ", and ".join([f"`{commands[0]}`", *(f"`{command.split()[-1]}`" for command in commands[1:])])


def _line(text: str) -> str:
    """In one line, and in one cell of a table."""
    return " ".join(text.split()).replace("|", "/")
