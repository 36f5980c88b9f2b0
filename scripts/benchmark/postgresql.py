"""PostgreSQL: a primary and two streaming standbys, `ANY 1` of which must have synced a commit. Loaded by `pgbench`."""

import math
import os
import pwd
import signal
from collections.abc import Iterable
from pathlib import Path

from .cluster import HOST, NODES, Cluster, Description
from .failure import Failure
from .install import program
from .plan import Append, CatchUp, Ceiling
from .processes import Finished, Server, run, wait_until

_PRIMARY = 0
_SETTINGS = {
    "listen_addresses": HOST,
    "max_connections": "300",
    "synchronous_commit": "on",
    "wal_level": "replica",
    # What a standby lacks that was away has to be there still.
    "wal_keep_size": "4GB",
    "max_wal_senders": "8",
    # So that no restarted log file's recycling falls into one cell of many.
    "max_wal_size": "4GB",
    "log_min_messages": "fatal",
}
_NAMES = [f"s{node + 1}" for node in NODES]


class PostgreSQL(Cluster):
    system = "postgresql"
    #: A primary that is asked with SIGTERM waits for its clients; SIGINT is a fast shutdown.
    stop_signal = signal.SIGINT

    def __init__(self, directory: Path, base_port: int, driver) -> None:
        super().__init__(directory, base_port, driver)
        # It refuses to run as root.
        self.user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None

    def describe(self) -> Description:
        version = run([program("postgres"), "--version"], seconds_max=10).out.split()[2]
        return Description(
            version=version,
            promise="commit in the log on the disk (fdatasync) of the primary and of one of two standbys",
            settings="synchronous_commit on; synchronous_standby_names ANY 1 (s2, s3); wal_keep_size 4 GB; "
            "max_wal_size 4 GB; no failover of its own",
            is_synced=True,
        )

    def client(self, node: int) -> str:
        return f"{HOST}:{self.base_port + node}"

    def leader(self) -> int:
        self._ask(_PRIMARY, "select 1")
        return _PRIMARY

    def prepare(self) -> list[Server]:
        if self.user is not None:
            os.chown(self.directory, self.user, self.user)
        primary = self.directory / "s1"
        self._run("initdb", "-D", str(primary), "-U", "bench", "--auth=trust", "-N", "-E", "UTF8", "--locale=C")
        settings = dict(
            _SETTINGS, port=str(self.base_port), unix_socket_directories=str(self.directory),
            synchronous_standby_names=f"ANY 1 ({', '.join(_NAMES[1:])})")
        with (primary / "postgresql.conf").open("a") as file:
            for key, value in settings.items():
                file.write(f"{key} = '{value}'\n")
        with (primary / "pg_hba.conf").open("a") as file:
            file.write(f"host replication bench {HOST}/32 trust\n")
        return [self._server(node) for node in NODES]

    def _server(self, node: int) -> Server:
        return Server(
            f"postgresql {_NAMES[node]}",
            [program("postgres"), "-D", str(self.directory / _NAMES[node]), "-c", f"port={self.base_port + node}"],
            self.directory / f"{_NAMES[node]}.log", cwd=self.directory, user=self.user, stop=self.stop_signal)

    def start(self) -> None:
        self.directory.mkdir(parents=True)
        self.servers = self.prepare()
        self.servers[_PRIMARY].start()
        self.wait_for_primary()
        for node in NODES[1:]:
            self._run(
                "pg_basebackup", "-h", HOST, "-p", str(self.base_port), "-U", "bench", "-X", "stream", "-c", "fast",
                "-N", "-D", str(self.directory / _NAMES[node]))
            with (self.directory / _NAMES[node] / "postgresql.auto.conf").open("a") as file:
                file.write(
                    f"primary_conninfo = 'host={HOST} port={self.base_port} user=bench "
                    f"application_name={_NAMES[node]}'\n")
            (self.directory / _NAMES[node] / "standby.signal").touch()
            self.servers[node].start()
        for node in NODES[1:]:
            self.wait_until_level(node, 0, seconds=60)
        # External storage: a record is written as it is, not compressed.
        self._ask(
            _PRIMARY,
            "create table log (id bigserial primary key, value bytea not null);"
            "alter table log alter column value set storage external")

    def wait_for_primary(self) -> None:
        def answers() -> bool:
            if not self.servers[_PRIMARY].is_alive:
                raise Failure(f"PostgreSQL ended: {self.servers[_PRIMARY].last_words()}")
            return self._ask(_PRIMARY, "select 1") == "1"

        wait_until("PostgreSQL answers", answers)

    def progress(self, node: int) -> int:
        """Bytes of the log that it has synced."""
        where = "pg_current_wal_flush_lsn()" if node == _PRIMARY else "pg_last_wal_receive_lsn()"
        return int(self._ask(node, f"select ({where} - '0/0')::bigint") or -1)

    # Loads

    def append(self, work: Append) -> dict:
        rows = ", ".join([f"('{'x' * work.size}')"] * work.batch)
        script = f"INSERT INTO log (value) VALUES {rows};"
        return self._bench(script, work.clients, work.batch)

    def ceiling(self, work: Ceiling) -> dict:
        """As many bytes asked, nothing written."""
        return self._bench(f"SELECT length('{'x' * work.size}');", work.clients, 1)

    def fill(self, work: CatchUp) -> None:
        script = f"INSERT INTO log (value) VALUES ('{'x' * work.record_size}');"
        clients = 8
        self._pgbench(script, clients, ["-t", str(work.byte_count // work.record_size // clients)], 600)

    def _bench(self, script: str, clients: int, batch: int) -> dict:
        # pgbench counts whole seconds, and its time runs while its clients connect: what is measured is found in its log.
        seconds = math.ceil(self.driver.seconds) + 1 + clients // 128
        logs = self.directory / "latency"
        for old in self.directory.glob("latency.*"):
            old.unlink()
        done = self._pgbench(script, clients, ["-T", str(seconds), "-l", f"--log-prefix={logs}"], seconds + 60)
        sample = summarize(
            (line for path in self.directory.glob("latency.*") for line in path.open()),
            warm_up=self.driver.warm_up_ms / 1000, duration=self.driver.duration_ms / 1000, batch=batch)
        sample["driver_cores"] = done.processor_seconds / done.seconds
        return sample

    def _pgbench(self, script: str, clients: int, arguments: list[str], seconds_max: float) -> Finished:
        path = self.directory / "script.sql"
        path.write_text(script + "\n")
        return self._run(
            "pgbench", "-n", "-M", "prepared", "-h", HOST, "-p", str(self.base_port), "-U", "bench",
            "-c", str(clients), "-j", "1", "-f", str(path), *arguments, "postgres", seconds_max=seconds_max)

    def _ask(self, node: int, question: str) -> str:
        return self._run(
            "psql", "-h", HOST, "-p", str(self.base_port + node), "-U", "bench", "-d", "postgres", "-XAtq",
            "-c", question, seconds_max=20).out.strip()

    def _run(self, name: str, *arguments: str, seconds_max: float = 120) -> Finished:
        return run([program(name), *arguments], seconds_max=seconds_max, cwd=self.directory, user=self.user)


def summarize(lines: Iterable[str], *, warm_up: float, duration: float, batch: int) -> dict:
    """What pgbench's per-transaction log says of the `duration` seconds that begin `warm_up` behind the first end.

    A line: `client transaction microseconds script epoch-seconds epoch-microseconds`. Raises Failure when the log does not reach
    over all of them.
    """
    ended = []
    for line in lines:
        words = line.split()
        if len(words) >= 6 and words[2].isdecimal():
            ended.append((int(words[4]) + int(words[5]) / 1e6, int(words[2])))
    if not ended:
        raise Failure("pgbench logged no transaction")
    begin = min(moment for moment, _ in ended) + warm_up
    end = begin + duration
    if max(moment for moment, _ in ended) < end:
        raise Failure("pgbench ended too soon: its clients took too long to connect")
    latencies = sorted(latency for moment, latency in ended if begin <= moment < end)
    if not latencies:
        raise Failure("pgbench logged no transaction behind its warm-up")
    return {
        "records_per_second": len(latencies) * batch / duration,
        "latency": {
            "p50_us": percentile(latencies, 500), "p90_us": percentile(latencies, 900),
            "p99_us": percentile(latencies, 990), "p999_us": percentile(latencies, 999), "max_us": latencies[-1],
        },
        "failures": 0,
    }


def percentile(ordered: list[int], thousandths: int) -> int:
    """The one that so many of a thousand do not exceed."""
    return ordered[max(0, (len(ordered) * thousandths + 999) // 1000 - 1)]
