import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from socket import create_server

from benchmark import nats
from benchmark.failure import Failure
from benchmark.meter import Meter
from benchmark.processes import Server, run, usage, wait_until

_SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


class ServerTests(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)
        self.addCleanup(Server.kill_all)
        self.directory = Path(self.place.name)

    def _server(self, *argv: str) -> Server:
        return Server("a server", list(argv), self.directory / "log", cwd=self.directory)

    def test_a_server_that_was_killed_starts_again_and_writes_on(self):
        server = self._server("sh", "-c", "echo begun; exec sleep 600")
        log = self.directory / "log"
        server.start()
        wait_until("it said so", lambda: log.read_text() == "begun\n")
        server.kill()
        self.assertFalse(server.is_alive)
        server.start()
        wait_until("it said so again", lambda: log.read_text() == "begun\nbegun\n")
        self.assertIn(server, Server.running)
        self.assertEqual(server.last_words(), "begun | begun")
        Server.kill_all()
        self.assertFalse(server.is_alive)
        self.assertEqual(Server.running, set())

    def test_nothing_outlives_the_program_that_started_it(self):
        script = (
            "import sys, time; from pathlib import Path; from benchmark.processes import Server\n"
            "server = Server('s', ['sleep', '600'], Path(sys.argv[1]), cwd=Path('/'))\n"
            "server.start(); print(server.pid, flush=True); time.sleep(600)")
        parent = subprocess.Popen(
            [sys.executable, "-c", script, str(self.directory / "child")], stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, PYTHONPATH=str(_SCRIPTS)))
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        parent.stdout.close()
        wait_until("the child is gone", lambda: not _runs(child), seconds=10)

    def test_a_tree_s_use_is_counted_whole(self):
        worker = "a = bytearray(40 << 20)\nwhile True: pass"
        parent = f"import subprocess as s, sys; p = s.Popen([sys.executable, '-c', {worker!r}]); print(p.pid, flush=True); p.wait()"
        server = self._server(sys.executable, "-c", parent)
        server.start()
        wait_until("a child works and holds memory", lambda: usage([server.pid]).memory_bytes > 40 << 20)
        before = usage([server.pid]).processor_seconds
        wait_until("its time counts", lambda: usage([server.pid]).processor_seconds > before + 0.05)
        child = int((self.directory / "log").read_text())
        server.kill()
        wait_until("the child is gone, too", lambda: not _runs(child), seconds=10)

    def test_a_process_that_is_gone_uses_nothing(self):
        self.assertEqual(usage([2**22 + 1]).memory_bytes, 0)


    def test_what_a_server_leaves_when_it_is_killed_it_removes_when_it_is_asked_to_end_at_once(self):
        left = self.directory / "left"
        script = f"trap 'rm {left}; exit' QUIT; touch {left}; echo begun; while :; do sleep 0.01; done"
        server = Server(
            "a server", ["sh", "-c", script], self.directory / "log", cwd=self.directory, kill=signal.SIGQUIT)
        # As in what a script starts in its background.
        before = signal.signal(signal.SIGQUIT, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGQUIT, before)
        server.start()
        wait_until("it said so", lambda: server.last_words() == "begun")
        Server.kill_all()
        self.assertFalse(server.is_alive)
        self.assertFalse(left.exists())


class MeterTests(unittest.TestCase):
    def test_what_is_used_between_the_edges_counts_and_nothing_else(self):
        worker = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        self.addCleanup(worker.wait)
        self.addCleanup(worker.kill)
        meter = Meter([worker.pid])
        self.assertTrue(meter.heard("measuring", 1))
        busy = usage([worker.pid]).processor_seconds
        wait_until("it used the processor", lambda: usage([worker.pid]).processor_seconds > busy + 0.05)
        self.assertTrue(meter.heard("measured", 1))
        self.assertFalse(meter.heard("Error: no", 1))
        cores = meter.cores
        self.assertGreater(cores, 0)
        worker.kill()
        worker.wait()
        self.assertEqual(meter.sample["server_cores"], cores)

    def test_a_load_that_never_measured_has_no_figure(self):
        meter = Meter([])
        meter.heard("measuring", 1)
        with self.assertRaisesRegex(Failure, "did not say when it measured"):
            _ = meter.sample


