"""What ends a run or one of its cells, told as a person needs it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Failure(Exception):
    """Says what happened and what to do; `exit_code` is one of sysexits."""

    def __init__(self, what: str, *, next: str = "", exit_code: int = 1) -> None:
        super().__init__(what)
        self.next = next
        self.exit_code = exit_code

    def __str__(self) -> str:
        what = super().__str__()
        return f"{what}\n  next: {self.next}" if self.next else what


def reason(error: Exception) -> str:
    """What a failed cell says of itself; an error that nobody foresaw is named by its kind, too."""
    if isinstance(error, (Failure, OSError)):
        return str(error) or type(error).__name__
    return f"{type(error).__name__}: {error}"


@contextmanager
def kept(failures: list[dict], place: dict, title: str) -> Iterator[None]:
    """One cell that fails, however it does, ends no run: its place in the run and its reason are kept for the report.

    What stands behind the failure in the block is not done. KeyboardInterrupt ends the run.
    """
    try:
        yield
    except Exception as error:
        print(f"\n{title}: {reason(error)}", file=sys.stderr)
        failures.append(place | {"reason": reason(error)})
