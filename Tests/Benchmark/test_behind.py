"""Which figures count as behind, how they are grouped, and that a reason is given only where it holds."""

import unittest

from benchmark import behind, reasons
from benchmark.plan import Append, Failover, Idle, Local, Tail, encode
from benchmark.summary import Spread, Summary
from sample_run import results


def with_sample(work, system: str, **sample: object) -> dict:
    """The run with these figures in place of what the cells of a system and work have of them."""
    document = results()
    cells = [cell for cell in document["cells"] if (cell["work"], cell["system"]) == (encode(work), system)]
    if not cells:
        cells = [{"work": encode(work), "system": system, "round": 1, "sample": {}}]
        document["cells"] += cells
    for cell in cells:
        cell["sample"] |= sample
    return document


class FindTests(unittest.TestCase):
    def test_every_better_figure_is_found_and_no_other(self):
        found = behind.find(Summary(results()))
        self.assertEqual(
            [(finding.work, finding.system, finding.figure.name) for finding in found],
            [(Append(1, 100), "nats", "records_per_second"), (Append(1, 100), "nats", "latency.p99_us")])
        self.assertEqual(found[0].factor, 2)
        self.assertFalse(found[0].is_within_spread)

    def test_each_figure_of_the_tables_is_compared(self):
        worse = {
            Append(1, 100): {"server_cores": 0.3, "server_memory_bytes": 1 << 20, "latency": {"p50_us": 10, "p99_us": 10}},
            Tail(1_000): {
                "delivery": {"p50_us": 1, "p99_us": 1, "max_us": 1}, "acknowledgement": {"p50_us": 1}},
            Idle(): {"server_cores": 0.001, "server_memory_bytes": 1},
        }
        for work, better in worse.items():
            found = behind.find(Summary(with_sample(work, "etcd", **better)))
            names = {finding.figure.name.removeprefix("worst ") for finding in found if finding.system == "etcd"}
            expected = {
                f"{key}.{inner}" if isinstance(value, dict) else key
                for key, value in better.items() for inner in (value if isinstance(value, dict) else [""])}
            self.assertEqual(names, expected)

    def test_a_worst_is_that_of_all_rounds(self):
        # Holdfast's are 60, 80 and 900: its median is far better, its worst is not.
        found = behind.find(Summary(with_sample(Failover(), "etcd", gap_ms=400.0)))
        self.assertIn((Failover(), "ms (worst)"), [(finding.work, finding.figure.unit) for finding in found])
        self.assertNotIn((Failover(), "ms (median)"), [(finding.work, finding.figure.unit) for finding in found])
        worst = next(finding for finding in found if finding.figure.is_worst)
        self.assertEqual(worst.text, "900 ms (worst) against 400")

    def test_a_driver_s_ceiling_is_no_figure_of_a_system(self):
        document = results()
        for cell in document["cells"]:
            if cell["work"]["kind"] == "ceiling":
                document["cells"].append(cell | {"system": "etcd", "sample": cell["sample"] | {"records_per_second": 1e6}})
                break
        self.assertNotIn("ceiling", [finding.work.kind for finding in behind.find(Summary(document))])

    def test_none_of_both_is_no_difference(self):
        figure = behind.Figure(("missing",), "not delivered")
        nothing, some = Spread((0.0,)), Spread((3.0,))
        self.assertEqual(behind.Finding(Tail(1), "etcd", figure, nothing, nothing, "").factor, 1)
        self.assertEqual(behind.Finding(Tail(1), "etcd", figure, some, nothing, "").factor, float("inf"))


class BulletTests(unittest.TestCase):
    def test_a_work_and_a_peer_have_one_bullet_with_all_figures(self):
        lines = behind.bullets(behind.find(Summary(results())))
        self.assertEqual(lines, [
            "- **1 client, 100 B, NATS JetStream**: 2,000 records/s against 4,000; 2.00 ms (p99) against 1.00: "
            "NATS acknowledges what is in the page cache of two servers, Holdfast waits for the disks of two nodes."])

    def test_figures_whose_spreads_overlap_say_so(self):
        document = results()
        for cell in document["cells"]:
            if cell["system"] == "nats" and cell["round"] == 3:
                cell["sample"]["records_per_second"] = 2_300
        line = behind.bullets(behind.find(Summary(document)))[0]
        self.assertIn("2,000 records/s against 4,000 (spreads overlap); 2.00 ms", line)

    def test_what_nothing_explains_says_so_behind_the_rest(self):
        document = with_sample(Append(1, 100), "nats", server_cores=0.05)
        line = behind.bullets(behind.find(Summary(document)))[0]
        self.assertTrue(line.endswith(f" 0.50 cores against 0.05: {reasons.UNEXPLAINED}."), line)


class ReasonTests(unittest.TestCase):
    def _reason(self, work, system: str, figure: str) -> str:
        return reasons.reason(Summary(results()), work, system, figure)

    def test_a_reason_holds_for_its_works_only(self):
        alone = self._reason(Append(1, 100), "postgresql", "records_per_second")
        self.assertIn("six times", alone)
        for work in (Append(16, 100), Append(16, 100, batch=100), Append(1, 100, batch=100), Append(64, 100), Local(1)):
            self.assertEqual(self._reason(work, "postgresql", "records_per_second"), reasons.UNEXPLAINED)
        self.assertIn("page cache", self._reason(Append(16, 1024), "nats", "latency.p50_us"))
        for work in (Append(64, 100), Append(1, 100, in_flight=256)):
            self.assertEqual(self._reason(work, "nats", "records_per_second"), reasons.UNEXPLAINED)

    def test_a_reason_holds_for_its_figures_only(self):
        self.assertIn("32 MiB", self._reason(Append(1, 100), "postgresql", "server_memory_bytes"))
        self.assertIn("heartbeats", self._reason(Idle(), "etcd", "server_cores"))
        self.assertEqual(self._reason(Tail(1_000), "etcd", "delivery.p50_us"), reasons.UNEXPLAINED)
        self.assertEqual(self._reason(Failover(), "etcd", "gap_ms"), reasons.UNEXPLAINED)

    def test_cores_that_did_more_say_how_much_more(self):
        # Twice etcd's records, with 0.5 cores beside 0.4.
        found = behind.find(Summary(with_sample(Append(1, 100), "etcd", server_cores=0.4)))
        texts = [finding.reason for finding in found if finding.system == "etcd"]
        self.assertEqual(texts, ["for 2.00 times as many records, 38% less for each"])
        # And 0.5 beside 0.2 are more for each.
        found = behind.find(Summary(with_sample(Append(1, 100), "etcd", server_cores=0.2)))
        self.assertEqual([finding.reason for finding in found if finding.system == "etcd"], [reasons.UNEXPLAINED])

    def test_every_reason_is_of_a_figure_that_is_compared(self):
        names = {figure.name for figure in behind.FIGURES}
        for known in reasons.REASONS:
            self.assertLessEqual(set(known.figures), names)


if __name__ == "__main__":
    unittest.main()
