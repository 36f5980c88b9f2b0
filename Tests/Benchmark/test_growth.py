"""How a growth run is planned, measured (its program is stood in for), judged, and put on the page."""

import contextlib
import io
import json
import resource
import tempfile
import unittest
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

from benchmark import growth, growth_figures, growth_page, page
from benchmark.__main__ import main
from benchmark.failure import Failure
from benchmark.growth_figures import FIGURES, Course, courses
from benchmark.summary import Spread
from sample_run import results as compared
from stand_in import StandIn

_BY_NAME = {figure.name: figure for figure in FIGURES}


def grown(**costs: dict[int, float]) -> dict:
    """A run of two rounds. By default a cold seek over more segments grows linearly, and everything else stays."""
    plan = growth.full()
    cells = []
    for number in (1, 2):
        for cell in plan.cells:
            sample = {"p50_us": 400.0, "records_per_second": 1_000, "bytes_per_second": 2 << 20}
            if cell.axis in ("log-size", "segments"):
                sample = {
                    "append: os": 0.5, "append: always": 200.0, "seek: cold": 10.0, "seek: warm": 2.0, "open": 900.0}
                if cell.axis == "segments":
                    sample["seek: cold"] = costs.get("cold", {}).get(cell.x, 10.0 * cell.x)
            cells.append(vars(cell) | {"round": number, "sample": sample})
    return {
        "format": 1, "plan": "growth", "rounds": 2, "duration_ms": 1_000, "began": "2026-01-01T00:00:00Z",
        "seconds": 300.0, "machine": compared()["machine"], "version": "1.2.3", "cells": cells, "failures": []}


def course(figure: str, *points: tuple[int, float]) -> Course:
    return Course(_BY_NAME[figure], "", tuple((x, Spread((value,))) for x, value in points))


class PlanTests(unittest.TestCase):
    def test_every_axis_reaches_from_end_to_end(self):
        ends = {}
        for cell in growth.full().cells:
            ends.setdefault(cell.axis, set()).add(cell.x)
        self.assertEqual(
            {axis: (min(xs), max(xs)) for axis, xs in ends.items()},
            {"log-size": (1 << 20, 20 << 30), "segments": (1, 1_024), "nodes": (3, 7), "clients": (1, 4_096),
             "record-size": (16, 8 << 20)})

    def test_a_smoke_run_has_both_ends_of_each_line(self):
        small = growth.full().scaled_down()
        self.assertEqual((small.rounds, len(small.cells)), (1, 12))
        self.assertEqual([cell.x for cell in small.cells if cell.axis == "nodes"], [3, 7])

    def test_clients_with_a_connection_each_are_as_many_as_those_that_share(self):
        own, shared = (
            [cell.x for cell in growth.full().cells if cell.series == series]
            for series in ("a connection each", "at most 64 connections"))
        self.assertEqual(own, [1, 4, 16, 64, 256, 1_024, 4_096])
        self.assertEqual((shared[0], shared[-1]), (own[0], own[-1]))
        demanding = [(cell.x, cell.series) for cell in growth.full().cells if cell.descriptors]
        self.assertEqual(demanding, [(count, "a connection each") for count in (256, 1_024, 4_096)])

    def test_one_axis_alone_is_measured_on_request(self):
        cells = growth.full().only("clients").cells
        self.assertEqual({cell.axis for cell in cells}, {"clients"})
        self.assertEqual(len({cell.series for cell in cells}), 2)
        with self.assertRaisesRegex(Failure, "weather is nothing that grows here.*\n.*record-size"):
            growth.full().only("weather")

    def test_one_axis_goes_with_a_growth_run_and_makes_no_page(self):
        for arguments, words in (
                (["--only", "nodes"], "--only goes with --growth"),
                (["--growth", "--only", "nodes", "--page", "Performance.md"], "--page goes without --only"),
                (["--growth", "--only", "weather"], "weather is nothing that grows here")):
            with mock.patch("sys.argv", ["bench", *arguments]), contextlib.redirect_stderr(io.StringIO()) as said:
                self.assertEqual(main(), 64)
            self.assertIn(words, said.getvalue())

    def test_what_is_measured_is_plotted(self):
        self.assertEqual({figure.axis for figure in FIGURES}, {cell.axis for cell in growth.full().cells})
        for figure in FIGURES:
            self.assertTrue(courses(grown(), figure), figure.name)

    def test_every_reason_is_one_of_a_line_that_there_is(self):
        lines = {(figure.name, found.line) for figure in FIGURES for found in courses(grown(), figure)}
        self.assertLessEqual(set(growth_figures.REASONS), lines)


