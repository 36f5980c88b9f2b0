"""PostgreSQL: a primary and two streaming standbys, `ANY 1` of which must have synced a commit. Loaded by `pgbench`."""

import math
import os
import pwd
import re
import secrets
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from .cluster import HOST, NODES, Cluster, Description
from .driver import FILL_CONCURRENCY
from .failure import Failure
from .install import program
from .meter import Meter
from .pgbench import Window, summarize
from .plan import Append, CatchUp, Ceiling
from .postgresql_session import Session
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
#: Where pgbench notes each transaction: not on the disk that is measured.
_MEMORY = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
_USER = "nobody"


class PostgreSQL(Cluster):
    system = "postgresql"
    #: A primary that is asked with SIGTERM waits for its clients; SIGINT is a fast shutdown.
    stop_signal = signal.SIGINT
    #: An immediate shutdown. After SIGKILL its shared memory would stay, and its processes, which have sessions of their own,
    #: would end when they notice.
    kill_signal = signal.SIGQUIT

    def __init__(self, directory: Path, base_port: int, driver) -> None:
        super().__init__(directory, base_port, driver)
        # It refuses to run as root.
        self.user = pwd.getpwnam(_USER).pw_uid if os.geteuid() == 0 else None
        self._sessions: dict[int, Session] = {}

    def describe(self) -> Description:
        version = run([program("postgres"), "--version"], seconds_max=10).out.split()[2]
        return Description(
            version=version,
            promise="commit in the log on the disk (fdatasync) of the primary and of one of two standbys",
            settings="synchronous_commit on; synchronous_standby_names ANY 1 (s2, s3); wal_keep_size 4 GB; "
            "max_wal_size 4 GB; no failover of its own",
            is_synced=True,
            level="it has received as much of the log and synced it (`pg_last_wal_receive_lsn`)",
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
            self.directory / f"{_NAMES[node]}.log", cwd=self.directory, user=self.user, stop=self.stop_signal,
            kill=self.kill_signal)

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

    def stop(self) -> None:
        """Standbys first, so that none of them asks for a primary that has gone."""
        for session in self._sessions.values():
            session.close()
        self._sessions = {}
        for server in reversed(self.servers):
            server.kill()

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

    def append(self, work: Append, meter: Meter) -> dict:
        rows = ", ".join([f"('{'x' * work.size}')"] * work.batch)
        script = f"INSERT INTO log (value) VALUES {rows};"
        return self._bench(script, work.clients, work.batch, meter)

    def ceiling(self, work: Ceiling) -> dict:
        """As many bytes asked, nothing written."""
        return self._bench(f"SELECT length('{'x' * work.size * work.batch}');", work.clients, work.batch, Meter([]))

    def fill(self, work: CatchUp) -> int:
        script = f"INSERT INTO log (value) VALUES ('{'x' * work.record_size}');"
        count = max(1, work.byte_count // work.record_size // FILL_CONCURRENCY)
        done = self._pgbench(script, FILL_CONCURRENCY, ["-t", str(count)], 600)
        processed = re.search(r"actually processed: (\d+)", done.out)
        if processed is None:
            raise Failure("pgbench does not say how many transactions it processed")
        return int(processed[1]) * work.record_size

    def _bench(self, script: str, clients: int, batch: int, meter: Meter) -> dict:
        window = Window(meter, self.driver.duration_ms / 1000)
        # pgbench counts whole seconds, and its time runs while its clients connect. One second, the first that it reports,
        # is its warm-up; the one behind the window lets answers come that are under way at its end.
        seconds = 1 + math.ceil(window.seconds) + 1 + clients // 128
        place = (_MEMORY or self.directory) / f"holdfast-pgbench-{secrets.token_hex(4)}"
        try:
            place.mkdir()
            if self.user is not None:
                os.chown(place, self.user, self.user)
            self._pgbench(
                script, clients, ["-T", str(seconds), "-P", "1", "-l", f"--log-prefix={place}/latency"], seconds + 60,
                told=window.heard)
            sample = summarize(
                (line for path in place.glob("latency.*") for line in path.open()),
                begin=window.begin, end=window.begin + window.seconds, batch=batch)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        return sample | {"driver_cores": window.driver_cores}

    def _pgbench(
        self, script: str, clients: int, arguments: list[str], seconds_max: float,
        told: Callable[[str, int], bool] | None = None,
    ) -> Finished:
        path = self.directory / "script.sql"
        path.write_text(script + "\n")
        return self._run(
            "pgbench", "-n", "-M", "prepared", "-h", HOST, "-p", str(self.base_port), "-U", "bench",
            "-c", str(clients), "-j", "1", "-f", str(path), *arguments, "postgres", seconds_max=seconds_max, told=told)

    def _ask(self, node: int, question: str) -> str | None:
        """Over a session that stays: it is asked hundreds of times a second while a follower catches up."""
        if node not in self._sessions:
            self._sessions[node] = Session(HOST, self.base_port + node, user="bench", database="postgres")
        try:
            return self._sessions[node].ask(question)
        except (OSError, ValueError):
            self._sessions.pop(node).close()
            raise

    def _run(
        self, name: str, *arguments: str, seconds_max: float = 120, told: Callable[[str, int], bool] | None = None
    ) -> Finished:
        return run([program(name), *arguments], seconds_max=seconds_max, cwd=self.directory, user=self.user, told=told)


def check_reach(directory: Path) -> None:
    """Raises Failure where PostgreSQL, which does not run as root, could not get to its files."""
    if os.geteuid() != 0:
        return
    for place in (directory, *directory.parents):
        if not place.stat().st_mode & 0o001:
            raise Failure(
                f"{place} lets nobody but its owner in, and PostgreSQL runs as {_USER}: nothing was started",
                next=f"chmod o+x {place}, another place with --dir, or --systems without postgresql", exit_code=77)
