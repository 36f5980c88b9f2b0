"""One run: clusters side by side, each work for each system in turn, again and again."""

import random
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import estimate, local, machine, memory
from .ceiling import NullServers
from .cluster import Cluster
from .driver import Driver
from .etcd import Etcd
from .failure import Failure, kept, reason
from .holdfast import Holdfast
from .meter import Meter
from .nats import NATS
from .plan import Append, CatchUp, Ceiling, Failover, Idle, Local, Plan, Silence, Tail, Work, encode, systems_of
from .postgresql import PostgreSQL
from .probe import DiskProbe, copy_seconds, settle
from .processes import Server, usage
from .progress import Progress

#: Ports of one system, and how many each takes.
_STRIDE = 30
_PORTS = {"holdfast": 0, "etcd": 1, "nats": 2, "postgresql": 3, "null": 4}
#: Clusters for catching up stand beside the ones that take turns.
_SECOND = 5
#: From `base_port` on.
PORT_COUNT = _STRIDE * 2 * _SECOND


@dataclass
class Options:
    plan: Plan
    systems: tuple[str, ...]
    #: A directory on the disk to be measured.
    directory: Path
    base_port: int
    holdfast: Path
    driver: Path
    #: As the user gave them.
    argv: tuple[str, ...] = ()
    #: Called with the results after each round, and at the end, however it comes.
    save: Callable[[dict], None] = lambda results: None


