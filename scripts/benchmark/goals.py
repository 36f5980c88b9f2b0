"""What is measured for the figures that Holdfast is to reach: its own benchmarks, row by row, again and again. Holdfast alone."""

import json
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from . import disk_writers, goals_samples, machine, memory
from .failure import Failure, kept, reason
from .goals_samples import Sample
from .holdfast import Holdfast
from .probe import DiskProbe, settle
from .processes import run, usage
from .progress import Progress

#: For one program: catching up writes a gibibyte three times, and copies it.
_SECONDS_MAX = 180


@dataclass(frozen=True)
class Cell:
    """What is run for one sample. A cell of several commands holds the first against the others."""

    name: str
    #: As they are typed, without what says how often, where, and in which form.
    commands: tuple[str, ...]
    sample: Callable[..., Sample]
    #: Roughly.
    seconds: float
    #: Of the run's rounds, the first so many.
    rounds_max: int = 1_000


@dataclass(frozen=True)
class GoalsPlan:
    rounds: int
    idle_seconds: float
    cells: tuple[Cell, ...]
    is_smoke: bool = False

    def scaled_down(self) -> "GoalsPlan":
        """Everything once, as short as can be: to see that all of it works."""
        return GoalsPlan(1, 0.3, tuple(
            replace(cell, commands=tuple(_shortened(command) for command in cell.commands)) for cell in self.cells), True)


#: What a smoke run has less of.
_LESS = {
    "--duration 1s": "--duration 200ms", "--log-size 256MiB": "--log-size 8MiB", "--log-size 10GiB": "--log-size 1GiB",
    "--size 1GiB": "--size 16MiB", "--kills 20": "--kills 2",
}

_JSON = "bench append --session --clients 1 --in-flight 8 --batch 500 --size 200 --data json --duration 1s --compression"
_RANDOM = "bench append --clients 8 --size 256KiB --data random --duration 1s --compression"


def full() -> GoalsPlan:
    cells = (
        Cell("local append, os", ("bench log append --policy os --clients 1 --duration 1s",), goals_samples.local_os, 3),
        Cell("local append, always", ("bench log append --policy always --clients 16,256 --duration 1s",),
             goals_samples.local_always, 4),
        Cell("rotation", ("bench log rotate --policy os --duration 1s",), goals_samples.rotation, 4),
        Cell("read", ("bench log read --clients 1,2 --log-size 256MiB",), goals_samples.read, 4),
        Cell("recovery", ("bench log recover --log-size 10GiB",), goals_samples.recovery, 5),
        Cell("quorum append", ("bench append --clients 1 --duration 1s",), goals_samples.append, 4),
        Cell("64 callers over 8 connections", ("bench append --clients 64 --connections 8 --duration 1s",),
             goals_samples.append, 4),
        Cell("64 connections", ("bench append --clients 64 --duration 1s",), goals_samples.append, 4),
        Cell("session", ("bench append --session --clients 1 --in-flight 256 --duration 1s",), goals_samples.append, 4),
        Cell("JSON lines", tuple(f"{_JSON} {kind}" for kind in ("auto", "never", "always")), goals_samples.json_lines, 11),
        Cell("incompressible", (f"{_RANDOM} auto", f"{_RANDOM} never"), goals_samples.incompressible, 12),
        # Four gibibytes each time, and as many again that are copied.
        Cell("catch-up", ("bench catch-up --size 1GiB",), goals_samples.catch_up, 20, rounds_max=3),
        Cell("failover", ("bench failover --kills 20",), goals_samples.failover, 20),
        Cell("handover", ("bench failover --handover --kills 20",), goals_samples.failover, 5),
        Cell("idle", (), dict, 8),
    )
    return GoalsPlan(5, 4, cells)


def _shortened(command: str) -> str:
    for much, little in _LESS.items():
        command = command.replace(much, little)
    return command


def _brief(sample: Sample) -> str:
    """For whoever watches."""
    def said(value: float | list[float]) -> str:
        return f"{min(value):,.4g}..{max(value):,.4g}" if isinstance(value, list) else f"{value:,.4g}"

    return ", ".join(f"{name} {said(value)}" for name, value in sample.items())


