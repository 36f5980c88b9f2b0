"""Three nodes of a system on loopback, and what can be asked of each system alike."""

import json
import signal
import time
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .driver import Driver
from .failure import Failure, reason
from .meter import Meter
from .plan import Append, CatchUp, Failover, Silence, Tail
from .processes import Server, wait_until

HOST = "127.0.0.1"
NODES = range(3)
#: So often in a row a node is started again that ended by itself.
_REVIVALS_MAX = 3


@dataclass(frozen=True)
class Description:
    """What a reader has to know to judge the figures."""

    version: str
    #: What has happened by the time an append is acknowledged.
    promise: str
    settings: str
    #: Whether a quorum has synced it by then.
    is_synced: bool
    #: What is true of a follower's copy of the log when it counts as level again: systems tell different things.
    level: str


class Cluster(ABC):
    """Started in a directory of its own, with ports of its own; nodes are numbered from 0."""

    #: A key of plan.LABELS.
    system: str
    #: How many ports it takes from `base_port` on.
    port_count = 30
    #: What a node is asked to end with.
    stop_signal = signal.SIGTERM

    def __init__(self, directory: Path, base_port: int, driver: Driver) -> None:
        self.directory, self.base_port, self.driver = directory, base_port, driver
        self.servers: list[Server] = []
        self._revivals = 0

    # What each system says for itself.

    @abstractmethod
    def describe(self) -> Description: ...

    @abstractmethod
    def prepare(self) -> list[Server]:
        """Writes configurations; the servers are started in this order."""

    @abstractmethod
    def client(self, node: int) -> str:
        """host:port for clients."""

    @abstractmethod
    def leader(self) -> int:
        """Raises OSError, ValueError, KeyError or Failure while there is none."""

    @abstractmethod
    def progress(self, node: int) -> int:
        """How far a node's own copy of the log is, as `Description.level` says; comparable between nodes."""

    def started(self) -> None:
        """Once there is a leader for the first time: makes what appends need."""

    # What is the same for all.

    def start(self) -> None:
        self.directory.mkdir(parents=True)
        self.servers = self.prepare()
        for server in self.servers:
            server.start()
        self.wait_for_leader()
        self.started()

    def stop(self) -> None:
        for server in self.servers:
            server.kill()

    def start_node(self, node: int) -> None:
        self.servers[node].start()

    @property
    def pids(self) -> list[int]:
        return [server.pid for server in self.servers if server.is_alive]

    def wait_for_leader(self, seconds: float = 60) -> int:
        """Raises Failure when none is found, with what nodes said that have ended."""
        found: list[int] = []

        def leads() -> bool:
            found.append(self.leader())
            return True

        try:
            wait_until(f"{self.system} has a leader", leads, seconds=seconds)
        except Failure as failure:
            ended = [f"{server.name}: {server.last_words()}" for server in self.servers if not server.is_alive]
            raise Failure("; ".join([str(failure), *ended])) from None
        return found[-1]

    def wait_until_level(self, node: int, target: int, *, seconds: float = 600) -> None:
        wait_until(
            f"node {node + 1} of {self.system} is level", lambda: self.progress(node) >= target, seconds=seconds,
            every=0.005)

    def revive(self) -> list[str]:
        """Starts what has ended by itself, and waits until it is level; what is said of each, none when all were alive.

        Raises Failure when they do not come back, and at once when they did not three times in a row.
        """
        ended = [node for node in NODES if not self.servers[node].is_alive]
        if not ended:
            self._revivals = 0
            return []
        said = [f"{self.servers[node].name} ended: {self.servers[node].last_words()}" for node in ended]
        self._revivals += 1
        if self._revivals > _REVIVALS_MAX:
            raise Failure("; ".join([*said, f"it was started {_REVIVALS_MAX} times in vain"]))
        try:
            for node in ended:
                self.start_node(node)
            target = self.progress(self.wait_for_leader(seconds=30))
            for node in ended:
                self.wait_until_level(node, target, seconds=30)
        except Exception as error:
            raise Failure("; ".join([*said, reason(error)])) from error
        return said

    def append(self, work: Append, meter: Meter) -> dict:
        return self.driver.append(self.system, work, self.client(self.wait_for_leader()), meter)

    def tail(self, work: Tail, meter: Meter) -> dict:
        leader = self.wait_for_leader()
        reader = (leader + 1) % len(NODES)
        sample = self.driver.tail(self.system, work, self.client(leader), self.client(reader), meter)
        return sample | {"reader": f"n{reader + 1}"}

    def failover(self, work: Failover | Silence) -> dict:
        """Strikes the leader, and has it back and level before it returns or raises.

        A strike that failed says why, also when the node does not come back: then both reasons are told.
        """
        leader = self.wait_for_leader()
        order = [(leader + offset) % len(NODES) for offset in NODES]
        try:
            sample = self.driver.failover(
                self.system, work, [self.client(node) for node in order], self.servers[leader].pid)
        except Exception as error:
            try:
                self._replace(leader)
            except Exception as other:
                raise Failure(f"{reason(error)}; {reason(other)}") from error
            raise
        self._replace(leader)
        return sample

    def _replace(self, node: int) -> None:
        """Kills a node, also one that is stopped, and has it back and level."""
        self.servers[node].kill()
        self.start_node(node)
        self.wait_until_level(node, self.progress(self.wait_for_leader()), seconds=120)

    def fill(self, work: CatchUp) -> int:
        """Returns how many bytes of records are acknowledged."""
        return self.driver.fill(
            self.system, self.client(self.wait_for_leader()), records=work.byte_count // work.record_size,
            size=work.record_size)

    def catch_up(self, work: CatchUp, ready: Callable[[], None]) -> dict:
        """Stops a follower, appends, starts it, and times until its copy of the log is level.

        `ready` is called when everything is appended, just before the follower is started.
        """
        leader = self.wait_for_leader()
        follower = (leader + 1) % len(NODES)
        self.servers[follower].stop()
        began = time.monotonic()
        behind = self.fill(work)
        filled = time.monotonic() - began
        target = self.progress(self.wait_for_leader())
        ready()
        began = time.monotonic()
        self.start_node(follower)
        self.wait_until_level(follower, target)
        seconds = time.monotonic() - began
        return {"seconds": seconds, "bytes_per_second": behind / seconds, "bytes": behind, "fill_seconds": filled}


def fetch(url: str, body: bytes | None = None) -> dict:
    """A JSON document. Raises OSError or ValueError while it cannot be had."""
    request = urllib.request.Request(url, data=body)
    with urllib.request.urlopen(request, timeout=2) as answer:
        document = json.load(answer)
    if not isinstance(document, dict):
        raise ValueError(f"{url} answers with {type(document).__name__}")
    return document
