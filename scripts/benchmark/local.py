"""One log of one process, and RocksDB's `fillseq` beside it: `holdfast bench log append` measures both."""

import json
from pathlib import Path

from . import install
from .plan import Local
from .processes import run


def measure(program: Path, work: Local, directory: Path, duration_ms: int) -> dict[str, dict]:
    """A sample for each of `holdfast` and `rocksdb`, and for `floor`: a bare loop of pwrite and fdatasync."""
    done = run(
        [
            str(program), "bench", "log", "append", "--policy", "always", "--clients", str(work.clients),
            "--size", str(work.size), "--duration", f"{duration_ms}ms", "--runs", "1", "--compare", "rocksdb",
            "--dir", str(directory), "-o", "json",
        ],
        seconds_max=duration_ms / 1000 * 3 + 120, path=str(Path(install.program("db_bench")).parent))
    samples = {}
    for row in json.loads(done.out)["rows"]:
        name = "holdfast"
        if row["work"].startswith("bare"):
            name = "floor"
        elif row["work"].startswith("rocksdb"):
            name = "rocksdb"
        samples[name] = {
            "records_per_second": row["records_per_second"],
            "latency": {key: row[key] for key in ("p50_us", "p99_us", "max_us")},
            "failures": 0,
        }
    return samples