class RunTests(unittest.TestCase):
    def setUp(self):
        self.stand_in = StandIn(self)
        rows = [{"work": work, "policy": policy, "p50_us": 3.0} for work, policy in (
            ("append", "os"), ("append", "always"), ("seek: cold", "os"), ("seek: warm", "os"), ("open", "os"))]
        self.stand_in.answers("bench log growth", {"rows": rows})
        self.stand_in.answers("bench log growth --log-size 1048576", None)
        self._answer(failures=0)

    def _answer(self, failures: int) -> None:
        row = {"records_per_second": 900, "bytes_per_second": 90_000, "p50_us": 500.0, "p99_us": 700.0}
        self.stand_in.answers("bench append", {"rows": [row], "details": [{"failures": failures}]})

    def _run(self, *cells: growth.Cell, rounds: int = 1) -> growth.GrowthRun:
        return growth.GrowthRun(
            growth.GrowthPlan("growth", rounds, 50, cells), self.stand_in.program, self.stand_in.place)

    def _results(self, *cells: growth.Cell, rounds: int = 1) -> dict:
        with contextlib.redirect_stderr(io.StringIO()), mock.patch.object(growth, "settle"):
            return self._run(*cells, rounds=rounds).run()

    def test_each_axis_asks_for_what_grows(self):
        self._results(
            growth.Cell("log-size", 32 << 20), growth.Cell("segments", 32), growth.Cell("nodes", 5),
            growth.Cell("clients", 4_096, "a connection each"), growth.Cell("clients", 4_096, "at most 64 connections"),
            growth.Cell("record-size", 16))
        for call, part in zip(self.stand_in.calls[1:], (
                "log growth --log-size 33554432 --segment-size 134217728",
                "log growth --log-size 33554432 --segment-size 1048576", "append --clients 1 --nodes 5",
                "append --clients 4096 --duration 50ms", "append --clients 4096 --connections 64",
                "append --clients 1 --size 16"), strict=True):
            self.assertIn(f"bench {part}", call)
            self.assertIn("--runs 1 -o json", call)

    def test_a_log_s_figures_have_names(self):
        sample = self._results(growth.Cell("segments", 32))["cells"][0]["sample"]
        self.assertEqual(set(sample), {"append: os", "append: always", "seek: cold", "seek: warm", "open"})

    def test_a_cell_that_fails_is_named_and_the_run_goes_on(self):
        results = self._results(growth.Cell("log-size", 1 << 20), growth.Cell("nodes", 3), rounds=2)
        self.assertEqual([(failure["x"], failure["round"]) for failure in results["failures"]],
                         [(1 << 20, 1), (1 << 20, 2)])
        self.assertIn("no room", results["failures"][0]["reason"])
        self.assertEqual([cell["axis"] for cell in results["cells"]], ["nodes", "nodes"])

    def test_appends_that_failed_make_no_figure(self):
        self._answer(failures=7)
        results = self._results(growth.Cell("nodes", 3))
        self.assertEqual(results["cells"], [])
        self.assertIn("7 appends failed", results["failures"][0]["reason"])

    def test_a_cell_for_which_too_few_files_may_be_open_is_left_out_and_says_so(self):
        few, many = (growth.Cell("clients", count, "a connection each") for count in (224, 4_096))
        shared = growth.Cell("clients", 4_096, "at most 64 connections")
        with mock.patch.object(growth, "raise_descriptor_limit", return_value=1_024):
            results = self._results(few, many, shared, growth.Cell("nodes", 3))
        self.assertEqual([(cell["x"], cell["series"]) for cell in results["left_out"]], [(4_096, "a connection each")])
        self.assertIn("the system allows 1,024 (ulimit -Hn)", results["left_out"][0]["reason"])
        self.assertEqual(results["failures"], [])
        self.assertEqual([cell["x"] for cell in results["cells"]], [224, 4_096, 3])
        self.assertIn("clients 4,096 a connection each: 5,296 files", growth_page.body(results, "##", ""))

    def test_more_files_may_be_open_when_the_system_allows_it(self):
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        self.assertEqual(growth.raise_descriptor_limit(200), 256, "never lowered")
        self.assertEqual(growth.raise_descriptor_limit(300), 300)
        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE), (300, before[1]))
        if before[1] != resource.RLIM_INFINITY:
            self.assertEqual(growth.raise_descriptor_limit(before[1] + 1), before[1])

    def test_nothing_stays(self):
        before = set(self.stand_in.place.iterdir())
        self._results(growth.Cell("nodes", 3))
        self.assertEqual(self.stand_in.left(before), set())

    def test_nothing_is_made_before_it_runs(self):
        before = set(self.stand_in.place.iterdir())
        self._run(growth.Cell("nodes", 3))
        self.assertEqual(self.stand_in.left(before), set())