class GoalsRun:
    """All cells in turn, round after round, so that the moods of machine and disk meet all of them alike."""

    def __init__(self, plan: GoalsPlan, program: Path, directory: Path, base_port: int) -> None:
        self.plan, self.program, self.base_port = plan, program, base_port
        # Nothing is made yet: what run() makes, it removes, however it ends.
        self.scratch = directory / f"holdfast-goals-{secrets.token_hex(4)}"
        self.probe = DiskProbe(self.scratch)
        self.progress = Progress([
            (cell.seconds, cell.name) for number in range(1, plan.rounds + 1) for cell in self._cells(number)])
        self.results: dict = {
            "format": 1, "plan": "goals", "smoke": plan.is_smoke, "rounds": plan.rounds,
            "machine": machine.describe(directory), "cells": [], "failures": [],
            "commands": {cell.name: [f"holdfast {command}" for command in cell.commands] for cell in plan.cells},
        }

    def run(self) -> dict:
        began = time.time()
        self.results["began"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))
        try:
            self.scratch.mkdir(mode=0o700)
            self.results["version"] = run([str(self.program), "--version"], seconds_max=10).out.strip()
            for number in range(1, self.plan.rounds + 1):
                for cell in self._cells(number):
                    self._keep(cell, number)
        finally:
            self.results["seconds"] = time.time() - began
            self.probe.close()
            shutil.rmtree(self.scratch, ignore_errors=True)
        return self.results

    def _cells(self, number: int) -> list[Cell]:
        return [cell for cell in self.plan.cells if number <= cell.rounds_max]

    def _keep(self, cell: Cell, number: int) -> None:
        place = {"cell": cell.name, "round": number}
        with kept(self.results["failures"], place, cell.name):
            with self.progress.cell(f"holdfast: {cell.name}", number) as said:
                disk = self.probe.microseconds()
                sample = self.measure(cell, number)
                said.found = _brief(sample)
            self.results["cells"].append(place | {"disk_sync_us": disk, "sample": sample})

    def measure(self, cell: Cell, number: int) -> Sample:
        if cell.name == "idle":
            return self._idle()
        answers = {}
        # What comes first finds another disk than what comes second: they take turns at that, too.
        for command in cell.commands if number % 2 else reversed(cell.commands):
            answers[command] = self._bench(command)
        documents = [answers[command] for command in cell.commands]
        if cell.name == "incompressible":
            documents.append(disk_writers.bytes_per_second(self.scratch, seconds=0.2 if self.plan.is_smoke else 1))
            settle(self.scratch)
        try:
            return cell.sample(*documents)
        except (LookupError, TypeError) as error:
            raise Failure(f"the answer of holdfast bench is not as expected: {reason(error)}") from error

    def _bench(self, command: str) -> dict:
        """Runs it once, with a directory that is gone afterwards."""
        data = self.scratch / "data"
        if "catch-up" in command and not self.plan.is_smoke:
            # Three copies of a gibibyte, and one by cp.
            memory.touch(4 << 30)
        place = ["--dir", str(self.scratch)] if command.startswith("bench log") else ["--data-dir", str(data)]
        # Failovers and handovers say how often themselves.
        runs = [] if "--kills" in command else ["--runs", "1"]
        try:
            done = run([str(self.program), *command.split(), *place, *runs, "-o", "json"], seconds_max=_SECONDS_MAX)
        finally:
            shutil.rmtree(data, ignore_errors=True)
            settle(self.scratch)
        return json.loads(done.out)

    def _idle(self) -> Sample:
        """Three nodes that nobody asks for anything: the share of a core that the busiest takes."""
        cluster = Holdfast(self.scratch / "idle", self.base_port, None, self.program)
        try:
            cluster.start()
            # What a start brings about is over.
            time.sleep(self.plan.idle_seconds / 4)
            began, before = time.monotonic(), self._processor_seconds(cluster)
            time.sleep(self.plan.idle_seconds)
            after = self._processor_seconds(cluster)
            seconds = time.monotonic() - began
        finally:
            cluster.stop()
            shutil.rmtree(cluster.directory, ignore_errors=True)
        return {"cores": max(late - early for early, late in zip(before, after, strict=True)) / seconds}

    def _processor_seconds(self, cluster: Holdfast) -> list[float]:
        """Of each node, since it began."""
        return [usage([pid]).processor_seconds for pid in cluster.pids]
