"""Where the peers' programs are: on this machine already, or taken out of Debian's packages into a directory of ours.

Debian's packages of servers start them at once, and at every boot. So servers are not installed: their packages are fetched
by apt and unpacked; only libraries, which start nothing, are installed.
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .failure import Failure

PEERS = Path(__file__).resolve().parents[2] / ".build" / "peers"
#: Program: the package that has it.
PACKAGES = {
    "etcd": "etcd-server", "nats-server": "nats-server", "db_bench": "rocksdb-tools", "postgres": "postgresql-15",
    "pgbench": "postgresql-15", "pg_basebackup": "postgresql-client-15",
    "initdb": "postgresql-15",
}
NEEDED = {
    "etcd": ("etcd",), "nats": ("nats-server",), "rocksdb": ("db_bench",),
    "postgresql": ("postgres", "pgbench", "initdb", "pg_basebackup"),
}


def find(name: str) -> str | None:
    """A program of Debian's PostgreSQL, unpacked by ``install``, or on PATH; the first place that has it."""
    # Not PATH first: there, programs of two versions of PostgreSQL could be mixed, and Debian's wrappers ask for a cluster of
    # Debian's.
    places = [*sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)]
    places += [str(PEERS / place) for place in ("usr/bin", "usr/sbin", "usr/lib/postgresql/15/bin")]
    for place in places:
        if os.access(f"{place}/{name}", os.X_OK):
            return f"{place}/{name}"
    path = shutil.which(name)
    return path if path and "pg_wrapper" not in os.path.realpath(path) else None


def program(name: str) -> str:
    if path := find(name):
        return path
    raise Failure(f"{name} is not installed", next=f"apt-get install {PACKAGES[name]}", exit_code=69)


def install(systems: tuple[str, ...]) -> None:
    """Fetches what is missing for these systems; does nothing when nothing is."""
    names = [name for system in systems for name in NEEDED.get(system, ()) if not find(name)]
    packages = sorted({PACKAGES[name] for name in names})
    if not packages:
        return
    print(f"Fetching {', '.join(packages)} from Debian ...", file=sys.stderr)
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    _apt([*sudo, "apt-get", "update", "-qq"])
    libraries = sorted({library for package in packages for library in _libraries(package)})
    _apt([*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *libraries])
    PEERS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        _apt(["apt-get", "download", "-qq", *packages], cwd=place)
        for package in glob.glob(f"{place}/*.deb"):
            _apt(["dpkg-deb", "-x", package, str(PEERS)])


def _libraries(package: str) -> list[str]:
    """What it depends on and starts nothing."""
    out = _apt(["apt-cache", "depends", "--important", package])
    words = [line.split() for line in out.splitlines()]
    return [word[1] for word in words if len(word) == 2 and word[0] == "Depends:" and word[1].startswith("lib")]


def _apt(argv: list[str], cwd: str | None = None) -> str:
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")
    done = subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(
            f"{' '.join(argv[:4])} ... failed: {done.stderr.strip()[-300:]}",
            next="install the packages by hand, or leave the system out with --systems", exit_code=69)
    return done.stdout
