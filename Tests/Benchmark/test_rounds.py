"""In which order cells are measured, and what becomes of one that fails; clusters and loads are stood in for."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from benchmark import rounds
from benchmark.cluster import Description
from benchmark.failure import Failure
from benchmark.plan import Append, CatchUp, Failover, Idle, Plan, Tail
from benchmark.progress import Progress

_SYSTEMS = ("holdfast", "etcd", "nats")
_PLAN = Plan(
    name="test", rounds=3, duration_ms=1, warm_up_ms=0, works=(Append(1, 100), Tail(10), Idle()),
    catch_up=CatchUp(1 << 20), catch_up_rounds=1, failover=Failover(), kills=2)


class FakeCluster:
    def __init__(self, system: str, directory: Path, calls: list) -> None:
        self.system, self.directory, self.calls = system, directory, calls
        self.pids: list[int] = []
        self.servers: list = []

    def describe(self) -> Description:
        return Description("1", "nothing", "none", True)

    def start(self) -> None:
        self.directory.mkdir()

    def stop(self) -> None:
        self.calls.append(("stop", self.system))

    def _sample(self, kind: str, sample: dict) -> dict:
        self.calls.append((kind, self.system))
        return sample

    def append(self, work) -> dict:
        return self._sample("append", {"records_per_second": 1.0})

    def tail(self, work) -> dict:
        if self.system == "etcd":
            raise Failure("the watch was cancelled")
        return self._sample("tail", {"delivery": {"p50_us": 1}})

    def failover(self, work) -> dict:
        return self._sample("failover", {"gap_ms": 1.0})

    def catch_up(self, work) -> dict:
        return self._sample("catch-up", {"seconds": 1.0, "bytes_per_second": 1.0})


class RunTests(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.directory = Path(place.name)
        self.calls: list = []
        self.said = io.StringIO()

    def _run(self, systems=_SYSTEMS) -> rounds.Run:
        options = rounds.Options(
            plan=_PLAN, systems=systems, directory=self.directory, base_port=22_400, holdfast=Path("holdfast"),
            driver=Path("peer-bench"))
        run = rounds.Run(options)
        run._cluster = lambda system, place=0: FakeCluster(system, run.scratch / f"{system}-{place}", self.calls)
        run.null.start = lambda: None
        run.probe.microseconds = lambda: 200.0
        return run

    def _results(self, run: rounds.Run) -> dict:
        with contextlib.redirect_stderr(self.said):
            return run.run()

    def test_systems_take_turns_in_orders_that_differ_and_are_the_same_in_every_run(self):
        self._results(self._run())
        appends = [system for kind, system in self.calls if kind == "append"]
        orders = [tuple(appends[index:index + 3]) for index in (0, 3, 6)]
        self.assertEqual([set(order) for order in orders], [set(_SYSTEMS)] * 3)
        self.assertGreater(len(set(orders)), 1)
        self.assertEqual(sum(kind == "failover" for kind, _ in self.calls), 2 * len(_SYSTEMS))
        first, self.calls = self.calls, []
        self._results(self._run())
        self.assertEqual(self.calls, first)

    def test_clusters_that_took_turns_rest_before_catching_up(self):
        self._results(self._run())
        self.assertLess(self.calls.index(("stop", "holdfast")), self.calls.index(("catch-up", "holdfast")))

    def test_a_cell_that_fails_is_kept_as_failed_and_the_run_goes_on(self):
        results = self._results(self._run())
        self.assertEqual(
            [(failure["system"], failure["round"]) for failure in results["failures"]],
            [("etcd", 1), ("etcd", 2), ("etcd", 3)])
        self.assertIn("the watch was cancelled", self.said.getvalue())
        tails = [cell["system"] for cell in results["cells"] if cell["work"]["kind"] == "tail"]
        self.assertEqual(sorted(tails), ["holdfast"] * 3 + ["nats"] * 3)

    def test_each_cell_has_a_probe_of_the_disk_and_what_servers_took(self):
        results = self._results(self._run())
        for cell in results["cells"]:
            if cell["system"] == "floor":
                continue
            self.assertGreater(cell["sample"]["disk_sync_us"], 0)
            if cell["work"]["kind"] in ("append", "tail", "idle"):
                self.assertEqual(cell["sample"]["server_cores"], 0)

    def test_only_chosen_systems_are_measured(self):
        results = self._results(self._run(("holdfast", "nats")))
        self.assertEqual({cell["system"] for cell in results["cells"]}, {"holdfast", "nats", "floor"})
        self.assertEqual(list(results["systems"]), ["holdfast", "nats"])

    def test_nothing_is_left_after_an_interruption(self):
        run = self._run()

        def interrupted(work, number):
            raise KeyboardInterrupt

        run._measure_all = interrupted
        with self.assertRaises(KeyboardInterrupt):
            self._results(run)
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_progress_reaches_its_end(self):
        self._results(self._run())
        lines = [line for line in self.said.getvalue().splitlines() if line.startswith("[")]
        self.assertTrue(lines[-1].startswith("[100%, 0 min left]"), lines[-1])


class ProgressTests(unittest.TestCase):
    def test_time_left_follows_what_was_expected(self):
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            progress = Progress([(600.0, "long"), (600.0, "long")])
            with progress.cell("etcd: long", 1) as cell:
                cell.note({"records_per_second": 12_345.6})
        self.assertEqual(said.getvalue(), "[ 50%, 10 min left] round 1: etcd: long: 12,346/s\n")


if __name__ == "__main__":
    unittest.main()
