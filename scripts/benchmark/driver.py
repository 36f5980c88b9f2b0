"""The loads: `peer-bench` for what speaks HTTP/2 or NATS, `pgbench` for PostgreSQL."""

import json
from pathlib import Path

from .plan import Append, Failover, Tail
from .processes import run


class Driver:
    """`peer-bench`: one process, one event loop, the same for all systems."""

    def __init__(self, program: Path, duration_ms: int, warm_up_ms: int) -> None:
        self.program, self.duration_ms, self.warm_up_ms = program, duration_ms, warm_up_ms

    @property
    def seconds(self) -> float:
        return (self.duration_ms + self.warm_up_ms) / 1000

    def append(self, system: str, work: Append, server: str) -> dict:
        return self._run(
            "append", "--system", system, "--server", server, "--clients", work.clients,
            "--connections", work.connections, "--in-flight", work.in_flight, "--batch", work.batch,
            "--size", work.size, "--duration", self.duration_ms, "--warm-up", self.warm_up_ms,
            # How Holdfast takes batches, and many appends of one client at once.
            *(["--session"] if system == "holdfast" and (work.in_flight > 1 or work.batch > 1) else []),
        )

    def fill(self, system: str, server: str, *, records: int, size: int) -> None:
        """Appends so many records, however long that takes."""
        self._run(
            "append", "--system", system, "--server", server, "--clients", 8, "--connections", 4, "--in-flight", 4,
            "--size", size, "--records", records, "--duration", 600_000, "--warm-up", 0, seconds_max=600,
        )

    def tail(self, system: str, work: Tail, server: str, reader: str) -> dict:
        return self._run(
            "tail", "--system", system, "--server", server, "--reader", reader, "--rate", work.rate,
            "--size", work.size, "--duration", self.duration_ms, "--warm-up", self.warm_up_ms,
        )

    def failover(self, system: str, work: Failover, servers: list[str], leader: int) -> dict:
        return self._run(
            "failover", "--system", system, "--servers", *servers, "--leader", leader,
            "--interval", work.interval_ms, "--timeout", work.timeout_ms, seconds_max=180,
        )

    def _run(self, *arguments: object, seconds_max: float | None = None) -> dict:
        argv = [str(self.program), *map(str, arguments)]
        return json.loads(run(argv, seconds_max=seconds_max or self.seconds + 60).out)
