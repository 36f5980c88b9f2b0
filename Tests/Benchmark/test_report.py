import tempfile
import unittest
from pathlib import Path

from benchmark import page, prose, report
from benchmark.failure import Failure
from benchmark.plan import Append, CatchUp, Failover, Tail, encode
from benchmark.summary import Spread, Summary
from benchmark.systems import systems
from sample_run import results


class SummaryTests(unittest.TestCase):
    def setUp(self):
        self.summary = Summary(results())

    def test_a_spread_has_median_and_ends(self):
        rate = self.summary.spread(Append(1, 100), "holdfast", "records_per_second")
        self.assertEqual((rate.median, rate.min, rate.max), (2_000, 1_600, 2_400))
        self.assertIsNone(self.summary.spread(Append(1, 100), "postgresql", "records_per_second"))
        self.assertIsNone(self.summary.spread(Append(1, 100), "holdfast", "latency", "nothing"))

    def test_a_percentile_is_a_value_that_was_there(self):
        spread = Spread(tuple(float(value) for value in range(1, 21)))
        self.assertEqual([spread.percentile(percent) for percent in (0, 5, 50, 90, 95, 100)], [1, 1, 10, 18, 19, 20])
        self.assertEqual(Spread((7.0,)).percentile(90), 7)

    def test_a_ratio_is_of_medians(self):
        self.assertEqual(self.summary.ratio(Append(1, 100), "etcd", "records_per_second"), 2)
        self.assertIsNone(self.summary.ratio(Append(1, 100), "postgresql", "records_per_second"))

    def test_holdfast_is_first_and_the_floor_last(self):
        self.assertEqual(self.summary.systems(Append(1, 100)), ["holdfast", "etcd", "nats"])
        self.assertEqual(self.summary.systems(CatchUp(1 << 30)), ["holdfast", "floor"])


