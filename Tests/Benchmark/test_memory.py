import tempfile
import unittest
from pathlib import Path
from unittest import mock

from benchmark import memory


class MemoryTests(unittest.TestCase):
    def test_as_much_as_asked_for_is_touched(self):
        self.assertEqual(memory.touch(1 << 20), 1 << 20)

    def test_half_of_what_is_available_is_the_most(self):
        with tempfile.TemporaryDirectory() as place:
            said = Path(place) / "meminfo"
            said.write_text("MemTotal:  16384 kB\nMemAvailable:  2048 kB\n")
            with mock.patch.object(memory, "_MEMINFO", said):
                self.assertEqual(memory.touch(1 << 30), 1 << 20)
            said.write_text("MemTotal:  16384 kB\n")
            with mock.patch.object(memory, "_MEMINFO", said):
                self.assertEqual(memory.touch(1 << 30), 0)


if __name__ == "__main__":
    unittest.main()
