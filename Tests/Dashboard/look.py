"""What the page shows of a cluster that is at work: its figures, its timeline, its segments; and for whom."""

import re
import time

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

_SPAN = r"[\d,.]+ (?:µs|ms|s)"
_PAIR = rf"{_SPAN} / {_SPAN}"
GROUPS = ("elections", "damage and repair", "segments", "nodes")


def check_access(page, state):
    """No violation that axe knows, in both colour schemes, at a desk and on a phone; nothing wider than that."""
    for width, height in ((390, 844), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{state}: wider than {width}"
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found = Axe().run(page)
            assert found.violations_count == 0, f"{state}: {found.generate_report()}"
    page.emulate_media(color_scheme="light")
    print(f"axe, {state}, light and dark, 390 and 1280 wide: nothing found")


def check_figures(page, last_index):
    """Throughput is that of the log, latencies are told and drawn; the same stands in numbers, for who sees no lines.

    `last_index` asks a node for its newest record.
    """
    deadline = time.monotonic() + 20
    while True:
        began, first = time.monotonic(), last_index()
        time.sleep(1.5)
        rate = (last_index() - first) / (time.monotonic() - began)
        shown = _records_per_second(page)
        if rate / 2 < shown < rate * 2:
            break
        assert time.monotonic() < deadline, f"{shown} records/s where the log takes {rate:.0f}"
    expect(page.locator("#latency .figures")).to_have_text(re.compile(f"append {_PAIR}.*sync {_PAIR}"))
    for figure, lines in (("throughput", ["records"]), ("latency", ["append-p50", "append-p99", "sync-p50", "sync-p99"])):
        for line in lines:
            drawn = page.locator(f"#{figure} path.line.{line}").get_attribute("d")
            assert drawn.startswith("M"), f"{figure} has no line {line}: {drawn!r}"
    told = page.locator("#latency svg").get_attribute("aria-label")
    assert re.search(f"appends {_PAIR}, syncs {_PAIR} now", told), told
    page.locator("#numbers summary").click()
    cells = page.locator("#numbers tbody tr").first.locator("td")
    expect(cells).to_have_count(6)
    expect(cells.first).to_have_text(re.compile(r"^[\d,]+$"))
    page.locator("#numbers summary").click()
    print(f"figures: {shown} records/s, the log takes {rate:.0f}")


def _records_per_second(page):
    text = page.locator("#throughput .figures").inner_text()
    found = re.match(r"([\d,]+) records/s", text)
    return int(found[1].replace(",", "")) if found else 0


def check_timeline(page):
    """Each filter hides its own events, rotations among them; with none chosen the page says so."""
    shown = page.locator("#events li:visible")
    boxes = {name: page.get_by_role("checkbox", name=name, exact=True) for name in GROUPS}
    for name in GROUPS:
        if name != "segments":
            boxes[name].uncheck()
    expect(shown.filter(has_text=re.compile("segment")).first).to_be_visible(timeout=15_000)
    boxes["segments"].uncheck()
    expect(shown).to_have_count(0)
    expect(page.locator("#no-events")).to_have_text("Nothing of what is chosen has happened.")
    for box in boxes.values():
        box.check()
    expect(shown.filter(has_text="leads in term").first).to_be_visible()
    print("timeline: each filter hides what it names")


def check_segments(page):
    """One active segment a node, sealed ones beside it, in four colours that differ."""
    for node in (1, 2, 3):
        cells = f".segments[data-node='{node}'] [data-state"
        expect(page.locator(f"{cells}='active']")).to_have_count(1)
        expect(page.locator(f"{cells}='sealed']").first).to_be_visible(timeout=15_000)
    colours = page.locator("#legend .cell").evaluate_all(
        "(cells) => cells.map((cell) => getComputedStyle(cell).background + getComputedStyle(cell).border)")
    assert len(set(colours)) == 4, colours
    print("segments: one active on each node, states in four colours")
