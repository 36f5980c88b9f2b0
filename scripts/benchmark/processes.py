"""Processes of a run, and what they use. None is left when the run ends, however it ends."""

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from .failure import Failure

_PR_SET_PDEATHSIG = 1
_TICKS = os.sysconf("SC_CLK_TCK")
_libc = ctypes.CDLL(None)


def _die_with_parent(number: int = signal.SIGKILL) -> None:
    """Also when this program is ended with SIGKILL: nothing is to go on without it.

    What a script starts in its background ignores SIGINT and SIGQUIT, and so would all that it starts.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, number)
    for ignored in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(ignored, signal.SIG_DFL)


class Server:
    """A process that runs until it is stopped; started again, it writes on in the same log file.

    `stop` asks it to end in order; `kill` ends it at once: SIGKILL, but for a system that leaves something behind then.
    """

    running: set["Server"] = set()

    def __init__(
        self, name: str, argv: list[str], log: Path, *, cwd: Path, user: int | None = None, stop=signal.SIGTERM,
        kill=signal.SIGKILL,
    ) -> None:
        self.name, self.argv, self.log, self.cwd, self.user = name, argv, log, cwd, user
        self._stop_signal, self._kill_signal = stop, kill
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches this program alone, which stops its servers in order.
            self._process = subprocess.Popen(
                self.argv, cwd=self.cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                user=self.user, group=self.user, extra_groups=[] if self.user else None,
                preexec_fn=lambda: _die_with_parent(self._kill_signal),
            )
        Server.running.add(self)

    @property
    def pid(self) -> int:
        if self._process is None:
            raise Failure(f"{self.name} was not started")
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        self._end(self._kill_signal)

    def stop(self) -> None:
        """In order where it does so within ten seconds."""
        self._end(self._stop_signal)

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        if self.is_alive:
            self._process.send_signal(number)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        # Its session is its own: what it started and did not end ends with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        Server.running.discard(self)

    def last_words(self) -> str:
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return " | ".join(lines[-3:])

    @staticmethod
    def kill_all() -> None:
        for server in list(Server.running):
            server.kill()


@dataclass(frozen=True)
class Finished:
    """A program that ran to its end."""

    out: str
    seconds: float
    processor_seconds: float


def run(
    argv: list[str], *, seconds_max: float, cwd: Path | None = None, user: int | None = None, path: str = "",
    told: Callable[[str, int], bool] | None = None,
) -> Finished:
    """Runs a program that must end well.

    `path` is a directory that is looked through behind those of PATH. `told` gets each line of stderr as it comes, with the
    program's process, on a thread of its own; it returns whether the line was for it, and is no complaint. Raises Failure when
    the program does not end within `seconds_max`, or with another exit code than 0.
    """
    environment = dict(os.environ, PATH=f"{os.environ.get('PATH', '/usr/bin')}:{path}") if path else None
    before = os.times()
    began = time.monotonic()
    process = subprocess.Popen(
        argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, user=user, group=user, extra_groups=[] if user else None, env=environment,
        preexec_fn=_die_with_parent,
    )
    listener = _Listener(process, told)
    try:
        out, _ = process.communicate(timeout=seconds_max)
        err = listener.complaints()
    except BaseException as error:
        _end(process)
        if isinstance(error, subprocess.TimeoutExpired):
            raise Failure(f"{' '.join(argv[:3])} ... did not end in {seconds_max:.0f} s") from None
        raise
    seconds = time.monotonic() - began
    after = os.times()
    if process.returncode != 0:
        last = (err.strip() or out.strip()).splitlines()[-3:]
        raise Failure(f"{' '.join(argv[:3])} ... ended with {process.returncode}: {' | '.join(last)}")
    used = after.children_user - before.children_user + after.children_system - before.children_system
    return Finished(out, seconds, used)


class _Listener:
    """Reads what a program says on stderr while it runs."""

    def __init__(self, process: subprocess.Popen, told: Callable[[str, int], bool] | None) -> None:
        self._lines: list[str] = []
        self._pid, self._told = process.pid, told
        # Two must not read the same pipe: communicate() is left the other one.
        self._pipe, process.stderr = process.stderr, None
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._pipe is not None
        with self._pipe:
            for line in self._pipe:
                if not (self._told and self._told(line.strip(), self._pid)):
                    self._lines.append(line)

    def complaints(self) -> str:
        """All that nobody waited for; once the program has ended, and has left nobody behind who holds its stderr open."""
        self._thread.join(10)
        return "".join(self._lines)


def _end(process: subprocess.Popen) -> None:
    """By an order first: a program that started others ends them then, and cannot once it is killed.

    What is left of its session is killed with it.
    """
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(what: str, is_true: Callable[[], bool], *, seconds: float = 60, every: float = 0.02) -> None:
    """Waits for a condition; a question that is not answered yet counts as no."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if is_true():
                return
            why = ""
        except (OSError, ValueError, KeyError, Failure) as error:
            why = f": {error}"
        if time.monotonic() > deadline:
            raise Failure(f"waited {seconds:.0f} s in vain until {what}{why}")
        time.sleep(every)


@dataclass(frozen=True)
class Usage:
    """What processes and all that came from them have used so far, and hold now."""

    processor_seconds: float
    memory_bytes: int


def usage(roots: Iterable[int]) -> Usage:
    """Memory: anonymous and resident, and of the shared one what the largest process of each tree sees of it."""
    children = _children()
    ticks, memory = 0, 0
    for root in roots:
        shared = 0
        for pid in _tree(root, children):
            try:
                # Behind the name, which may hold anything: state is the third field.
                stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            # A parent has the time of those that ended in its own cutime and cstime.
            ticks += sum(int(stat[index]) for index in (11, 12, 13, 14))
            memory += _kibibytes(status, "RssAnon:") << 10
            shared = max(shared, _kibibytes(status, "RssShmem:") << 10)
        memory += shared
    return Usage(ticks / _TICKS, memory)


def _kibibytes(status: str, key: str) -> int:
    for line in status.splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    return 0


def _children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(stat[1]), []).append(int(entry))
    return children


def _tree(root: int, children: dict[int, list[int]]) -> list[int]:
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += children.get(pid, [])
    return found