class CourseTests(unittest.TestCase):
    def test_an_exponent_is_that_of_the_power(self):
        for power in (0, 0.5, 1, 2):
            found = course("growth-segments-open", *((x, 3 * x**power) for x in (1, 32, 1_024)))
            self.assertAlmostEqual(found.exponent, power)

    def test_the_cost_of_a_rate_is_its_inverse(self):
        found = course("growth-clients", (1, 1_000), (4, 2_000))
        self.assertEqual(found.ratio, 0.5)
        self.assertAlmostEqual(found.exponent, -0.5)

    def test_verdicts(self):
        def verdict(power: float) -> str:
            return course("growth-segments-open", *((x, x**power) for x in (1, 32, 1_024))).verdict

        self.assertEqual(
            [verdict(power) for power in (-1, 0.01, 0.5, 1, 1.2)],
            ["it does not grow", "it does not grow", "better than linear", "linear", "worse than linear"])

    def test_opening_may_grow_in_proportion_and_an_append_not_at_all(self):
        line = [(1, 1.0), (32, 32.0), (1_024, 1_024.0)]
        self.assertTrue(course("growth-segments-open", *line).is_as_promised)
        self.assertFalse(course("growth-segments-append", *line).is_as_promised)
        self.assertFalse(course("growth-segments-open", (1, 1.0), (32, 100.0), (1_024, 9_000.0)).is_as_promised)

    def test_a_seek_may_grow_as_the_logarithm_of_the_log_s_bytes(self):
        # 2^20, 2^25 and 2^30 bytes, whether they are counted in bytes or in segments.
        bytes_ = course("growth-log-size-seek", (1 << 20, 20.0), (1 << 25, 25.0), (1 << 30, 30.0))
        segments = course("growth-segments-seek", (1, 20.0), (32, 25.0), (1_024, 30.0))
        for found in (bytes_, segments):
            self.assertAlmostEqual(found.ratio, found.figure.allowed(found.points[0][0], found.points[-1][0]))
            self.assertTrue(found.is_as_promised)
        steeper = course("growth-segments-seek", (1, 20.0), (32, 33.0), (1_024, 46.0))
        self.assertEqual(steeper.verdict, "better than linear")
        self.assertFalse(steeper.is_as_promised)
        self.assertIn("no cache of the processor", Course(steeper.figure, "cold", steeper.points).reason)
        # An append with the same figures is judged against a line that does not rise.
        self.assertFalse(course("growth-segments-append", (1, 20.0), (32, 25.0), (1_024, 31.0)).is_as_promised)

    def test_a_growth_within_the_logarithm_is_called_so(self):
        found = course("growth-log-size-seek", (1 << 20, 10.0), (20 << 30, 16.0))
        self.assertEqual(found.verdict, "no more than the logarithm of the log's bytes, 1.72 times")

    def test_a_rise_is_within_the_spread_when_rounds_of_both_ends_overlap(self):
        def rises(figure: str, low: tuple[float, ...], high: tuple[float, ...]) -> bool:
            return Course(_BY_NAME[figure], "", ((1, Spread(low)), (32, Spread(high)))).is_within_spread

        self.assertTrue(rises("growth-segments-append", (1.0, 1.0, 2.5), (2.0, 3.0, 3.0)))
        self.assertFalse(rises("growth-segments-append", (1.0, 1.0, 1.5), (2.0, 3.0, 3.0)))
        # Of a rate the dear end is the low one.
        self.assertTrue(rises("growth-clients", (900.0, 3_000.0, 3_000.0), (800.0, 1_000.0, 1_000.0)))
        self.assertFalse(rises("growth-clients", (2_000.0, 3_000.0, 3_000.0), (800.0, 1_000.0, 1_000.0)))

    def test_a_rise_behind_a_fall_is_found(self):
        found = course("growth-clients", (1, 1_000), (64, 40_000), (4_096, 10_000))
        self.assertEqual(found.verdict, "it does not grow")
        self.assertEqual(found.steepest, (64, 4_096, 4))
        self.assertFalse(found.is_as_promised)

    def test_a_sentence_has_the_ends_and_how_it_grew(self):
        self.assertEqual(
            course("growth-segments-open", (1, 2_000.0), (1_024, 4_000.0)).sentence,
            "2 ms at 1, 4 at 1,024: that is 2 times as much for 1,024 times as many segments, exponent 0.10: better than "
            "linear.")


