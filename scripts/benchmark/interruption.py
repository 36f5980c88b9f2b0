"""Orders to end: SIGINT, SIGTERM and SIGHUP all mean that what was started is ended, and what was made is removed."""

import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def obey() -> None:
    """The first order raises KeyboardInterrupt. Later ones are ignored: ending is bounded, and half of it would leave servers."""
    for number in SIGNALS:
        signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt
