"""That plots show what was measured, say it in words, and can be read without colours."""

import re
import unittest
from xml.etree import ElementTree

from benchmark import plots
from benchmark.bar_plot import Bar, BarPlot
from benchmark.line_plot import Line, LinePlot
from benchmark.plan import Failover, encode
from benchmark.summary import Summary
from benchmark.svg import Labels
from sample_run import results

_SVG = "{http://www.w3.org/2000/svg}"


def texts(picture) -> list[str]:
    return [element.text for element in ElementTree.fromstring(picture.svg).iter(f"{_SVG}text")]


class PlotTests(unittest.TestCase):
    def setUp(self):
        self.pictures = plots.draw_all(Summary(results()))

    def test_every_plot_is_well_formed_and_of_something(self):
        self.assertEqual(
            sorted(self.pictures),
            ["performance-appends-100", "performance-catch-up", "performance-failover", "performance-local",
             "performance-pipelined", "performance-tail"])
        for name, picture in self.pictures.items():
            root = ElementTree.fromstring(picture.svg)
            self.assertEqual(root.tag, f"{_SVG}svg", name)
            self.assertIn("prefers-color-scheme:dark", picture.svg)

    def test_a_plot_says_its_medians_to_whoever_does_not_see_it(self):
        self.assertEqual(
            self.pictures["performance-appends-100"].text,
            "Acknowledged appends per second, 100 B each, medians in records/s. "
            "1 client: Holdfast 2,000, etcd 1,000, NATS JetStream (not synced) 4,000.")
        self.assertEqual(
            self.pictures["performance-catch-up"].text,
            "Until a follower is level that was 1 GiB behind, medians in s. Holdfast 4.00; cp and sync of as many bytes 2.00.")
        self.assertIn("Holdfast 80 (60 to 900); etcd 1,400 (1,200 to 1,600).", self.pictures["performance-failover"].text)
        for picture in self.pictures.values():
            root = ElementTree.fromstring(picture.svg)
            self.assertEqual((root.get("role"), root.get("aria-label")), ("img", picture.text))
            self.assertEqual(picture.markdown("a.svg"), f"![{picture.text}](a.svg)")
            self.assertNotRegex(picture.text, r"[\[\]\n]")

    def test_bars_are_as_long_as_their_values(self):
        root = ElementTree.fromstring(self.pictures["performance-appends-100"].svg)
        bars = {
            bar.get("class"): float(bar.get("height")) for bar in root.iter(f"{_SVG}rect")
            if bar.find(f"{_SVG}title") is not None}
        self.assertAlmostEqual(bars["holdfast"] / bars["etcd"], 2, places=1)
        self.assertAlmostEqual(bars["nats"] / bars["holdfast"], 2, places=1)

    def test_every_bar_has_its_name_below_it_so_that_no_colour_is_needed(self):
        words = texts(self.pictures["performance-appends-100"])
        for name in ("Holdfast", "etcd", "NATS †", "† not synced before it is acknowledged", "records/s"):
            self.assertEqual(words.count(name), 1, name)
        # A group of one bar has it already.
        self.assertEqual(texts(self.pictures["performance-catch-up"]).count("Holdfast"), 1)

    def test_callers_of_one_process_are_called_so(self):
        self.assertIn("16 callers", texts(self.pictures["performance-local"]))

    def test_each_kill_is_a_dot(self):
        self.assertEqual(self.pictures["performance-failover"].svg.count("<circle"), 6)

    def test_each_way_to_lose_a_leader_has_a_plot(self):
        document = results()
        other = encode(Failover(timeout_ms=200))
        document["cells"].append({"work": other, "system": "holdfast", "round": 1, "sample": {"gap_ms": 400.0}})
        pictures = plots.draw_all(Summary(document))
        self.assertIn("time-out 200 ms", pictures["performance-failover-2"].text)
        self.assertIn("time-out 100 ms", pictures["performance-failover"].text)

    def test_nothing_leaves_its_picture(self):
        for name, picture in self.pictures.items():
            root = ElementTree.fromstring(picture.svg)
            width, height = float(root.get("width")), float(root.get("height"))
            for element in root.iter():
                for key, limit in (("x", width), ("cx", width), ("x1", width), ("x2", width),
                                   ("y", height), ("cy", height), ("y1", height), ("y2", height)):
                    if (value := element.get(key)) is not None:
                        self.assertTrue(0 <= float(value) <= limit, f"{name}: {key}={value}")

    def test_a_plot_of_nothing_is_no_error(self):
        self.assertIn("medians in s.", BarPlot("nothing", "s", [("none", [])]).draw().text)
        self.assertIn("0", texts(BarPlot("zero", "s", [("one", [Bar("etcd", "etcd", 0, 0, 0)])]).draw()))


class LinePlotTests(unittest.TestCase):
    def _draw(self, *lines: Line):
        return LinePlot("a cost", "µs", list(lines), "segments", lambda value: f"{value:,.0f}").draw()

    def test_both_axes_have_their_titles(self):
        words = texts(self._draw(Line("", [(1, 2.0, 1.0, 3.0), (10, 5.0, 4.0, 6.0)])))
        self.assertIn("µs", words)
        self.assertIn("segments", words)

    def test_a_second_line_differs_without_its_colour(self):
        picture = self._draw(
            Line("one", [(1, 2.0, 2.0, 2.0), (10, 5.0, 5.0, 5.0)]), Line("two", [(1, 20.0, 20.0, 20.0), (10, 50.0, 50.0, 50.0)]))
        root = ElementTree.fromstring(picture.svg)
        dashes = [element.get("stroke-dasharray") for element in root.iter(f"{_SVG}polyline")]
        # Legend, then lines.
        self.assertEqual(dashes, [None, "7 4", None, "7 4"])
        kinds = [element.get("class") for element in root.iter(f"{_SVG}circle")]
        self.assertEqual(kinds, ["holdfast", "holdfast", "etcd-line", "etcd-line"])
        self.assertEqual(picture.text, "a cost, medians in µs. one: 2 at 1, 5 at 10; two: 20 at 1, 50 at 10.")

    def test_values_that_are_all_but_equal_do_not_hide_each_other(self):
        picture = self._draw(*(
            Line(name, [(1, 2_110 + more, 2_000.0, 2_300.0), (10, 9_000.0, 9_000.0, 9_000.0)])
            for more, name in ((0, "one"), (10, "two"), (20, "three"))))
        label = r'class="small" x="([\d.]+)" y="([\d.]+)" text-anchor="middle">2\.1k'
        places = [(float(x), float(y)) for x, y in re.findall(label, picture.svg)]
        # Above the whisker, below it, and nowhere: the tooltip has the third.
        self.assertEqual(len(places), 2)
        self.assertGreater(abs(places[0][1] - places[1][1]), 11)
        self.assertEqual(picture.svg.count("2.1k (2k to 2.3k)"), 3)

    def test_a_label_is_placed_where_it_is_free(self):
        labels = Labels(100)
        self.assertIn('y="50.0"', labels.place("123", 40, 50, 80))
        self.assertIn('y="80.0"', labels.place("123", 45, 50, 80))
        self.assertEqual(labels.place("123", 50, 50, 80), "")
        self.assertIn('y="50.0"', labels.place("123", 80, 50, 80))
        self.assertEqual(labels.place("123", 200, 101), "")


if __name__ == "__main__":
    unittest.main()
