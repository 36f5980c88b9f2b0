"""What is read of the answers of `holdfast bench` for a goals run, and how it is judged."""

import tempfile
import unittest
from pathlib import Path

import sample_goals as sample
from benchmark import disk_writers, goals_samples
from benchmark.failure import Failure
from benchmark.goals_figures import GOALS, Outcome, Reached, Statistic, judged


def one(wording: str, results: dict, work: str = "") -> Reached:
    found = [reached for reached in judged(results) if reached.goal.wording == wording and work in reached.goal.work]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} goals are called {wording}")
    return found[0]


class SampleTests(unittest.TestCase):
    def test_a_row_is_found_by_its_work_and_its_clients(self):
        self.assertEqual(goals_samples.local_os(sample.log_append("os", _1=5.0)), {"records_per_second": 5.0})
        self.assertEqual(goals_samples.local_always(sample.log_append("always", _256=60.0, _16=20.0)),
                         {"at_16": 20.0, "at_256": 60.0, "growing": 3.0})

    def test_a_row_that_is_not_there_is_a_failure(self):
        with self.assertRaisesRegex(Failure, 'no row "append" of 16 clients'):
            goals_samples.local_always(sample.log_append("always", _1=5.0))

    def test_a_rotation_is_that_of_appends_that_met_one(self):
        self.assertEqual(goals_samples.rotation(sample.rotation(300.0, 200.0)),
                         {"worst_us": 300.0, "control_worst_us": 200.0})
        with self.assertRaisesRegex(Failure, "no append met"):
            goals_samples.rotation(sample.rotation(0.0, 200.0, rotations=0))

    def test_the_memory_of_a_recovery_is_that_of_both_that_scan(self):
        document = sample.recovery(2_000.0, 1e9, 4e9)
        document["details"][1]["anonymous_bytes_max"] = 77
        document["details"][2]["anonymous_bytes_max"] = 99
        found = goals_samples.recovery(document)
        self.assertEqual((found["recovery_memory_bytes"], found["clean_us"]), (99, 2_000.0))

    def test_memory_is_that_of_the_node_that_has_most(self):
        self.assertEqual(goals_samples.append(sample.appending(2_000))["memory_bytes"], 60 << 20)

    def test_appends_that_failed_make_no_figure(self):
        bad, good = sample.appending(2_000, failures=3), sample.appending(2_000)
        for read in (lambda: goals_samples.append(bad), lambda: goals_samples.json_lines(good, good, bad),
                     lambda: goals_samples.incompressible(bad, good, 1.0)):
            with self.assertRaisesRegex(Failure, "3 appends failed"):
                read()

    def test_shares_are_of_what_was_measured_beside(self):
        found = goals_samples.incompressible(sample.appending(900, size=1_000), sample.appending(1_000, size=1_000), 1.8e6)
        self.assertEqual((found["bytes_per_second"], found["share_of_disk"], found["auto_in_never"]), (900e3, 0.5, 0.9))
        found = goals_samples.catch_up(sample.catching_up(60.0, 100.0, 2_000.0, 3_000.0))
        self.assertEqual((found["share_of_copy"], found["p99_growth"]), (0.6, 1.5))
        with self.assertRaises(Failure):
            goals_samples.catch_up(sample.catching_up(60.0, 0.0, 2_000.0, 3_000.0))

    def test_what_travels_is_that_of_a_cluster_that_compresses(self):
        found = goals_samples.json_lines(
            sample.appending(90, share=0.7), sample.appending(100, share=1.0), sample.appending(50, share=0.2))
        self.assertEqual((found["wire_share"], found["auto_wire_share"], found["auto_in_never"]), (0.2, 0.7, 0.9))

    def test_every_gap_counts(self):
        self.assertEqual(goals_samples.failover(sample.gaps(3, 1, 2, retried=4)), {"gaps_ms": [3, 1, 2], "retried": 4})

    def test_writers_share_a_disk_and_leave_nothing(self):
        with tempfile.TemporaryDirectory() as place:
            self.assertGreater(disk_writers.bytes_per_second(Path(place), writers=2, seconds=0.01), 1 << 20)
            self.assertEqual(list(Path(place).iterdir()), [])
            with self.assertRaises(OSError):
                disk_writers.bytes_per_second(Path(place) / "nowhere", seconds=0.01)


