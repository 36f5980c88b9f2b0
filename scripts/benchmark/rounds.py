"""One run: clusters side by side, each work for each system in turn, again and again."""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from . import local, machine
from .ceiling import NullServers
from .cluster import Cluster
from .driver import Driver
from .etcd import Etcd
from .failure import Failure
from .holdfast import Holdfast
from .nats import NATS
from .plan import Append, CatchUp, Ceiling, Failover, Idle, Local, Plan, Tail, Work, encode, systems_of
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
#: What a node that does not answer, or answers with something else, brings about in one cell.
_CELL_ERRORS = (Failure, OSError, ValueError, KeyError, subprocess.CalledProcessError)


@dataclass
class Options:
    plan: Plan
    systems: tuple[str, ...]
    #: A directory on the disk to be measured.
    directory: Path
    base_port: int
    holdfast: Path
    driver: Path


class Run:
    """All of it; `results` grows cell by cell and holds what there is when it is interrupted."""

    def __init__(self, options: Options) -> None:
        self.options, self.plan = options, options.plan
        self.scratch = Path(tempfile.mkdtemp(prefix="holdfast-bench-", dir=options.directory))
        # PostgreSQL does not run as root, and its user has to get to its directory.
        self.scratch.chmod(0o755)
        self.driver = Driver(options.driver, self.plan.duration_ms, self.plan.warm_up_ms)
        self.probe = DiskProbe(self.scratch)
        self.clusters: dict[str, Cluster] = {}
        self.null = NullServers(
            self.scratch, self._port("null"), self.driver, options.systems)
        self.progress = Progress(self._cells())
        self.results: dict = {
            "format": 1, "plan": self.plan.name, "rounds": self.plan.rounds,
            "duration_ms": self.plan.duration_ms, "warm_up_ms": self.plan.warm_up_ms,
            "kills": self.plan.kills, "catch_up_rounds": self.plan.catch_up_rounds,
            "machine": machine.describe(self.scratch), "systems": {}, "cells": [], "failures": [],
        }

    def run(self) -> dict:
        began = time.time()
        self.results["began"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))
        try:
            self._start()
            for number in range(1, self.plan.rounds + 1):
                for work in self.plan.works:
                    self._measure_all(work, number)
            for number in range(1, self.plan.kills + 1):
                self._measure_all(self.plan.failover, number)
            for cluster in self.clusters.values():
                cluster.stop()
            for number in range(1, self.plan.catch_up_rounds + 1):
                self._catch_up_all(number)
        finally:
            self.results["seconds"] = time.time() - began
            self.close()
        return self.results

    def close(self) -> None:
        Server.kill_all()
        self.probe.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

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

    def _cells(self) -> list[tuple[float, str]]:
        """How long each cell takes, roughly, and its title: for the time that is left."""
        seconds = (self.plan.duration_ms + self.plan.warm_up_ms) / 1000 + 0.5
        # What systems need for a kill: gap, settling, coming back.
        kill = {"holdfast": 4, "etcd": 6, "nats": 14}
        per_gibibyte = {"holdfast": 12, "etcd": 45, "nats": 45, "postgresql": 40}
        cells = []
        for work in self.plan.works:
            cost = seconds * 4 if isinstance(work, Local) else seconds
            cells += [(cost, work.title)] * len(self._systems(work)) * self.plan.rounds
        for system in self._systems(self.plan.failover):
            cells += [(kill[system], self.plan.failover.title)] * self.plan.kills
        share = self.plan.catch_up.byte_count / (1 << 30)
        for system in self._systems(self.plan.catch_up):
            cells += [(6 + per_gibibyte[system] * share, self.plan.catch_up.title)] * self.plan.catch_up_rounds
        return cells

    def _systems(self, work: Work) -> tuple[str, ...]:
        return systems_of(work, self.options.systems)

    def _order(self, work: Work, number: int) -> list[str]:
        """Drawn for each cell of each round, the same in every run: no system always follows the same other one."""
        systems = list(self._systems(work))
        random.Random(f"{number} {work.title}").shuffle(systems)
        return systems

    def _measure_all(self, work: Work, number: int) -> None:
        for system in self._order(work, number):
            try:
                with self.progress.cell(f"{system}: {work.title}", number) as cell:
                    for name, sample in self._measure(work, system).items():
                        cell.note(sample)
                        self._keep(work, name, number, sample)
            except _CELL_ERRORS as error:
                self._failed(work, system, number, error)

    def _measure(self, work: Work, system: str) -> dict[str, dict]:
        probe = self.probe.microseconds()
        cluster = self.clusters[system]
        before, began = usage(cluster.pids), time.monotonic()
        samples = self._sample(work, system, cluster)
        after, seconds = usage(cluster.pids), time.monotonic() - began
        for sample in samples.values():
            sample["disk_sync_us"] = probe
        if isinstance(work, (Append, Tail, Idle)):
            samples[system]["server_cores"] = (after.processor_seconds - before.processor_seconds) / seconds
            samples[system]["server_memory_bytes"] = after.memory_bytes
        return samples

    def _sample(self, work: Work, system: str, cluster: Cluster) -> dict[str, dict]:
        match work:
            case Append():
                return {system: cluster.append(work)}
            case Tail():
                return {system: cluster.tail(work)}
            case Failover():
                return {system: cluster.failover(work)}
            case Ceiling():
                if isinstance(cluster, PostgreSQL):
                    return {system: cluster.ceiling(work)}
                return {system: self.null.measure(system, work)}
            case Local():
                return local.measure(self.options.holdfast, work, self.scratch, self.plan.duration_ms)
            case Idle():
                time.sleep(self.driver.seconds)
                return {system: {}}
        raise Failure(f"{work.title} is measured elsewhere")

    def _catch_up_all(self, number: int) -> None:
        work = self.plan.catch_up
        try:
            seconds = copy_seconds(self.scratch, work.byte_count)
            self._keep(work, "floor", number, {"seconds": seconds, "bytes_per_second": work.byte_count / seconds})
        except _CELL_ERRORS as error:
            self._failed(work, "floor", number, error)
        for system in self._order(work, number):
            try:
                with self.progress.cell(f"{system}: {work.title}", number) as cell:
                    sample = self._catch_up(work, system)
                    cell.note(sample)
                    self._keep(work, system, number, sample)
            except _CELL_ERRORS as error:
                self._failed(work, system, number, error)

    def _catch_up(self, work: CatchUp, system: str) -> dict:
        """A cluster of its own, so that a gibibyte of the last round slows nothing down."""
        probe = self.probe.microseconds()
        cluster = self._cluster(system, place=_SECOND)
        try:
            cluster.start()
            sample = cluster.catch_up(work)
            sample["server_memory_bytes"] = usage(cluster.pids).memory_bytes
        finally:
            cluster.stop()
            shutil.rmtree(cluster.directory, ignore_errors=True)
        settle(self.scratch)
        return sample | {"disk_sync_us": probe}

    def _keep(self, work: Work, system: str, number: int, sample: dict) -> None:
        self.results["cells"].append({"work": encode(work), "system": system, "round": number, "sample": sample})

    def _failed(self, work: Work, system: str, number: int, error: Exception) -> None:
        """One cell that fails ends no run: the report says so."""
        words = [server.last_words() for server in self._servers(system) if not server.is_alive]
        reason = " | ".join([str(error) or type(error).__name__, *words])
        print(f"\n{system}: {work.title}: {reason}", file=sys.stderr)
        self.results["failures"].append(
            {"work": encode(work), "system": system, "round": number, "reason": reason})

    def _servers(self, system: str) -> list[Server]:
        return self.clusters[system].servers if system in self.clusters else []
