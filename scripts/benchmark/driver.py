"""The loads: `peer-bench` for what speaks HTTP/2 or NATS, `pgbench` for PostgreSQL."""

import json
from pathlib import Path

from .failure import Failure
from .meter import Meter
from .plan import Append, Failover, Silence, Tail
from .processes import run

_FILL_CLIENTS, _FILL_IN_FLIGHT = 8, 4
#: Appends on their way while a log is filled, the same for every system.
FILL_CONCURRENCY = _FILL_CLIENTS * _FILL_IN_FLIGHT


class Driver:
    """`peer-bench`: one process, one event loop, the same for all systems.

    What `failures` counts is for the caller to look at. A meter is told when a load begins and ends to measure.
    """

    def __init__(self, program: Path, duration_ms: int, warm_up_ms: int) -> None:
        self.program, self.duration_ms, self.warm_up_ms = program, duration_ms, warm_up_ms

    @property
    def seconds(self) -> float:
        return (self.duration_ms + self.warm_up_ms) / 1000

    def append(self, system: str, work: Append, server: str, meter: Meter) -> dict:
        return self._run(
            "append", "--system", system, "--server", server, "--clients", work.clients,
            "--connections", work.connections, "--in-flight", work.in_flight, "--batch", work.batch,
            "--size", work.size, "--duration", self.duration_ms, "--warm-up", self.warm_up_ms,
            # How Holdfast takes batches, and many appends of one client at once.
            *(["--session"] if system == "holdfast" and (work.in_flight > 1 or work.batch > 1) else []),
            meter=meter,
        )

    def fill(self, system: str, server: str, *, records: int, size: int) -> int:
        """Appends so many records, which takes ten minutes at most.

        Returns how many bytes of them are acknowledged. Raises Failure when one was not: what the log holds is not known then.
        """
        sample = self._run(
            "append", "--system", system, "--server", server, "--clients", _FILL_CLIENTS, "--connections", 4,
            "--in-flight", _FILL_IN_FLIGHT, "--size", size, "--records", records, "--duration", 580_000, "--warm-up", 0,
            seconds_max=600, meter=Meter([]),
        )
        if sample["failures"] or sample["acknowledged"] < records:
            raise Failure(
                f"{sample['acknowledged']} of {records} records were acknowledged, {sample['failures']} failed: "
                f"{sample.get('failure', 'they take longer than ten minutes')}")
        return sample["acknowledged"] * size

    def tail(self, system: str, work: Tail, server: str, reader: str, meter: Meter) -> dict:
        return self._run(
            "tail", "--system", system, "--server", server, "--reader", reader, "--rate", work.rate,
            "--size", work.size, "--duration", self.duration_ms, "--warm-up", self.warm_up_ms, meter=meter,
        )

    def failover(self, system: str, work: Failover | Silence, servers: list[str], leader: int) -> dict:
        """Kills the leader, or stops it with SIGSTOP and leaves it so."""
        return self._run(
            "failover", "--system", system, "--servers", *servers, "--leader", leader,
            "--interval", work.interval_ms, "--timeout", work.timeout_ms,
            *(["--silence"] if isinstance(work, Silence) else []), seconds_max=180,
        )

    def _run(self, *arguments: object, seconds_max: float | None = None, meter: Meter | None = None) -> dict:
        argv = [str(self.program), *map(str, arguments)]
        done = run(argv, seconds_max=seconds_max or self.seconds + 60, told=meter.heard if meter else None)
        return json.loads(done.out)
