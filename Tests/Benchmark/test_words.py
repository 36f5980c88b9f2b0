"""How figures and commands are written."""

import unittest

from benchmark import words
from benchmark.summary import Spread


class FigureTests(unittest.TestCase):
    def test_a_small_ratio_is_not_nothing(self):
        self.assertEqual([words.times(ratio) for ratio in (0.04, 0.5, 3.21, 17.4, None)],
                         ["0.04 x", "0.5 x", "3.2 x", "17 x", ""])

    def test_three_digits_count(self):
        self.assertEqual([words.three_digits(value) for value in (0.04567, 4.567, 45.67, 4_567.8)],
                         ["0.0457", "4.57", "45.7", "4,568"])

    def test_the_worst_is_the_most_of_all_rounds(self):
        self.assertEqual(words.worst_milliseconds(Spread((1_000.0, 9_000.0, 2_000.0))), "9.00")
        self.assertEqual(words.milliseconds(Spread((1_000.0, 9_000.0, 2_000.0))), "2.00")

    def test_what_was_not_measured_is_empty(self):
        for write in (words.milliseconds, words.worst_milliseconds, words.decimal, words.whole, words.mebibytes, words.range_of):
            self.assertEqual(write(None), "")


class CommandTests(unittest.TestCase):
    def test_a_command_is_as_it_was_given_but_for_paths(self):
        argv = ["--quick", "--dir", "/mnt/disk", "--rounds", "7", "--page=/home/me/Performance.md", "--out", "/tmp/x"]
        self.assertEqual(
            words.command_line({"argv": argv}, "never"),
            "- command: `scripts/bench --quick --dir DIR --rounds 7 --page FILE`")
        self.assertEqual(words.command_line({"argv": []}, "never"), "- command: `scripts/bench`")

    def test_a_run_that_did_not_note_it_has_the_command_of_its_plan(self):
        self.assertEqual(words.command_line({}, "scripts/bench --growth"), "- command: `scripts/bench --growth`")


if __name__ == "__main__":
    unittest.main()