class ReportTests(unittest.TestCase):
    def setUp(self):
        self.summary = Summary(results())

    def test_each_row_has_median_spread_ratio_and_cost(self):
        lines = report.append_table(self.summary, single=True).splitlines()
        self.assertEqual(
            lines[3], "| 1 client, 100 B | etcd | 1,000 | 900 to 1,100 | 2.0 x | 0.50 | 2.00 | 0.50 | 64 | 0.20 |")
        self.assertTrue(lines[4].startswith("| 1 client, 100 B | NATS JetStream † | 4,000 |"))
        self.assertIn("† NATS JetStream: nothing is synced", lines[-1])

    def test_every_row_has_as_many_columns_as_its_header(self):
        for section in report.sections(self.summary):
            rows = [line for line in section.splitlines() if line.startswith("|")]
            self.assertTrue(rows or "acknowledges at once" in section, section)
            self.assertEqual(len({line.count(" | ") for line in rows}), 1, section)

    def test_a_failover_tells_the_worst(self):
        row = report.failover_table(self.summary).splitlines()[2]
        self.assertEqual(row, "| kill -9 of the leader, time-out 100 ms | Holdfast | 3 | 80 | 900 | 900 | 60 |  | 1 | 2 |")
        self.assertIn("| 18 x |", report.failover_table(self.summary))

    def test_catching_up_stands_beside_a_copy(self):
        self.assertIn("| 4.00 | 4.00 to 4.00 | 256 | 2.0 | 5.00 |", report.catch_up_table(self.summary))

    def test_what_was_taken_stands_beside_the_driver_s_ceiling(self):
        self.assertIn("| 8,000 | 8,000 to 8,000 | 0.20 | 2,000 | 25% |", report.ceiling_table(self.summary))

    def test_a_delivery_s_worst_is_that_of_all_rounds(self):
        document = results()
        slow = next(cell for cell in document["cells"] if cell["work"]["kind"] == "tail")
        quick = {"max_us": 1_000, "p50_us": 900, "p99_us": 1_000}
        document["cells"] += [slow | {"round": number, "sample": {"delivery": quick}} for number in (2, 3)]
        self.assertIn("| Holdfast | 0.90 | 0.90 to 0.90 | 1.00 | 3.60 |", report.tail_table(Summary(document)))

    def test_where_a_consumer_was_led_is_told_where_a_run_knows(self):
        document = results()
        sample = {"delivery": {"p50_us": 300, "p99_us": 600, "max_us": 900}, "reader": "n2"}
        document["cells"] += [
            {"work": encode(Tail(1_000)), "system": "nats", "round": number, "sample": sample | {"consumer_leader": leader}}
            for number, leader in ((1, "n2"), (2, "n3"), (3, None))]
        self.assertIn("by the server that it read from in 1 of 2 rounds", report.tail_table(Summary(document)))
        self.assertNotIn("consumer", report.tail_table(self.summary))

    def test_a_median_over_fewer_rounds_says_so(self):
        self.assertIn("| Holdfast (1 of 3 rounds) | 90,000 |", report.append_table(self.summary, single=False))
        self.assertNotIn("rounds)", report.append_table(self.summary, single=True))
        # Catching up has rounds of its own.
        self.assertIn("| Holdfast | 4.00 |", report.catch_up_table(self.summary))

    def test_catching_up_marks_what_is_not_synced_and_says_what_level_is_where_a_run_does(self):
        document = results()
        document["cells"].append({
            "work": encode(CatchUp(1 << 30)), "system": "nats", "round": 1, "sample": {"seconds": 9.0, "bytes_per_second": 1.0}})
        self.assertIn("| NATS JetStream † | 9.00 |", report.catch_up_table(Summary(document)))
        self.assertNotIn("level is", report.catch_up_table(Summary(document)))
        document["systems"]["holdfast"]["level"] = "persisted by the follower"
        told = report.catch_up_table(Summary(document))
        self.assertIn("| work | system | level is | s |", told)
        self.assertIn("| Holdfast | persisted by the follower | 4.00 |", told)

    def test_a_system_s_settings_are_whole_and_its_version_s_age_is_told(self):
        document = results()
        document["systems"]["postgresql"] = {
            "version": "15", "promise": "p", "settings": "synchronous_commit on", "is_synced": True}
        told = systems(Summary(document))
        self.assertIn("synchronous_commit on; max_connections 300; max_wal_senders 8;", told)
        self.assertIn("none; never compacted in a run", told)
        self.assertIn("as packaged in Debian; newer versions of them exist", told)
        document["systems"]["postgresql"]["settings"] = "max_connections 7"
        self.assertIn("| max_connections 7 |", systems(Summary(document)))

    def test_rocksdb_has_a_row_where_it_was_measured(self):
        document = results()
        document["machine"]["distribution"] = "Debian GNU/Linux 12 (bookworm)"
        self.assertRegex(systems(Summary(document)), r"\| RocksDB \| 7\.8\.3 \|.*--sync=1")
        document["cells"] = [cell for cell in document["cells"] if cell["system"] != "rocksdb"]
        self.assertNotIn("RocksDB", systems(Summary(document)))

    def test_a_cell_that_failed_is_named(self):
        document = results()
        document["failures"] = [{"work": encode(Tail(1_000)), "system": "etcd", "round": 2, "reason": "it did not start"}]
        self.assertIn(f"- {Tail(1_000).title}, etcd, round 2: it did not start", "\n".join(report.sections(Summary(document))))

    def test_a_run_of_nothing_has_a_report(self):
        document = results() | {"cells": []}
        with tempfile.TemporaryDirectory() as place:
            report.write(document, Path(place))
            self.assertEqual([path.name for path in Path(place).iterdir()], ["results.md"])