class PageTests(unittest.TestCase):
    def test_every_plot_is_well_formed_and_nothing_leaves_it(self):
        pictures = growth_page.draw_all(grown())
        self.assertEqual(set(pictures), set(_BY_NAME))
        for name, picture in pictures.items():
            root = ElementTree.fromstring(picture.svg)
            width, height = float(root.get("width")), float(root.get("height"))
            dots = root.findall("{http://www.w3.org/2000/svg}circle")
            expected = sum(len(found.points) for found in courses(grown(), _BY_NAME[name]))
            self.assertEqual(len(dots), expected, name)
            for element in root.iter():
                for key, limit in (("x", width), ("cx", width), ("x1", width), ("y", height), ("cy", height)):
                    if (value := element.get(key)) is not None:
                        self.assertTrue(0 <= float(value) <= limit, f"{name}: {key}={value}")

    def test_a_line_rises_as_its_values_do(self):
        root = ElementTree.fromstring(growth_page.draw_all(grown())["growth-segments-seek"].svg)
        heights = [float(dot.get("cy")) for dot in root.findall("{http://www.w3.org/2000/svg}circle[@class='holdfast']")]
        # 10, 320 and 10,240: equal factors are equal distances.
        self.assertAlmostEqual(heights[0] - heights[1], heights[1] - heights[2], delta=0.2)
        self.assertGreater(heights[0] - heights[1], 20)

    def test_what_grew_more_than_it_should_is_listed_with_a_reason_or_none(self):
        text = growth_page.body(grown(), "##", "")
        listed = text.partition("## What grows more than it should, and why")[2]
        self.assertIn("- **Microseconds of one seek, by segments of 1 MiB, cold**: the cost is 1,024 times as much at "
                      "1,024 as at 1: the search itself is logarithmic;", listed)
        self.assertNotIn("overlap", listed)
        self.assertEqual(listed.count("\n- **"), 1)
        # One round at the cheap end that is as dear as those at the other.
        dear = grown()
        dear["cells"].append({"axis": "segments", "x": 1, "series": "", "round": 3, "sample": {"seek: cold": 20_000.0}})
        self.assertIn("any more. Their spreads overlap.", growth_page.body(dear, "##", ""))
        flat = growth_page.body(grown(cold={1: 10.0, 32: 10.0, 1_024: 10.0}), "##", "")
        self.assertIn("Nothing grew more than that in this run.", flat)

    def test_a_cell_that_failed_in_a_round_is_named_by_its_title_and_its_median_says_over_how_many(self):
        document = grown()
        place = {"axis": "log-size", "x": 1 << 20, "series": "", "round": 2}
        document["cells"] = [cell for cell in document["cells"] if {key: cell[key] for key in place} != place]
        document["failures"] = [place | {"reason": "no room"}]
        text = growth_page.body(document, "##", "")
        self.assertIn("- log-size 1 MiB, round 2: no room", text)
        self.assertIn("| os | 0.5 (0.5 to 0.5, n = 1) | 0.5 (0.5 to 0.5) |", text)

    def test_both_runs_stay_on_the_page_whichever_comes_last(self):
        with tempfile.TemporaryDirectory() as place:
            article = Path(place) / "Performance.md"
            growth_page.write(grown(), article)
            page.write(compared(), article)
            both = article.read_text()
            self.assertIn("promise of etcd", both)
            self.assertEqual(both.count(growth_page.SECTION.begin), 1)
            for picture in (article.parent / "Resources").iterdir():
                self.assertIn(f"](Resources/{picture.name})", both)
            growth_page.write(grown(cold={1: 10.0, 32: 10.0, 1_024: 10.0}), article)
            renewed = article.read_text()
            self.assertIn("promise of etcd", renewed)
            self.assertIn("Nothing grew more", renewed)
            self.assertEqual(renewed.count("## Growth\n"), 1)
            page.write(compared(), article)
            self.assertEqual(article.read_text(), renewed)

    def test_an_article_whose_marks_are_no_pair_is_left_as_it_is(self):
        with tempfile.TemporaryDirectory() as place:
            article = Path(place) / "Performance.md"
            article.write_text(f"# Performance\n\n{growth_page.SECTION.begin}\n")
            for write in (lambda: growth_page.write(grown(), article), lambda: page.write(compared(), article)):
                with self.assertRaises(Failure):
                    write()
            self.assertEqual(article.read_text(), f"# Performance\n\n{growth_page.SECTION.begin}\n")

    def test_what_failed_in_every_round_makes_no_page(self):
        document = grown()
        document["failures"] = [{"axis": "nodes", "x": 9, "series": "", "round": 1, "reason": "no"}]
        with tempfile.TemporaryDirectory() as place:
            with self.assertRaisesRegex(Failure, "nodes 9 failed in every round"):
                growth_page.write(document, Path(place) / "Performance.md")
            self.assertEqual(list(Path(place).iterdir()), [])

    def test_a_growth_json_is_reported_once_more(self):
        with tempfile.TemporaryDirectory() as place:
            root = Path(place)
            (root / "growth.json").write_text(json.dumps(grown()))
            arguments = ["bench", "--from", str(root / "growth.json"), "--out", str(root / "out"), "--page",
                         str(root / "Performance.md")]
            with mock.patch("sys.argv", arguments), contextlib.redirect_stdout(io.StringIO()) as said:
                self.assertEqual(main(), 0)
            self.assertIn("# Growth", said.getvalue())
            self.assertIn("## Growth", (root / "Performance.md").read_text())
            self.assertFalse((root / "out" / "results.json").exists())


if __name__ == "__main__":
    unittest.main()
