"""How a goals run is planned and measured (its program is stood in for), and put on the page."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import sample_goals as sample
from benchmark import goals, goals_page, growth_page, page
from benchmark.__main__ import main
from benchmark.failure import Failure
from benchmark.goals_figures import GOALS, Outcome, judged
from sample_run import results as compared
from stand_in import StandIn
from test_growth import grown


class PlanTests(unittest.TestCase):
    def test_every_goal_is_about_something_that_every_one_of_its_cells_measures(self):
        measured = {cell["cell"]: set(cell["sample"]) for cell in sample.reached()["cells"]}
        for goal in GOALS:
            for cell in goal.cells:
                self.assertIn(goal.key, measured[cell], goal.work)
                if goal.beside:
                    self.assertIn(goal.beside[0], measured[cell], goal.work)

    def test_every_cell_is_of_use_to_a_goal(self):
        self.assertEqual({cell for goal in GOALS for cell in goal.cells}, {cell.name for cell in goals.full().cells})

    def test_a_run_takes_less_than_ten_minutes_and_kills_a_hundred_leaders(self):
        plan = goals.full()
        rounds = {cell.name: min(plan.rounds, cell.rounds_max) for cell in plan.cells}
        self.assertLess(sum(cell.seconds * rounds[cell.name] for cell in plan.cells), 600)
        self.assertEqual(rounds["failover"] * 20, 100)
        self.assertIn("--kills 20", next(cell for cell in plan.cells if cell.name == "failover").commands[0])

    def test_a_smoke_run_has_every_cell_once_and_less_of_everything(self):
        small = goals.full().scaled_down()
        self.assertEqual([cell.name for cell in small.cells], [cell.name for cell in goals.full().cells])
        said = " ".join(command for cell in small.cells for command in cell.commands)
        for much in ("--duration 1s", "--size 1GiB", "--kills 20", "256MiB", "10GiB"):
            self.assertNotIn(much, said)
        # The size of a record is what a goal is about.
        self.assertIn("--size 256KiB", said)


class RunTests(unittest.TestCase):
    def setUp(self):
        self.stand_in = StandIn(self)
        for cell in goals.full().cells:
            for command, answer in zip(cell.commands, sample.ANSWERS.get(cell.name, ())):
                self.stand_in.answers(command, answer)

    def _results(self, plan: goals.GoalsPlan) -> dict:
        with contextlib.redirect_stderr(io.StringIO()) as said, mock.patch.object(goals, "settle"), \
                mock.patch.object(goals.disk_writers, "bytes_per_second", return_value=500e6), \
                mock.patch.object(goals.DiskProbe, "microseconds", return_value=80.0), \
                mock.patch.object(goals.GoalsRun, "_idle", return_value={"cores": 0.005}):
            results = goals.GoalsRun(plan, self.stand_in.program, self.stand_in.place, 22_400).run()
        self.said = said.getvalue()
        return results

    def _plan(self, *names: str, rounds: int = 1) -> goals.GoalsPlan:
        return goals.GoalsPlan(rounds, 1, tuple(cell for cell in goals.full().cells if cell.name in names or not names))

    def test_what_programs_answer_is_held_against_every_goal(self):
        results = self._results(self._plan(rounds=5))
        self.assertEqual(results["failures"], [])
        self.assertEqual([reached.outcome for reached in judged(results)], [Outcome.MET] * len(GOALS))
        self.assertEqual([cell["round"] for cell in results["cells"] if cell["cell"] == "catch-up"], [1, 2, 3])
        self.assertIn("100%, 0 min left] round 5: holdfast: idle: cores 0.005", self.said)

    def test_programs_get_a_place_and_one_run_each(self):
        self._results(self._plan("read", "quorum append", "failover"))
        _, read, append, failover = self.stand_in.calls
        self.assertRegex(read, r"^bench log read .* --dir \S+ --runs 1 -o json$")
        self.assertRegex(append, r"^bench append .* --data-dir \S+/data --runs 1 -o json$")
        self.assertRegex(failover, r"^bench failover --kills 20 --data-dir \S+/data -o json$")

    def test_the_commands_of_a_cell_turn_round(self):
        results = self._results(self._plan("JSON lines", rounds=2))
        order = [line.split(" --compression ")[1].split()[0] for line in self.stand_in.calls[1:]]
        self.assertEqual(order, ["auto", "never", "always", "always", "never", "auto"])
        self.assertEqual([cell["sample"]["auto_in_never"] for cell in results["cells"]], [0.95, 0.95])

    def test_a_cell_that_fails_is_named_and_the_run_goes_on(self):
        self.stand_in.answers("bench log read --clients 1,2 --log-size 256MiB", None)
        self.stand_in.answers("bench append --clients 64 --duration 1s", {"rows": [], "details": []})
        results = self._results(self._plan("read", "64 connections", "session"))
        self.assertEqual([cell["cell"] for cell in results["cells"]], ["session"])
        reasons = {failure["cell"]: failure["reason"] for failure in results["failures"]}
        self.assertIn("no room", reasons["read"])
        self.assertIn("not as expected: IndexError", reasons["64 connections"])

    def test_nothing_stays(self):
        before = set(self.stand_in.place.iterdir())
        self._results(self._plan("session"))
        self.assertEqual(self.stand_in.left(before), set())

    def test_nothing_is_made_before_it_runs(self):
        before = set(self.stand_in.place.iterdir())
        goals.GoalsRun(self._plan("session"), self.stand_in.program, self.stand_in.place, 22_400)
        self.assertEqual(self.stand_in.left(before), set())


class PageTests(unittest.TestCase):
    def test_every_goal_is_a_row_with_its_command(self):
        text = goals_page.body(sample.reached(), "##")
        rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
        self.assertEqual(len(rows), len(GOALS))
        for row, goal in zip(rows, GOALS):
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            self.assertEqual((cells[0], cells[1], cells[3], len(cells)), (goal.work, goal.wording, "yes", 5))
            self.assertTrue(cells[2] and cells[4], row)
        self.assertIn(
            f"Of {len(GOALS)} figures {len(GOALS)} are met, 0 within the spread, 0 missed, 0 unknown, 0 not measured.", text)

    def test_a_figure_has_its_unit_its_spread_and_what_stands_beside(self):
        text = goals_page.body(sample.reached(), "##")
        for said in (
                "| 3,000,000/s (3,000,000 to 3,000,000) |", "| 0.3 ms (0.3 to 0.3); without rotation 0.2 ms |",
                "| 4 GB/s (4 to 4) |", "| 14.5 ms (5 to 24), 100 gaps |", "| 24 ms (5 to 24), 100 gaps |",
                "| 80 % (80 to 80); the disk, each of three 500 MB/s |", "| 0 (0 to 0) |", "| 60 MiB (60 to 60) |",
                "`holdfast bench log append --policy os --clients 1 --duration 1s`",
                "--data json --duration 1s --compression auto`, and `never`, and `always` |", "20 % (20 to 20); `auto` here 70 %",
                "| the most of these: quorum append; 64 callers over 8 connections; "):
            self.assertIn(said, text)

    def test_failed_cells_are_listed_in_a_line_each(self):
        results = sample.reached(idle=[])
        results["failures"] = [{"cell": "idle", "round": 2, "reason": "waited | in vain\n  next: wait"}]
        text = goals_page.body(results, "##")
        self.assertIn("## Goal cells that failed\n\n- idle, round 2: waited / in vain next: wait", text)
        self.assertIn("|  | not measured: waited / in vain next: wait |", text)

    def test_a_row_of_which_rounds_failed_is_not_called_met(self):
        results = sample.reached()
        results["cells"] = [cell for cell in results["cells"] if (cell["cell"], cell["round"]) != ("idle", 4)]
        results["failures"] = [{"cell": "idle", "round": 4, "reason": "waited | in vain"}]
        text = goals_page.body(results, "##")
        self.assertIn("| 0.5 % of a core (0.5 to 0.5) | unknown: 1 of 5 rounds failed: waited / in vain |", text)
        self.assertIn(f"{len(GOALS) - 1} are met, 0 within the spread, 0 missed, 1 unknown, 0 not measured.", text)

    def test_every_run_leaves_the_sections_of_the_others_alone(self):
        with tempfile.TemporaryDirectory() as place:
            article = Path(place) / "Performance.md"
            goals_page.write(sample.reached(), article)
            growth_page.write(grown(), article)
            with goals_page.kept(article):
                page.write(compared(), article)
            text = article.read_text()
            for once in ("promise of etcd", "\n## Growth\n", "\n## Goals\n", goals_page.SECTION.begin, growth_page.SECTION.begin):
                self.assertEqual(text.count(once), 1, once)
            slow = sample.reached(local_append__os=[{"records_per_second": 1e6}])
            goals_page.write(slow, article)
            renewed = article.read_text()
            self.assertEqual(renewed.count("\n## Goals\n"), 1)
            self.assertIn("1,000,000/s", renewed)
            self.assertEqual(
                renewed.replace(goals_page.SECTION.found(renewed, ""), ""), text.replace(goals_page.SECTION.found(text, ""), ""))

    def test_an_article_whose_marks_are_no_pair_is_left_as_it_is(self):
        with tempfile.TemporaryDirectory() as place:
            article = Path(place) / "Performance.md"
            broken = f"# Performance\n\n{goals_page.SECTION.end}\n{goals_page.SECTION.begin}\n"
            article.write_text(broken)
            with self.assertRaisesRegex(Failure, "Performance.md has not the lines"):
                goals_page.write(sample.reached(), article)
            with self.assertRaises(Failure), goals_page.kept(article):
                article.write_text("")
            self.assertEqual(article.read_text(), broken)

    def test_a_smoke_run_makes_no_page(self):
        with tempfile.TemporaryDirectory() as place, self.assertRaisesRegex(Failure, "measures nothing"):
            goals_page.write(sample.reached() | {"smoke": True}, Path(place) / "Performance.md")
        self.assertIn("**a smoke run**", goals_page.body(sample.reached() | {"smoke": True}, "##"))

    def test_a_goals_json_is_reported_once_more(self):
        with tempfile.TemporaryDirectory() as place:
            root = Path(place)
            (root / "goals.json").write_text(json.dumps(sample.reached()))
            arguments = ["bench", "--from", str(root / "goals.json"), "--out", str(root / "out"), "--page",
                         str(root / "Performance.md")]
            with mock.patch("sys.argv", arguments), contextlib.redirect_stdout(io.StringIO()) as said:
                self.assertEqual(main(), 0)
            self.assertIn("# Goals", said.getvalue())
            self.assertIn("## Goals", (root / "Performance.md").read_text())
            self.assertFalse((root / "out" / "results.json").exists())
            self.assertEqual(json.loads((root / "out" / "goals.json").read_text()), sample.reached())

    def test_what_does_not_go_together_is_refused(self):
        for words in (["--goals", "--quick"], ["--goals", "--growth"], ["--goals", "--systems", "etcd"],
                      ["--goals", "--smoke", "--page", "x"], ["--goals", "--rounds", "0"]):
            with mock.patch("sys.argv", ["bench", *words]), contextlib.redirect_stderr(io.StringIO()) as said:
                self.assertEqual(main(), 64, words)
            self.assertIn("at least 1" if "--rounds" in words else "goes without", said.getvalue())


if __name__ == "__main__":
    unittest.main()
