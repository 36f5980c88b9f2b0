"""What happens to a cost when something grows: logs, segments, followers, clients, records. Holdfast alone."""

import json
import resource
import secrets
import shutil
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from . import machine, memory
from .failure import Failure, kept
from .plan import byte_count
from .probe import settle
from .processes import run
from .progress import Progress

MIB = 1 << 20
_SHARED_CONNECTIONS = 64
_OWN = "a connection each"
#: What a node holds of one address as it comes, less what the run itself asks it over.
_ADMITTED_CONNECTIONS = 224
#: What three nodes write of large records, into a page cache that grows.
_LARGE_BYTES_PER_SECOND = 3 * 400 * MIB
#: What a node may have open beside its clients, and the run itself.
_DESCRIPTORS_BESIDE = 1_200


@dataclass(frozen=True)
class Cell:
    """One value of what grows. `series` tells apart what is measured more than one way."""

    axis: str
    x: int
    series: str = ""

    @property
    def descriptors(self) -> int:
        """As many files a program of the run may have to have open; 0 for so few that everybody may."""
        connections = self.x if self.axis == "clients" and self.series == _OWN else 0
        return connections + _DESCRIPTORS_BESIDE if connections > _ADMITTED_CONNECTIONS else 0

    @property
    def title(self) -> str:
        said = byte_count(self.x) if self.axis in ("log-size", "record-size") else f"{self.x:,}"
        return f"{self.axis} {said}" + (f", {self.series}" if self.series else "")


@dataclass(frozen=True)
class GrowthPlan:
    name: str
    rounds: int
    duration_ms: int
    cells: tuple[Cell, ...]

    def scaled_down(self) -> "GrowthPlan":
        """The least and the most of each axis, as short as can be: to see that all of it works."""
        ends = []
        for key in dict.fromkeys((cell.axis, cell.series) for cell in self.cells):
            points = [cell for cell in self.cells if (cell.axis, cell.series) == key]
            ends += [points[0], points[-1]]
        return GrowthPlan("growth", 1, 200, tuple(ends))

    def only(self, axis: str) -> "GrowthPlan":
        """Raises Failure when nothing of that name grows."""
        axes = dict.fromkeys(cell.axis for cell in self.cells)
        if axis not in axes:
            raise Failure(f"{axis} is nothing that grows here", next=f"--only one of {', '.join(axes)}", exit_code=64)
        return replace(self, cells=tuple(cell for cell in self.cells if cell.axis == axis))


def full() -> GrowthPlan:
    log_sizes = [MIB, 32 * MIB, 1 << 30, 20 << 30]
    shared = [1, 16, 64, 256, 1_024, 4_096]
    cells = [
        *(Cell("log-size", size) for size in log_sizes),
        *(Cell("segments", count) for count in (1, 32, 1_024)),
        *(Cell("nodes", count) for count in (3, 5, 7)),
        *(Cell("clients", count, _OWN) for count in (1, 4, 16, 64, 256, 1_024, 4_096)),
        *(Cell("clients", count, f"at most {_SHARED_CONNECTIONS} connections") for count in shared),
        *(Cell("record-size", size) for size in (16, 100, 1 << 10, 16 << 10, 256 << 10, MIB, 8 * MIB)),
    ]
    return GrowthPlan("growth", 5, 1_000, tuple(cells))