class PageTests(unittest.TestCase):
    _README = f"before\n{page._BEGIN}\nold\n{page._END}\nafter\n"

    def test_a_page_has_its_plots_beside_it_and_the_readme_a_quote(self):
        with tempfile.TemporaryDirectory() as place:
            root = Path(place)
            readme, article = root / "README.md", root / "docs" / "Performance.md"
            readme.write_text(self._README)
            article.parent.mkdir()
            page.write(results(), article, readme)
            text = article.read_text()
            for picture in (article.parent / "Resources").iterdir():
                self.assertIn(f"](Resources/{picture.name})", text)
            self.assertIn("![Acknowledged appends per second, 100 B each, medians in records/s. 1 client: Holdfast 2,000, ", text)
            self.assertIn("promise of etcd", text)
            self.assertIn("command: `scripts/bench --page FILE`", text)
            told = readme.read_text()
            self.assertTrue(told.startswith("before\n") and told.endswith("\nafter\n"))
            self.assertNotIn("\nold\n", told)
            self.assertIn("| 1 client, 100 B, appends/s | 2,000 | 1,000 | 4,000 |", told)
            self.assertIn("(docs/Performance.md)", told)
            page.write(results(), article, readme)
            self.assertEqual(readme.read_text(), told)

    def test_a_readme_without_marks_is_refused_and_nothing_written(self):
        with tempfile.TemporaryDirectory() as place:
            readme, article = Path(place) / "README.md", Path(place) / "Performance.md"
            readme.write_text("nothing to replace\n")
            with self.assertRaises(Failure):
                page.write(results(), article, readme)
            self.assertFalse(article.exists())

    def test_what_was_interrupted_makes_a_report_and_no_page(self):
        document = results() | {"is_complete": False}
        with tempfile.TemporaryDirectory() as place:
            with self.assertRaisesRegex(Failure, "interrupted"):
                page.write(document, Path(place) / "Performance.md")
            self.assertEqual(list(Path(place).iterdir()), [])
            report.write(document, Path(place))
            self.assertIn("- **interrupted**", (Path(place) / "results.md").read_text())

    def test_what_failed_in_every_round_makes_no_page(self):
        document = results()
        document["failures"] = [{"work": encode(Tail(1_000)), "system": "nats", "round": 1, "reason": "no"}]
        with tempfile.TemporaryDirectory() as place:
            with self.assertRaisesRegex(Failure, "NATS JetStream failed in every round"):
                page.write(document, Path(place) / "Performance.md")
            self.assertEqual(list(Path(place).iterdir()), [])

    def test_what_failed_in_one_round_is_named_on_the_page(self):
        document = results()
        document["failures"] = [{"work": encode(Tail(1_000)), "system": "etcd", "round": 2, "reason": "it slept"}]
        with tempfile.TemporaryDirectory() as place:
            page.write(document, Path(place) / "Performance.md")
            self.assertIn(f"- {Tail(1_000).title}, etcd, round 2: it slept", (Path(place) / "Performance.md").read_text())

    def test_sections_of_other_runs_are_announced_and_begin_with_date_and_command(self):
        text = page.article(Summary(results()), {})
        introduction, *sections = text.split("\n## ")
        for section in sections:
            title, _, body = section.partition("\n")
            if title in ("Where the time goes", "What was kept, and what was dropped"):
                anchor = "".join(c for c in title if c.isalnum() or c == " ").replace(" ", "-")
                self.assertIn(f"](#{anchor})", introduction)
                self.assertRegex(body.strip(), r"^Measured on 2026-11-2\d[^\n]+by `")
        self.assertIn("](#Growth)", introduction)

    def test_what_sessions_gain_is_of_the_run_or_left_out(self):
        document = results()
        self.assertIn("which a session shares. One caller", prose.spent(Summary(document)))
        document["cells"].append({
            "work": encode(Append(64, 100)), "system": "holdfast", "round": 1, "sample": {"records_per_second": 30_000}})
        self.assertIn("reached 3.0 times as much", prose.spent(Summary(document)))

    def test_a_glance_names_a_failover_and_a_catch_up(self):
        told = page.quote(Summary(results()), "Performance.md")
        self.assertIn(f"| {Failover().title}, ms | 80 | 1,400 |", told)
        self.assertIn(f"| {CatchUp(1 << 30).title}, s | 4.00 |", told)
        self.assertIn("a leader that falls silent is noticed after an election time-out", told)


if __name__ == "__main__":
    unittest.main()
