"""What servers use while a load measures: read at the edges of its window, not around its start, its connecting and its end."""

import time
from collections.abc import Iterable

from .failure import Failure
from .processes import Usage, usage


class Meter:
    """Of some processes, and all that came from them."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = list(pids)
        self._begun: tuple[Usage, float] | None = None
        self._ended: tuple[Usage, float] | None = None

    def begin(self) -> None:
        self._begun = usage(self._pids), time.monotonic()

    def end(self) -> None:
        self._ended = usage(self._pids), time.monotonic()

    def heard(self, line: str, pid: int) -> bool:
        """What `peer-bench` says on stderr; whether it was for this meter."""
        match line:
            case "measuring":
                self.begin()
            case "measured":
                self.end()
            case _:
                return False
        return True

    @property
    def cores(self) -> float:
        """Processors that were kept busy. Raises Failure when no window was told."""
        (before, began), (after, ended) = self._window
        return max(0.0, after.processor_seconds - before.processor_seconds) / (ended - began)

    @property
    def sample(self) -> dict:
        return {"server_cores": self.cores, "server_memory_bytes": self._window[1][0].memory_bytes}

    @property
    def _window(self) -> tuple[tuple[Usage, float], tuple[Usage, float]]:
        if self._begun is None or self._ended is None:
            raise Failure("the load did not say when it measured")
        return self._begun, self._ended
