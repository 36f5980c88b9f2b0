"""In which order cells are measured, and what becomes of one that fails; clusters and loads are stood in for."""

import contextlib
import copy
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from benchmark import estimate, plan, rounds
from benchmark.cluster import Description
from benchmark.failure import Failure
from benchmark.plan import SYSTEMS, Append, CatchUp, Failover, Idle, Plan, Silence, Tail
from benchmark.progress import Progress

_SYSTEMS = ("holdfast", "etcd", "nats")
_PLAN = Plan(
    name="test", rounds=3, duration_ms=1, warm_up_ms=0, works=(Append(1, 100), Tail(10), Idle()),
    catch_up=CatchUp(1 << 20), catch_up_rounds=1, failover=Failover(), kills=2, silence=Silence(), silences=1)


class FakeCluster:
    def __init__(self, system: str, directory: Path, calls: list) -> None:
        self.system, self.directory, self.calls = system, directory, calls
        self.pids: list[int] = []
        self.servers: list = []
        #: What the next appends find, or raise; and whether their loads begin to measure.
        self.appended: list[dict | Exception] = []
        self.begins = True
        #: What the next looks for nodes that ended find.
        self.ended: list[list[str]] = []

    def describe(self) -> Description:
        return Description("1", "nothing", "none", True, "it has nothing")

    def revive(self) -> list[str]:
        return self.ended.pop(0) if self.ended else []

    def start(self) -> None:
        self.directory.mkdir()

    def stop(self) -> None:
        self.calls.append(("stop", self.system))

    def _sample(self, kind: str, sample: dict) -> dict:
        self.calls.append((kind, self.system))
        return sample

    def append(self, work, meter) -> dict:
        if self.begins:
            meter.begin()
            meter.end()
        sample = self.appended.pop(0) if self.appended else {"records_per_second": 1.0, "failures": 0}
        if isinstance(sample, Exception):
            raise sample
        return self._sample("append", sample)

    def tail(self, work, meter) -> dict:
        meter.begin()
        meter.end()
        if self.system == "etcd":
            raise Failure("the watch was cancelled")
        return self._sample("tail", {"delivery": {"p50_us": 1}})

    def failover(self, work) -> dict:
        return self._sample(work.kind, {"gap_ms": 1.0})

    def catch_up(self, work, ready) -> dict:
        self.calls.append(("fill", self.system))
        ready()
        return self._sample("catch-up", {"seconds": 1.0, "bytes_per_second": 1.0})


