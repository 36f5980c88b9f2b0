"""What is measured now, and how much time is left, on stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Cell:
    """What a cell found, in a few words."""

    def __init__(self) -> None:
        self.found = ""

    def note(self, sample: dict) -> None:
        if "records_per_second" in sample:
            found = f"{sample['records_per_second']:,.0f}/s"
        elif "gap_ms" in sample:
            found = f"{sample['gap_ms']:,.0f} ms"
        elif "seconds" in sample:
            found = f"{sample['seconds']:.1f} s"
        elif "delivery" in sample:
            found = f"{sample['delivery']['p50_us'] / 1000:.2f} ms"
        else:
            found = ""
        self.found = ", ".join(part for part in (self.found, found) if part)


class Progress:
    """Estimates come from what was expected, corrected by how long the cells so far took.

    What is expected of `system: work`, or of a work alone for whatever system.
    """

    def __init__(self, cells: list[tuple[float, str]]) -> None:
        self._total = sum(seconds for seconds, _ in cells)
        self._expected: dict[str, float] = {title: seconds for seconds, title in cells}
        self._passed = 0.0
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        print(text, file=sys.stderr)

    @contextmanager
    def cell(self, title: str, number: int) -> Iterator[Cell]:
        cell = Cell()
        try:
            yield cell
        finally:
            self._passed += self._expected.get(title, self._expected.get(title.partition(": ")[2], 0))
            self.say(f"[{self._left()}] round {number}: {title}: {cell.found or '-'}")

    def _left(self) -> str:
        elapsed = time.monotonic() - self._began
        share = min(1.0, self._passed / self._total) if self._total else 1.0
        pace = max(1.0, elapsed / self._passed) if self._passed else 1.0
        minutes = self._total * (1 - share) * pace / 60
        return f"{share:4.0%}, {minutes:.0f} min left"