class RunTests(unittest.TestCase):
    def test_a_program_s_output_and_time_are_told(self):
        done = run(["sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo done"], seconds_max=60)
        self.assertEqual(done.out, "done\n")
        self.assertGreater(done.processor_seconds, 0)

    def test_a_program_that_fails_says_why(self):
        with self.assertRaisesRegex(Failure, "ended with 3: it broke"):
            run(["sh", "-c", "echo it broke >&2; exit 3"], seconds_max=60)

    def test_a_program_that_does_not_end_is_ended(self):
        with self.assertRaisesRegex(Failure, "did not end"):
            run(["sleep", "600"], seconds_max=0.05)

    def test_a_program_that_does_not_end_may_end_what_it_started(self):
        script = "trap 'echo ended >\"$0\"; exit' TERM; echo begun >\"$0\"; while :; do sleep 0.01; done"
        with tempfile.TemporaryDirectory() as place:
            said = Path(place) / "said"
            with self.assertRaisesRegex(Failure, "did not end"):
                run(["sh", "-c", script, str(said)], seconds_max=2)
            self.assertEqual(said.read_text(), "ended\n")

    def test_what_a_program_says_is_heard_as_it_comes_and_is_no_complaint(self):
        heard = []

        def told(line: str, pid: int) -> bool:
            heard.append((line, pid))
            if line == "measuring":
                os.kill(pid, signal.SIGUSR1)
            return line == "measuring"

        # It ends because it was heard.
        script = "trap 'echo it broke >&2; exit 3' USR1; echo measuring >&2; while :; do sleep 0.01; done"
        with self.assertRaises(Failure) as failed:
            run(["sh", "-c", script], seconds_max=60, told=told)
        self.assertTrue(str(failed.exception).endswith("ended with 3: it broke"))
        self.assertEqual([line for line, _ in heard], ["measuring", "it broke"])

    def test_what_it_started_ends_with_a_program_that_does_not_end(self):
        with tempfile.TemporaryDirectory() as place:
            child = Path(place) / "child"
            with self.assertRaisesRegex(Failure, "did not end"):
                run(["sh", "-c", 'sleep 600 >/dev/null 2>&1 & echo $! >"$0"; wait', str(child)], seconds_max=2)
            wait_until("the child is gone", lambda: not _runs(int(child.read_text())), seconds=10)

    def test_waiting_in_vain_says_what_for_and_why(self):
        def fails():
            raise OSError("nobody listens")

        with self.assertRaisesRegex(Failure, "until it answers: nobody listens"):
            wait_until("it answers", fails, seconds=0.02)


class InterruptionTests(unittest.TestCase):
    def test_the_first_order_is_obeyed_and_later_ones_leave_ending_alone(self):
        script = (
            "import os, signal\nfrom benchmark import interruption\ninterruption.obey()\n"
            "try:\n    os.kill(os.getpid(), signal.SIGHUP); signal.pause()\n"
            "except KeyboardInterrupt:\n    [os.kill(os.getpid(), number) for number in interruption.SIGNALS]\n"
            "    print('ended')")
        done = run(
            ["env", f"PYTHONPATH={_SCRIPTS}", "PYTHONDONTWRITEBYTECODE=1", sys.executable, "-c", script], seconds_max=60)
        self.assertEqual(done.out, "ended\n")


class NATSRequestTests(unittest.TestCase):
    def _asked(self, answer: bytes) -> dict:
        with create_server(("127.0.0.1", 0)) as listener:
            def serve():
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(b"INFO {}\r\n")
                    received = b""
                    while b"{}" not in received.partition(b"PUB")[2]:
                        received += connection.recv(4096)
                    connection.sendall(answer)

            thread = threading.Thread(target=serve)
            thread.start()
            try:
                return nats.request(f"127.0.0.1:{listener.getsockname()[1]}", "$JS.API.INFO", {})
            finally:
                thread.join()

    def test_an_answer_is_a_message_behind_whatever_else_comes(self):
        self.assertEqual(self._asked(b'PING\r\n+OK\r\nMSG _INBOX.bench 1 9\r\n{"a": 1 }\r\n'), {"a": 1})

    def test_a_refusal_and_an_end_are_no_answers(self):
        with self.assertRaisesRegex(ValueError, "Permissions"):
            self._asked(b"-ERR 'Permissions Violation'\r\n")
        with self.assertRaisesRegex(ValueError, "closed"):
            self._asked(b"")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    unittest.main()