class VerdictTests(unittest.TestCase):
    def test_a_run_in_which_everything_is_reached_meets_every_goal(self):
        for reached in judged(sample.reached()):
            self.assertEqual((reached.outcome, reached.verdict), (Outcome.MET, "yes"), reached.goal)

    def test_where_some_rounds_reach_it_the_goal_is_within_the_spread(self):
        rates = [{"records_per_second": rate} for rate in (1.9e6, 2.1e6, 2.2e6)]
        reached = one("2,000,000/s", sample.reached(local_append__os=rates))
        self.assertEqual((reached.outcome, reached.verdict), (Outcome.WITHIN, "within the spread: 2 of 3 rounds"))

    def test_where_no_round_does_it_is_missed_and_the_reason_is_told(self):
        slow = [goals_samples.recovery(sample.recovery(60_000.0, 1e9, 4e9))] * 3
        results = sample.reached(recovery=slow)
        self.assertEqual(one("under 50 ms", results).verdict, "no: nothing that is known explains it")
        self.assertTrue(one("2 GB/s", results, "at once").verdict.startswith("no: the disk has to take first"))

    def test_a_limit_that_is_to_be_stayed_under_is_not_to_be_touched(self):
        exactly = [{"p50_us": 600, "records_per_second": 2e3, "memory_bytes": 1}]
        results = sample.reached(quorum_append=exactly)
        self.assertEqual(one("p50 under 0.6 ms", results).outcome, Outcome.MISSED)
        self.assertEqual(one("2,000/s", results).outcome, Outcome.MET)

    def test_a_goal_of_a_median_is_held_against_the_median(self):
        def verdict(*worst: float) -> str:
            samples = [{"worst_us": value, "control_worst_us": 1.0} for value in worst]
            return one("median of per-run worsts under 1 ms", sample.reached(rotation=samples)).verdict

        self.assertEqual(verdict(200.0, 300.0, 5_000.0), "yes")
        self.assertTrue(verdict(200.0, 3_000.0, 5_000.0).startswith("no: "))

    def test_a_goal_of_the_worst_is_missed_by_one(self):
        samples = [{"gaps_ms": [5.0, 6.0], "retried": 0}, {"gaps_ms": [21.0, 4.0], "retried": 1}]
        results = sample.reached(handover=samples)
        longest, refused = one("longest gap under 20 ms", results), one("no refused append", results)
        self.assertEqual((longest.worst, longest.outcome), (21.0, Outcome.MISSED))
        self.assertEqual((refused.worst, refused.outcome), (1.0, Outcome.MISSED))

    def test_the_worst_of_a_hundred_is_not_that_of_forty(self):
        few = sample.reached(failover=[{"gaps_ms": [8.0] * 20, "retried": 0}] * 2)
        reached = one("worst of 100 under 1 s", few)
        self.assertEqual((reached.outcome, reached.verdict), (Outcome.OPEN, "not measured: 40 of 100, all of them below"))
        slow = sample.reached(failover=[{"gaps_ms": [8.0] * 19 + [1_200.0], "retried": 0}])
        self.assertEqual(one("worst of 100 under 1 s", slow).outcome, Outcome.MISSED)
        self.assertEqual(one("median under 100 ms", slow).outcome, Outcome.MET)

    def test_one_of_two_ways_is_enough(self):
        def outcomes(bandwidth: float, disk: float) -> list[Outcome]:
            found = goals_samples.incompressible(
                sample.appending(bandwidth, size=1), sample.appending(bandwidth, size=1), disk)
            return [reached.outcome for reached in judged(sample.reached(incompressible=[found]))
                    if reached.goal.choice]

        self.assertEqual(outcomes(400e6, 1_000e6), [Outcome.MET, Outcome.SPARED])
        self.assertEqual(outcomes(200e6, 300e6), [Outcome.SPARED, Outcome.MET])
        self.assertEqual(outcomes(200e6, 1_000e6), [Outcome.MISSED, Outcome.MISSED])

    def test_what_failed_in_every_round_says_why_and_takes_nothing_with_it(self):
        results = sample.reached(idle=[])
        results["failures"] = [{"cell": "idle", "round": 1, "reason": "port 22400 is in use"}]
        reached = one("under 1 % of a core a node", results)
        self.assertEqual((reached.outcome, reached.verdict), (Outcome.OPEN, "not measured: port 22400 is in use"))
        self.assertEqual(sum(found.outcome == Outcome.MET for found in judged(results)), len(GOALS) - 1)

    def test_rounds_that_failed_leave_a_goal_unknown_or_missed(self):
        def verdict(wording: str, cell: str, failed: int = 1, **samples: list[dict]) -> str:
            results = sample.reached(**samples)
            results["failures"] = [
                {"cell": cell, "round": number, "reason": "no room"} for number in range(5 - failed + 1, 6)]
            return one(wording, results).verdict

        def rates(*values: float) -> list[dict]:
            return [{"records_per_second": value} for value in values]

        os = "local append, os"
        self.assertEqual(
            verdict("2,000,000/s", os, local_append__os=rates(3e6, 3e6, 3e6, 3e6)), "unknown: 1 of 5 rounds failed: no room")
        self.assertEqual(
            verdict("2,000,000/s", os, 2, local_append__os=rates(1e6, 3e6, 1e6)),
            "no: 1 of 5 rounds reach it; 2 of 5 rounds failed: no room")
        self.assertEqual(
            verdict("2,000,000/s", os, 2, local_append__os=rates(1e6, 1e6, 1e6)),
            "no: nothing that is known explains it; 2 of 5 rounds failed: no room")
        worsts = [{"worst_us": value, "control_worst_us": 1.0} for value in (200.0, 300.0, 5_000.0)]
        rotation = "median of per-run worsts under 1 ms"
        self.assertEqual(verdict(rotation, "rotation", 2, rotation=worsts), "unknown: 2 of 5 rounds failed: no room")
        self.assertTrue(verdict(rotation, "rotation", 4, rotation=worsts[2:]).startswith("no: nothing"))
        # Fewer than a hundred, because the others failed.
        gaps = [{"gaps_ms": [8.0] * 20, "retried": 0}] * 4
        self.assertEqual(
            verdict("worst of 100 under 1 s", "failover", failover=gaps), "unknown: 1 of 5 rounds failed: no room")

    def test_a_way_that_is_unknown_spares_no_other(self):
        found = goals_samples.incompressible(
            sample.appending(400e6, size=1), sample.appending(400e6, size=1), 1_000e6)
        results = sample.reached(incompressible=[found] * 4)
        results["failures"] = [{"cell": "incompressible", "round": 5, "reason": "no room"}]
        ways = [reached.outcome for reached in judged(results) if reached.goal.choice]
        self.assertEqual(ways, [Outcome.UNKNOWN, Outcome.MISSED])

    def test_a_value_counts_for_the_goal_it_is_nearest_to_missing(self):
        memory = one("under 150 MiB anonymous resident (RssAnon)", sample.reached(
            session=[{"records_per_second": 350e3, "p50_us": 1.0, "memory_bytes": 151 << 20}]))
        self.assertEqual((memory.worst, memory.outcome), (151 << 20, Outcome.MISSED))
        self.assertEqual(memory.goal.statistic, Statistic.WORST)


if __name__ == "__main__":
    unittest.main()