class Run:
    """All of it; `results` grows cell by cell and holds what there is when it is interrupted.

    results: what was asked for (`plan`, `rounds`, `kills`, ..., `argv`), where (`machine`), of whom (`systems`: what
    `Description` says of each), `cells` (`work`, `system`, `round`, `sample`), `failures` (`reason` instead of `sample`), and
    whether it came to its end (`is_complete`).
    """

    def __init__(self, options: Options) -> None:
        self.options, self.plan = options, options.plan
        # Nothing is made yet: what run() makes, it removes, whenever it is interrupted.
        self.scratch = options.directory / f"holdfast-bench-{secrets.token_hex(4)}"
        self.probe = DiskProbe(self.scratch)
        self.driver = Driver(options.driver, self.plan.duration_ms, self.plan.warm_up_ms)
        self.clusters: dict[str, Cluster] = {}
        self.null = NullServers(self.scratch, self._port("null"), self.driver, options.systems)
        self.progress = Progress(estimate.cells(self.plan, options.systems))
        self.results: dict = {
            "format": 1, "plan": self.plan.name, "argv": list(options.argv), "rounds": self.plan.rounds,
            "duration_ms": self.plan.duration_ms, "warm_up_ms": self.plan.warm_up_ms,
            "kills": self.plan.kills, "silences": self.plan.silences, "catch_up_rounds": self.plan.catch_up_rounds,
            "machine": machine.describe(options.directory), "systems": {}, "cells": [], "failures": [],
            "is_complete": False,
        }

    def run(self) -> dict:
        began = time.time()
        self.results["began"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))
        try:
            self.scratch.mkdir()
            # PostgreSQL does not run as root, and its user has to get to its directory.
            self.scratch.chmod(0o755)
            self._start()
            for number in range(1, self.plan.rounds + 1):
                for work in self.plan.works:
                    self._measure_all(work, number)
                self._save(began)
            for work, count in ((self.plan.failover, self.plan.kills), (self.plan.silence, self.plan.silences)):
                for number in range(1, count + 1):
                    self._measure_all(work, number)
                self._save(began)
            for cluster in self.clusters.values():
                cluster.stop()
            for number in range(1, self.plan.catch_up_rounds + 1):
                self._catch_up_all(number)
                self._save(began)
            self.results["is_complete"] = True
        finally:
            self.close()
            self._save(began)
        return self.results

    def close(self) -> None:
        Server.kill_all()
        self.probe.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _save(self, began: float) -> None:
        """What was there before stays until something is found that takes its place."""
        self.results["seconds"] = time.time() - began
        if self.results["cells"] or self.results["failures"]:
            self.options.save(self.results)

    # Clusters

    def _port(self, name: str, place: int = 0) -> int:
        return self.options.base_port + (_PORTS[name] + place) * _STRIDE

    def _cluster(self, system: str, place: int = 0) -> Cluster:
        directory = self.scratch / f"{system}-{place}"
        port = self._port(system, place)
        if system == "holdfast":
            return Holdfast(directory, port, self.driver, self.options.holdfast)
        return {"etcd": Etcd, "nats": NATS, "postgresql": PostgreSQL}[system](directory, port, self.driver)

    def _start(self) -> None:
        for system in self.options.systems:
            self.progress.say(f"starting three nodes of {system} ...")
            cluster = self._cluster(system)
            self.clusters[system] = cluster
            self.results["systems"][system] = vars(cluster.describe())
            cluster.start()
        self.null.start()

    # Cells

    def _order(self, work: Work, number: int) -> list[str]:
        """Drawn for each cell of each round, the same in every run: no system always follows the same other one."""
        systems = list(systems_of(work, self.options.systems))
        random.Random(f"{number} {work.title}").shuffle(systems)
        return systems

    def _measure_all(self, work: Work, number: int) -> None:
        for system in self._order(work, number):
            self._cell(work, system, number, lambda system=system: self._measure(work, system))

    def _cell(self, work: Work, system: str, number: int, measure: Callable[[], dict[str, dict]]) -> None:
        place = {"work": encode(work), "system": system, "round": number}
        title = f"{system}: {work.title}"
        with kept(self.results["failures"], place, title):
            with self.progress.cell(title, number) as cell:
                samples = measure()
                for sample in samples.values():
                    cell.note(sample)
            self.results["cells"] += [place | {"system": name, "sample": sample} for name, sample in samples.items()]

    def _measure(self, work: Work, system: str) -> dict[str, dict]:
        """A sample for each system that the work measures; a Failure where it says nothing, with what nodes said that ended."""
        cluster = self.clusters[system]
        if ended := cluster.revive():
            raise Failure("; ".join(["while others were measured", *ended]))
        # What the cell before wrote is not to be written during this one.
        settle(self.scratch)
        probe = self.probe.microseconds()
        try:
            samples = self._sample(work, system, cluster)
        except Exception as error:
            if ended := cluster.revive():
                raise Failure("; ".join([reason(error), *ended])) from error
            raise
        if ended := cluster.revive():
            raise Failure("; ".join(ended))
        for sample in samples.values():
            _check(sample)
        samples[system]["disk_sync_us"] = probe
        return samples

    def _sample(self, work: Work, system: str, cluster: Cluster) -> dict[str, dict]:
        meter = Meter(cluster.pids)
        match work:
            case Append():
                return {system: _metered(cluster.append(work, meter), meter)}
            case Tail():
                return {system: _metered(cluster.tail(work, meter), meter)}
            case Failover() | Silence():
                return {system: cluster.failover(work)}
            case Ceiling():
                if isinstance(cluster, PostgreSQL):
                    return {system: cluster.ceiling(work)}
                self.null.start()
                return {system: self.null.measure(system, work)}
            case Local():
                return local.measure(self.options.holdfast, work, self.scratch, self.plan.duration_ms)
            case Idle():
                meter.begin()
                time.sleep(self.driver.seconds)
                meter.end()
                return {system: meter.sample}
        raise Failure(f"{work.title} is measured elsewhere")

    def _catch_up_all(self, number: int) -> None:
        work = self.plan.catch_up
        self._cell(work, "floor", number, lambda: {"floor": self._copy(work)})
        for system in self._order(work, number):
            self._cell(work, system, number, lambda system=system: {system: self._catch_up(work, system)})

    def _copy(self, work: CatchUp) -> dict:
        memory.touch(2 * work.byte_count)
        seconds = copy_seconds(self.scratch, work.byte_count)
        return {"seconds": seconds, "bytes_per_second": work.byte_count / seconds}

    def _catch_up(self, work: CatchUp, system: str) -> dict:
        """A cluster of its own, so that a gibibyte of the last round slows nothing down."""
        cluster = self._cluster(system, place=_SECOND)
        probes: list[float] = []

        def ready() -> None:
            settle(self.scratch)
            # The follower's copy comes into its page cache, and some systems write it twice.
            memory.touch(2 * work.byte_count)
            probes.append(self.probe.microseconds())

        try:
            cluster.start()
            sample = cluster.catch_up(work, ready)
            sample["server_memory_bytes"] = usage(cluster.pids).memory_bytes
        except Failure as failure:
            ended = [f"{server.name}: {server.last_words()}" for server in cluster.servers if not server.is_alive]
            raise Failure("; ".join([str(failure), *ended])) from failure
        finally:
            cluster.stop()
            shutil.rmtree(cluster.directory, ignore_errors=True)
        settle(self.scratch)
        return sample | {"disk_sync_us": probes[-1]}


def _check(sample: dict) -> None:
    """Raises Failure when an append failed."""
    if failures := sample.get("failures"):
        raise Failure(
            f"{failures} appends failed, the first: {sample.get('failure', '-')}; what the others took tells nothing")


def _metered(sample: dict, meter: Meter) -> dict:
    """What a load found, and what servers used meanwhile.

    Raises Failure when an append failed: a load that could not begin never told the meter of a window, and only its sample says
    why.
    """
    _check(sample)
    return sample | meter.sample