def raise_descriptor_limit(needed: int) -> int:
    """Lets this program, and what it starts, have so many files open, or as many as the system allows.

    Returns how many those are now.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return sys.maxsize if soft == resource.RLIM_INFINITY else soft
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


class GrowthRun:
    """All cells in turn, round after round, so that the moods of machine and disk meet all of them alike."""

    def __init__(self, plan: GrowthPlan, program: Path, directory: Path) -> None:
        self.program = program
        self.plan, left_out = self._allowed(plan)
        # Nothing is made yet: what run() makes, it removes, however it ends.
        self.scratch = directory / f"holdfast-growth-{secrets.token_hex(4)}"
        self.progress = Progress([(self._expected(cell), cell.title) for cell in self.plan.cells] * plan.rounds)
        self.results: dict = {
            "format": 1, "plan": plan.name, "rounds": plan.rounds, "duration_ms": plan.duration_ms,
            "machine": machine.describe(directory), "cells": [], "left_out": left_out, "failures": [],
        }

    @staticmethod
    def _allowed(plan: GrowthPlan) -> tuple[GrowthPlan, list[dict]]:
        """The cells for which enough files may be open, and why the others are left out."""
        descriptors = raise_descriptor_limit(max((cell.descriptors for cell in plan.cells), default=0))
        cells, left_out = [], []
        for cell in plan.cells:
            if cell.descriptors <= descriptors:
                cells.append(cell)
                continue
            reason = (
                f"{cell.descriptors:,} files may have to be open at once, and the system allows {descriptors:,} (ulimit -Hn)")
            print(f"{cell.title} is left out: {reason}", file=sys.stderr)
            left_out.append(vars(cell) | {"reason": reason})
        return replace(plan, cells=tuple(cells)), left_out

    def run(self) -> dict:
        began = time.time()
        self.results["began"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))
        try:
            self.scratch.mkdir(mode=0o700)
            self.results["version"] = run([str(self.program), "--version"], seconds_max=10).out.strip()
            for number in range(1, self.plan.rounds + 1):
                for cell in self.plan.cells:
                    self._keep(cell, number)
        finally:
            self.results["seconds"] = time.time() - began
            shutil.rmtree(self.scratch, ignore_errors=True)
        return self.results

    def _expected(self, cell: Cell) -> float:
        if cell.axis in ("log-size", "segments"):
            return 3
        return self.plan.duration_ms / 1000 + 2.5

    def _keep(self, cell: Cell, number: int) -> None:
        place = vars(cell) | {"round": number}
        with kept(self.results["failures"], place, cell.title):
            with self.progress.cell(f"holdfast: {cell.title}", number) as said:
                sample = self.measure(cell)
                said.note(sample)
            self.results["cells"].append(place | {"sample": sample})

    def measure(self, cell: Cell) -> dict:
        """The figures of one cell by their names; times in microseconds."""
        match cell.axis:
            case "log-size":
                return self._log(cell.x, 128 * MIB)
            case "segments":
                return self._log(cell.x * MIB, MIB)
            case "nodes":
                return self._append("--clients", 1, "--nodes", cell.x)
            case "clients":
                shared = [] if cell.series == _OWN else ["--connections", _SHARED_CONNECTIONS]
                return self._append("--clients", cell.x, *shared)
            case "record-size":
                if cell.x >= MIB:
                    memory.touch(round(_LARGE_BYTES_PER_SECOND * (self.plan.duration_ms / 1000 + 0.5)))
                return self._append("--clients", 1, "--size", cell.x)
        raise Failure(f"{cell.axis} is nothing that grows here")

    def _log(self, log_bytes: int, segment_bytes: int) -> dict:
        document = self._bench(
            "log", "growth", "--log-size", log_bytes, "--segment-size", segment_bytes, "--dir", self.scratch)
        settle(self.scratch)
        sample = {}
        for row in document["rows"]:
            name = f"append: {row['policy']}" if row["work"] == "append" else row["work"]
            sample[name] = row["p50_us"]
        return sample

    def _append(self, *arguments: object) -> dict:
        """A cluster of its own for each cell, synced."""
        data = self.scratch / "cluster"
        try:
            document = self._bench(
                "append", *arguments, "--duration", f"{self.plan.duration_ms}ms", "--data-dir", data)
        finally:
            shutil.rmtree(data, ignore_errors=True)
        settle(self.scratch)
        row = document["rows"][0]
        if failures := document["details"][0]["failures"]:
            raise Failure(f"{failures} appends failed: what the others took tells nothing")
        return {key: row[key] for key in ("records_per_second", "bytes_per_second", "p50_us", "p99_us")}

    def _bench(self, *arguments: object) -> dict:
        argv = [str(self.program), "bench", *map(str, arguments), "--runs", "1", "-o", "json"]
        return json.loads(run(argv, seconds_max=120).out)
