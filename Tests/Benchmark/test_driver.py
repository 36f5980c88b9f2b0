"""The driver itself, against its servers that keep nothing."""

import json
import os
import socket
import tempfile
import unittest
from pathlib import Path

from benchmark.ceiling import NullServers
from benchmark.driver import Driver
from benchmark.failure import Failure
from benchmark.growth import raise_descriptor_limit
from benchmark.meter import Meter
from benchmark.plan import Append, Ceiling, Failover, Silence
from benchmark.processes import Server, run, wait_until

_BUILD = Path(__file__).resolve().parents[2] / ".build"


def _program() -> Path | None:
    names = [Path(os.environ["PEER_BENCH"])] if "PEER_BENCH" in os.environ else []
    names += [_BUILD / "debug" / "peer-bench", _BUILD / "release" / "peer-bench"]
    return next((name for name in names if os.access(name, os.X_OK)), None)


def _free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody has."""
    for base in range(23_000, 31_000, count):
        try:
            for port in range(base, base + count):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
    raise unittest.SkipTest("no ports are free")


class _Killer(Meter):
    """Kills a server as soon as it is measured."""

    def __init__(self, server: Server) -> None:
        super().__init__([])
        self._server = server

    def heard(self, line: str, pid: int) -> bool:
        if line == "measuring":
            self._server.kill()
        return super().heard(line, pid)


@unittest.skipUnless(_program(), "peer-bench is not built: swift build --product peer-bench")
class DriverTests(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.addCleanup(Server.kill_all)
        self.directory = Path(place.name)
        self.driver = Driver(_program(), duration_ms=150, warm_up_ms=20)

    def _null(self, base_port: int, *systems: str) -> NullServers:
        directory = self.directory / str(base_port)
        directory.mkdir(exist_ok=True)
        null = NullServers(directory, base_port, self.driver, systems)
        null.start()
        return null

    def test_every_protocol_is_acknowledged_in_every_way(self):
        null = self._null(_free_ports(3), "holdfast", "etcd", "nats")
        works = {
            "holdfast": [Append(4, 100), Append(1, 100, in_flight=16), Append(2, 100, batch=10)],
            "etcd": [Append(4, 100), Append(1, 1_024, in_flight=16), Append(2, 100, batch=10)],
            "nats": [Append(4, 100), Append(1, 1_024, in_flight=16)],
        }
        for system, list_ in works.items():
            for work in list_:
                with self.subTest(system=system, work=work.title):
                    meter = Meter([null.servers[system].pid])
                    sample = self.driver.append(system, work, null.addresses[system], meter)
                    self.assertEqual(sample["failures"], 0, sample)
                    self.assertGreater(sample["records_per_second"], 0)
                    latency = sample["latency"]
                    self.assertLessEqual(latency["p50_us"], latency["p99_us"])
                    self.assertLessEqual(latency["p99_us"], latency["max_us"])
                    self.assertGreater(sample["driver_cores"], 0)
                    self.assertGreater(meter.sample["server_memory_bytes"], 0)

    def test_hundreds_of_callers_have_a_connection_each(self):
        if raise_descriptor_limit(1_024) < 1_024:
            self.skipTest("too few files may be open: ulimit -Hn")
        null = self._null(_free_ports(3), "holdfast")
        sample = json.loads(run(
            [str(_program()), "append", "--system", "holdfast", "--server", null.addresses["holdfast"], "--clients", "600",
             "--connections", "600", "--duration", "500"], seconds_max=60).out)
        self.assertEqual(sample["failures"], 0, sample)
        self.assertGreater(sample["records_per_second"], 0)

    def test_a_ceiling_is_what_a_null_server_gives(self):
        null = self._null(_free_ports(3), "etcd")
        self.assertEqual(list(null.addresses), ["etcd"])
        self.assertGreater(null.measure("etcd", Ceiling(2, 100))["records_per_second"], 0)

    def test_a_load_ends_with_its_records(self):
        null = self._null(_free_ports(3), "nats")
        # Its own time-out is ten minutes: it returns because the records are there.
        self.assertEqual(self.driver.fill("nats", null.addresses["nats"], records=64, size=1_024), 64 << 10)

    def test_a_rate_of_so_many_records_is_over_the_time_that_they_took(self):
        null = self._null(_free_ports(3), "nats")
        done = run(
            [str(_program()), "append", "--system", "nats", "--server", null.addresses["nats"], "--clients", "2",
             "--records", "400", "--duration", "600000", "--warm-up", "0"], seconds_max=60)
        sample = json.loads(done.out)
        self.assertEqual(sample["acknowledged"], 400)
        # Nothing takes longer than the program that did it.
        self.assertGreaterEqual(sample["records_per_second"], 400 / done.seconds)

    def test_sessions_that_cannot_be_opened_say_so(self):
        sample = self.driver.append("holdfast", Append(2, 100, batch=10), f"127.0.0.1:{_free_ports(1)}", Meter([]))
        self.assertEqual(sample["failures"], 2)
        self.assertIn("a session was not opened: ", sample["failure"])

    def test_appends_that_fail_are_counted_in_every_way(self):
        works = {
            "holdfast": [Append(4, 100), Append(1, 100, in_flight=16)], "etcd": [Append(4, 100)], "nats": [Append(4, 100)]}
        # Long enough that a busy machine hears of its beginning before its end.
        driver = Driver(_program(), duration_ms=1_000, warm_up_ms=20)
        for system, list_ in works.items():
            for work in list_:
                with self.subTest(system=system, work=work.title):
                    null = self._null(_free_ports(3), system)
                    sample = driver.append(system, work, null.addresses[system], _Killer(null.servers[system]))
                    self.assertGreater(sample["failures"], 0, sample)
                    self.assertTrue(sample["failure"])

    def test_a_silent_leader_is_noticed_by_its_silence(self):
        for system in ("holdfast", "etcd", "nats"):
            with self.subTest(system=system):
                base = _free_ports(6)
                leader, other = self._null(base, system), self._null(base + 3, system)
                sample = self.driver.failover(
                    system, Silence(), [leader.addresses[system], other.addresses[system]], leader.servers[system].pid)
                self.assertTrue(leader.servers[system].is_alive)
                self.assertGreaterEqual(sample["gap_ms"], Silence().timeout_ms)
                self.assertGreaterEqual(sample["timed_out"], 1)
                Server.kill_all()

    def test_a_failover_kills_the_leader_and_goes_on_elsewhere(self):
        for system in ("holdfast", "etcd", "nats"):
            with self.subTest(system=system):
                base = _free_ports(6)
                leader, other = self._null(base, system), self._null(base + 3, system)
                sample = self.driver.failover(
                    system, Failover(), [leader.addresses[system], other.addresses[system]],
                    leader.servers[system].pid)
                wait_until("the leader is gone", lambda leader=leader: not leader.servers[system].is_alive)
                self.assertTrue(other.servers[system].is_alive)
                self.assertGreater(sample["acknowledged"], 100)
                self.assertGreater(sample["gap_ms"], 0)
                self.assertGreaterEqual(sample["refused"] + sample["timed_out"], 1)
                Server.kill_all()

    def test_a_server_that_is_not_there_is_a_failure(self):
        port = _free_ports(1)
        with self.assertRaises(Failure):
            self.driver.append("etcd", Append(1, 100), f"127.0.0.1:{port}", Meter([]))

    def test_what_a_system_cannot_do_is_refused(self):
        for arguments in (["--system", "nats", "--batch", "2"], ["--system", "etcd", "--session"],
                          ["--system", "etcd", "--clients", "0"],
                          ["--system", "holdfast", "--session", "--clients", "257"]):
            with self.assertRaisesRegex(Failure, "ended with 64"):
                run([str(_program()), "append", "--server", "127.0.0.1:1", *arguments], seconds_max=30)


if __name__ == "__main__":
    unittest.main()
