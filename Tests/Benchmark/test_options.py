"""What is refused before anything is built, installed or started."""

import contextlib
import io
import shutil
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from benchmark import __main__ as program
from benchmark.rounds import PORT_COUNT

_BENCH = Path(__file__).resolve().parents[2] / "scripts" / "bench"


class OptionTests(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.directory = Path(place.name)
        self.directory.chmod(0o755)

    def _main(self, *arguments: str) -> tuple[int, str]:
        said = io.StringIO()
        argv = ["bench", "--check", "--dir", str(self.directory), *arguments]
        with (mock.patch("sys.argv", argv), mock.patch.object(program.interruption, "obey"),
              mock.patch.object(shutil, "disk_usage", return_value=mock.Mock(free=64 << 30)),
              contextlib.redirect_stderr(said)):
            return program.main(), said.getvalue()

    def test_what_cannot_be_done_is_refused(self):
        cases = {
            ("--qick",): "unrecognized arguments: --qick", ("--rounds", "0"): "at least 1",
            ("--systems", "etcd,mysql"): "no system mysql", ("--systems", ""): "no system",
            ("--growth", "--base-port", "30000"): "without --quick, --systems and --base-port",
            ("--growth", "--quick"): "without --quick", ("--growth", "--systems", "holdfast"): "without --quick",
            ("--base-port", "65500"): "--base-port must be", ("--dir", "/nowhere"): "is no directory",
            ("--goals", "--base-port", "65530"): "--base-port must be 1024 to 65506",
            ("--goals", "--base-port", "0"): "--base-port must be", ("--goals", "--dir", "/nowhere"): "is no directory",
            ("--only", ""): "--only goes with --growth", ("--growth", "--only", ""): "nothing that grows here",
        }
        for arguments, words in cases.items():
            with self.subTest(arguments=arguments):
                code, said = self._main(*arguments)
                self.assertEqual(code, 64)
                self.assertIn(words, said)

    def test_a_port_that_is_taken_is_named(self):
        for base in range(34_000, 60_000, PORT_COUNT):
            with contextlib.suppress(OSError), socket.socket() as taken:
                taken.bind(("127.0.0.1", base))
                taken.listen()
                for arguments in ([], ["--goals"]):
                    code, said = self._main("--base-port", str(base), *arguments)
                    self.assertEqual(code, 1)
                    self.assertIn(f"port {base} is in use", said)
                return
        self.fail("no port could be taken")

    def test_what_the_user_gave_is_kept_apart_from_what_the_script_adds(self):
        with mock.patch("sys.argv", ["bench", "--given", "3", "--readme", "README.md", "--quick", "--rounds", "2"]):
            self.assertEqual(program._arguments().argv, ["--quick", "--rounds", "2"])
        with mock.patch("sys.argv", ["bench", "--given", "0", "--readme", "README.md"]):
            self.assertEqual(program._arguments().argv, [])

    def test_a_slip_of_the_pen_builds_nothing(self):
        # Nothing that builds is on its PATH.
        done = subprocess.run(
            [_BENCH, "--qick"], env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere"}, capture_output=True, text=True, timeout=60,
            check=False)
        self.assertEqual((done.returncode, done.stdout), (64, ""))
        self.assertIn("--qick", done.stderr)


if __name__ == "__main__":
    unittest.main()