class RunTests(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.directory = Path(place.name)
        self.calls: list = []
        self.said = io.StringIO()
        self.saved: list[dict] = []
        #: What is done to the clusters that take turns when they are made.
        self.prepare = lambda cluster: None
        for name in ("settle", "copy_seconds"):
            patch = mock.patch.object(rounds, name, side_effect=lambda *_, name=name: self.calls.append((name, "")) or 1.0)
            patch.start()
            self.addCleanup(patch.stop)

    def _run(self, systems=_SYSTEMS) -> rounds.Run:
        options = rounds.Options(
            plan=_PLAN, systems=systems, directory=self.directory, base_port=22_400, holdfast=Path("holdfast"),
            driver=Path("peer-bench"), argv=("--rounds", "3"),
            save=lambda results: self.saved.append(copy.deepcopy(results)))
        run = rounds.Run(options)

        def cluster(system: str, place: int = 0) -> FakeCluster:
            made = FakeCluster(system, run.scratch / f"{system}-{place}", self.calls)
            if place == 0:
                self.prepare(made)
            return made

        def probed() -> float:
            self.calls.append(("probe", ""))
            return 200.0

        run._cluster = cluster
        run.null.start = lambda: None
        run.probe.microseconds = probed
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
        self.assertEqual(sum(kind == "silence" for kind, _ in self.calls), len(_SYSTEMS))
        first = list(self.calls)
        self.calls.clear()
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

    def _failed_append(self, prepare) -> dict:
        """One round's failure of Holdfast's appends, after which the run must go on."""
        def prepared(cluster: FakeCluster) -> None:
            if cluster.system == "holdfast":
                prepare(cluster)

        self.prepare = prepared
        results = self._results(self._run(("holdfast",)))
        self.assertEqual([(failure["work"]["kind"], failure["round"]) for failure in results["failures"]], [("append", 1)])
        appends = [cell["round"] for cell in results["cells"] if cell["work"]["kind"] == "append"]
        self.assertEqual(appends, [2, 3])
        return results["failures"][0]

    def test_appends_that_failed_make_no_figure(self):
        sample = {"records_per_second": 5.0, "failures": 7, "failure": "the connection was lost"}
        failure = self._failed_append(lambda cluster: cluster.appended.append(sample))
        self.assertIn("7 appends failed, the first: the connection was lost", failure["reason"])

    def test_a_load_that_could_not_begin_says_why(self):
        def prepare(cluster: FakeCluster) -> None:
            cluster.begins = False
            cluster.appended = [{"records_per_second": 0.0, "failures": 2, "failure": "a session was not opened: refused"}] * 3

        self.prepare = prepare
        results = self._results(self._run(("holdfast",)))
        appends = [failure["reason"] for failure in results["failures"] if failure["work"]["kind"] == "append"]
        self.assertEqual(len(appends), 3)
        self.assertTrue(appends[0].startswith("2 appends failed, the first: a session was not opened: refused;"), appends[0])

    def test_an_error_that_nobody_foresaw_fails_its_cell_alone(self):
        failure = self._failed_append(lambda cluster: cluster.appended.append(IndexError("list index out of range")))
        self.assertEqual(failure["reason"], "IndexError: list index out of range")

    def test_a_node_that_ends_within_a_cell_fails_it(self):
        failure = self._failed_append(lambda cluster: cluster.ended.extend([[], ["n2 ended: out of memory"]]))
        self.assertEqual(failure["reason"], "n2 ended: out of memory")

    def test_a_node_that_ends_while_others_are_measured_fails_the_next_cell(self):
        failure = self._failed_append(lambda cluster: cluster.ended.append(["n2 ended: out of memory"]))
        self.assertEqual(failure["reason"], "while others were measured; n2 ended: out of memory")
        self.assertNotIn("append", [kind for kind, _ in self.calls[:self.calls.index(("tail", "holdfast"))]])

    def test_a_cell_that_fails_with_its_node_says_both(self):
        def prepare(cluster: FakeCluster) -> None:
            cluster.appended.append(Failure("nobody listens"))
            cluster.ended.extend([[], ["n1 ended: killed"]])

        self.assertEqual(self._failed_append(prepare)["reason"], "nobody listens; n1 ended: killed")

    def test_the_disk_settles_before_it_is_probed_and_both_before_the_cell(self):
        self._results(self._run(("holdfast",)))
        first = self.calls.index(("append", "holdfast"))
        self.assertEqual(self.calls[first - 2:first], [("settle", ""), ("probe", "")])

    def test_a_follower_s_disk_is_probed_when_everything_is_appended(self):
        self._results(self._run(("holdfast",)))
        first = self.calls.index(("fill", "holdfast"))
        self.assertEqual(
            self.calls[first:first + 4], [("fill", "holdfast"), ("settle", ""), ("probe", ""), ("catch-up", "holdfast")])

    def test_what_there_is_is_saved_after_each_round(self):
        results = self._results(self._run())
        rounds_saved = [max((cell["round"] for cell in saved["cells"]), default=0) for saved in self.saved]
        self.assertEqual(rounds_saved[:3], [1, 2, 3])
        self.assertEqual([saved["is_complete"] for saved in self.saved], [False] * (len(self.saved) - 1) + [True])
        self.assertEqual(self.saved[-1], results)
        self.assertEqual(results["argv"], ["--rounds", "3"])

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
        # Nothing was found that could take the place of what an earlier run had found.
        self.assertEqual(self.saved, [])

    def test_nothing_is_made_before_it_runs(self):
        self._run()
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_progress_reaches_its_end(self):
        self._results(self._run())
        lines = [line for line in self.said.getvalue().splitlines() if line.startswith("[")]
        self.assertTrue(lines[-1].startswith("[100%, 0 min left]"), lines[-1])


class EstimateTests(unittest.TestCase):
    def test_runs_take_no_longer_than_the_usage_says(self):
        for the_plan, minutes in ((plan.full(), 52), (plan.quick(), 10)):
            self.assertLess(sum(seconds for seconds, _ in estimate.cells(the_plan, SYSTEMS)), minutes * 60)

    def test_only_chosen_systems_take_time(self):
        titles = {title for _, title in estimate.cells(plan.full(), ("postgresql",))}
        self.assertEqual({title.partition(": ")[0] for title in titles}, {"postgresql", "floor"})
        self.assertNotIn(f"postgresql: {Failover().title}", titles)
        self.assertIn(f"postgresql: {Append(1, 100).title}", titles)


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
