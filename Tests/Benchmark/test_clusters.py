"""What is the same for all clusters, of processes that sleep; and how each system is asked what it has."""

import contextlib
import os
import struct
import tempfile
import threading
import unittest
from pathlib import Path
from socket import create_server
from unittest import mock

from benchmark import holdfast, nats, postgresql
from benchmark.cluster import Cluster, Description
from benchmark.failure import Failure
from benchmark.meter import Meter
from benchmark.pgbench import Window, summarize
from benchmark.plan import CatchUp, Failover, Silence
from benchmark.postgresql_session import Session
from benchmark.processes import Server, wait_until
from benchmark.summary import percentile


class Driver:
    """Does nothing, or fails."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.servers: list[str] = []

    def failover(self, system: str, work: object, servers: list[str], leader: int) -> dict:
        self.servers = servers
        if self.error:
            raise self.error
        return {"gap_ms": 1.0}

    def fill(self, system: str, server: str, *, records: int, size: int) -> int:
        return (records - 1) * size


class Sleepers(Cluster):
    """Three processes; the second one leads."""

    system = "etcd"

    def describe(self) -> Description:
        return Description("1", "nothing", "none", True, "it sleeps")

    def prepare(self) -> list[Server]:
        return [
            Server(f"n{node + 1}", ["sh", "-c", "echo begun; exec sleep 600"], self.directory / f"{node}.log",
                   cwd=self.directory) for node in range(3)]

    def client(self, node: int) -> str:
        return f"n{node + 1}"

    def leader(self) -> int:
        return 1

    def progress(self, node: int) -> int:
        return 7


class ClusterTests(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.addCleanup(Server.kill_all)
        self.driver = Driver()
        self.cluster = Sleepers(Path(place.name) / "cluster", 0, self.driver)
        self.cluster.start()
        self._all_said("begun")

    def _all_said(self, words: str) -> None:
        for server in self.cluster.servers:
            wait_until(f"{server.name} said so", lambda server=server: server.last_words().endswith(words))

    def test_a_leader_that_was_struck_is_another_process_afterwards(self):
        for work in (Failover(), Silence()):
            before = self.cluster.pids
            self.assertEqual(self.cluster.failover(work), {"gap_ms": 1.0})
            self.assertEqual(self.driver.servers, ["n2", "n3", "n1"])
            after = self.cluster.pids
            self.assertEqual([old == new for old, new in zip(before, after, strict=True)], [True, False, True])

    def test_a_failover_that_fails_spoils_no_later_one(self):
        before = self.cluster.pids
        self.driver.error = Failure("no acknowledgement in a minute")
        with self.assertRaisesRegex(Failure, "in a minute"):
            self.cluster.failover(Failover())
        self.assertEqual(len(self.cluster.pids), 3)
        self.assertNotEqual(self.cluster.pids[1], before[1])

    def test_a_failover_that_fails_says_why_also_when_the_node_does_not_come_back(self):
        self.driver.error = Failure("no acknowledgement in a minute")
        with mock.patch.object(self.cluster, "start_node", side_effect=OSError("no room")), \
                self.assertRaises(Failure) as raised:
            self.cluster.failover(Failover())
        self.assertEqual(str(raised.exception), "no acknowledgement in a minute; no room")
        self.driver.error = None
        with mock.patch.object(self.cluster, "start_node", side_effect=OSError("no room")), \
                self.assertRaisesRegex(OSError, "^no room$"):
            self.cluster.failover(Failover())

    def test_nodes_that_ended_are_told_and_start_again(self):
        self.assertEqual(self.cluster.revive(), [])
        self.cluster.servers[0].kill()
        self.assertEqual(self.cluster.revive(), ["n1 ended: begun"])
        self.assertEqual(len(self.cluster.pids), 3)
        self.assertEqual(self.cluster.revive(), [])

    def test_a_node_that_ends_again_and_again_is_given_up(self):
        for _ in range(3):
            self.cluster.servers[0].kill()
            self.cluster.revive()
        self.cluster.servers[0].kill()
        with self.assertRaisesRegex(Failure, "in vain"):
            self.cluster.revive()

    def test_what_was_acknowledged_is_what_was_caught_up(self):
        ready = []
        sample = self.cluster.catch_up(CatchUp(4 << 20, 1 << 20), lambda: ready.append(len(self.cluster.pids)))
        self.assertEqual(ready, [2])
        self.assertEqual(sample["bytes"], 3 << 20)
        self.assertAlmostEqual(sample["bytes_per_second"] * sample["seconds"], 3 << 20, delta=1)


class ProgressTests(unittest.TestCase):
    def test_holdfast_s_positions_grow_as_the_log_does(self):
        places = [holdfast.place(position) for position in ("0:64", "0:4294967295", "1:64", "12:5")]
        self.assertEqual(places, sorted(set(places)))

    def test_a_follower_of_holdfast_has_what_the_leader_knows_it_has_synced(self):
        cluster = holdfast.Holdfast(Path("/nowhere"), 1_000, None, Path("holdfast"))
        cluster.servers = [mock.Mock(is_alive=True) for _ in range(3)]
        statuses = {
            0: {"role": "follower", "ready": True},
            1: {"role": "leader", "ready": True, "commit": "1:900", "nodes": [
                {"node": 1, "persisted": "1:500"}, {"node": 2}, {"node": 3}]}}
        with mock.patch.object(cluster, "_status", side_effect=statuses.__getitem__):
            self.assertEqual(cluster.progress(1), holdfast.place("1:900"))
            self.assertEqual(cluster.progress(0), holdfast.place("1:500"))
            with self.assertRaises(KeyError):
                cluster.progress(2)

    def test_the_newest_consumer_of_nats_has_a_leader(self):
        cluster = nats.NATS(Path("/nowhere"), 1_000, None)
        streams = [
            {"consumer_detail": [{"created": "2026-01-01T00:00:05Z", "cluster": {"leader": "n1"}}]},
            {"consumer_detail": [{"created": "2026-01-01T00:00:09Z", "cluster": {"leader": "n2"}}]}, {}]
        with mock.patch.object(cluster, "_stream", side_effect=streams.__getitem__):
            self.assertEqual(cluster._consumer_leader(), "n2")
        with mock.patch.object(cluster, "_stream", return_value={}):
            self.assertIsNone(cluster._consumer_leader())


class ReachTests(unittest.TestCase):
    @unittest.skipUnless(os.geteuid() == 0, "PostgreSQL runs as whoever starts it")
    def test_a_place_that_others_cannot_enter_is_named(self):
        with tempfile.TemporaryDirectory() as place:
            inner = Path(place) / "inner"
            inner.mkdir()
            with self.assertRaisesRegex(Failure, f"{place} lets nobody but its owner in"):
                postgresql.check_reach(inner)
            os.chmod(place, 0o755)
            postgresql.check_reach(inner)


class PgbenchTests(unittest.TestCase):
    #: client, transaction, microseconds, script, seconds, microseconds: ten end in each second from 100 s through 104 s.
    LINES = [f"0 {index} {1_000 + index} 0 {100 + index // 10} {index % 10 * 100_000}" for index in range(41)]

    def test_what_ended_before_or_behind_the_window_does_not_count(self):
        sample = summarize(self.LINES, begin=101, end=103, batch=10)
        self.assertAlmostEqual(sample["records_per_second"], 100)

    def test_a_latency_counts_for_what_began_in_the_window_whenever_it_ended(self):
        # Number 10 ended at 101.0 and began before; number 30 ended at 103.0 and began within.
        sample = summarize(self.LINES, begin=101, end=103, batch=10)
        self.assertEqual((sample["latency"]["p50_us"], sample["latency"]["max_us"]), (1_020, 1_030))
        stalled = [*self.LINES, "1 0 2500000 0 104 500000"]
        self.assertEqual(summarize(stalled, begin=101, end=103, batch=10)["latency"]["max_us"], 2_500_000)

    def test_a_log_that_does_not_reach_over_all_of_it_is_a_failure(self):
        for lines in ([], ["0 1 skipped 0 101 0"], ["0 1 5 0 100 0"], ["0 1 5 0 101 500000", "0 2 5 0 102 900000"]):
            with self.assertRaises(Failure):
                summarize(lines, begin=101, end=103, batch=1)

    def test_a_window_begins_with_the_first_report(self):
        meter = Meter([])
        window = Window(meter, 0.02)
        with self.assertRaisesRegex(Failure, "before its first report"):
            _ = window.begin
        self.assertFalse(window.heard("pgbench (15.8)", os.getpid()))
        self.assertTrue(window.heard("progress: 1.0 s, 900.0 tps", os.getpid()))
        began = window.begin
        self.assertTrue(window.heard("progress: 2.0 s, 900.0 tps", os.getpid()))
        self.assertEqual(window.begin, began)
        self.assertEqual(meter.sample["server_cores"], 0)
        self.assertGreaterEqual(window.driver_cores, 0)

    def test_a_percentile_is_a_value_that_was_there(self):
        self.assertEqual(percentile(list(range(1, 1_001)), 990), 990)
        self.assertEqual(percentile([7], 999), 7)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


_READY = _message(b"R", struct.pack("!i", 0)) + _message(b"S", b"server_version\x0015\0") + _message(b"Z", b"I")


class SessionTests(unittest.TestCase):
    @contextlib.contextmanager
    def _server(self, *answers: bytes):
        """Sends each answer once something has come; yields its port, and closes behind the last one."""
        with create_server(("127.0.0.1", 0)) as listener:
            def serve():
                connection, _ = listener.accept()
                with connection:
                    for answer in answers:
                        self.received.append(connection.recv(4096))
                        connection.sendall(answer)

            self.received: list[bytes] = []
            thread = threading.Thread(target=serve)
            thread.start()
            try:
                yield listener.getsockname()[1]
            finally:
                thread.join()

    def _session(self, port: int) -> Session:
        session = Session("127.0.0.1", port, user="bench", database="postgres")
        self.addCleanup(session.close)
        return session

    def test_a_question_is_answered_with_the_first_column(self):
        row = _message(b"D", struct.pack("!hi", 1, 2) + b"42")
        null = _message(b"D", struct.pack("!hi", 1, -1))
        done = _message(b"C", b"SELECT 1\0") + _message(b"Z", b"I")
        with self._server(_READY, row + done, null + done, done) as port:
            session = self._session(port)
            self.assertEqual([session.ask("select 42"), session.ask("select null"), session.ask("create")],
                             ["42", None, None])
        self.assertIn(b"user\0bench\0database\0postgres\0", self.received[0])
        self.assertEqual(self.received[1], _message(b"Q", b"select 42\0"))

    def test_a_refusal_says_why_and_an_end_is_none(self):
        refusal = _message(b"E", b"SFATAL\0C57P03\0Mthe database system is starting up\0\0")
        with self._server(refusal) as port, self.assertRaisesRegex(ValueError, "starting up"):
            self._session(port)
        with self._server(_READY, b"") as port:
            session = self._session(port)
            with self.assertRaises(ConnectionError):
                session.ask("select 1")
        with self._server(_message(b"R", struct.pack("!i", 10))) as port, self.assertRaisesRegex(ValueError, "password"):
            self._session(port)


if __name__ == "__main__":
    unittest.main()
