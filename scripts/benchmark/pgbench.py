"""What `pgbench` says while it runs, and what its log says of the time that counts."""

import time
from collections.abc import Iterable

from .failure import Failure
from .meter import Meter
from .summary import percentile


class Window:
    """The time that counts of a pgbench: from its first report on, a second after its clients are connected.

    What is used within is read by the thread that hears the report: pgbench goes on meanwhile.
    """

    def __init__(self, meter: Meter, seconds: float) -> None:
        self.seconds = seconds
        self._meter = meter
        self._begin: float | None = None
        self._driver_cores = 0.0

    def heard(self, line: str, pid: int) -> bool:
        if not line.startswith("progress: "):
            return False
        if self._begin is None:
            driver = Meter([pid])
            self._begin = time.time()
            driver.begin()
            self._meter.begin()
            time.sleep(max(0.0, self._begin + self.seconds - time.time()))
            driver.end()
            self._meter.end()
            self._driver_cores = driver.cores
        return True

    @property
    def begin(self) -> float:
        """Seconds of the epoch. Raises Failure when pgbench never reported."""
        if self._begin is None:
            raise Failure("pgbench ended before its first report: its clients took too long to connect")
        return self._begin

    @property
    def driver_cores(self) -> float:
        return self._driver_cores


def summarize(lines: Iterable[str], *, begin: float, end: float, batch: int) -> dict:
    """What pgbench's per-transaction log says of a window: the rate of what ended in it, latencies of what began in it.

    A line: `client transaction microseconds script epoch-seconds epoch-microseconds`, at the transaction's end. Raises Failure
    when the log does not reach over all of the window.
    """
    ended = []
    for line in lines:
        words = line.split()
        if len(words) >= 6 and words[2].isdecimal():
            ended.append((int(words[4]) + int(words[5]) / 1e6, int(words[2])))
    count = sum(begin <= moment < end for moment, _ in ended)
    latencies = sorted(latency for moment, latency in ended if begin <= moment - latency / 1e6 < end)
    if not count or not latencies:
        raise Failure("pgbench logged no transaction within the time that counts")
    if max(moment for moment, _ in ended) < end:
        raise Failure("pgbench ended too soon: its clients took too long to connect")
    return {
        "records_per_second": count * batch / (end - begin),
        "latency": {
            "p50_us": percentile(latencies, 500), "p90_us": percentile(latencies, 900),
            "p99_us": percentile(latencies, 990), "p999_us": percentile(latencies, 999), "max_us": latencies[-1],
        },
        "failures": 0,
    }
