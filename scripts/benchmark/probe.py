"""What the disk does on its own: before each cell, since it has moods; and as the floor of catching up."""

import os
import statistics
import subprocess
import time
from pathlib import Path

_BLOCK = b"x" * 512
_FILE_BYTES = 1 << 20


class DiskProbe:
    """Times fdatasync of small writes into a file that was written before; makes the file when it is first asked."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "probe"
        self._file: int | None = None
        self._offset = 0

    def microseconds(self, seconds: float = 0.1) -> float:
        """The median over so long."""
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.pwrite(self._file, bytes(_FILE_BYTES), 0)
            os.fdatasync(self._file)
        times = []
        deadline = time.perf_counter() + seconds
        while not times or time.perf_counter() < deadline:
            began = time.perf_counter()
            os.pwrite(self._file, _BLOCK, self._offset)
            os.fdatasync(self._file)
            times.append(time.perf_counter() - began)
            self._offset = (self._offset + len(_BLOCK)) % _FILE_BYTES
        return statistics.median(times) * 1e6

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def settle(directory: Path) -> None:
    """Waits until what was written, or removed, on this file system stands: it is not to slow down what comes next."""
    subprocess.run(["sync", "-f", directory], check=True)


def copy_seconds(directory: Path, byte_count: int) -> float:
    """How long `cp` and `sync -f` of a file of so many bytes take."""
    source, target = directory / "copied", directory / "copy"
    block = os.urandom(1 << 20)
    with source.open("wb") as file:
        for _ in range(byte_count >> 20):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    try:
        began = time.monotonic()
        subprocess.run(["cp", source, target], check=True)
        settle(target)
        return time.monotonic() - began
    finally:
        source.unlink()
        target.unlink(missing_ok=True)
