"""What the disk gives several writers at once, and nothing else: the ceiling of nodes that share one."""

import os
import threading
import time
from pathlib import Path

_BLOCK_BYTES = 1 << 20
_FILE_BYTES = 64 << 20


def bytes_per_second(directory: Path, *, writers: int = 3, seconds: float = 1.0) -> float:
    """Of one of them: the mean. Each writes blocks of 1 MiB that nothing shortens into an allocated file of its own, as segments
    are, and syncs each block.

    Raises OSError when one of them could not write.
    """
    block = os.urandom(_BLOCK_BYTES)
    written = [0] * writers
    failures: list[OSError] = []
    began = time.monotonic()

    def write(number: int) -> None:
        try:
            written[number] = _write(directory / f"writer-{number}", block, until=began + seconds)
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(written) / writers / (time.monotonic() - began)


def _write(path: Path, block: bytes, *, until: float) -> int:
    """How many bytes were synced; at least one block."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        written = 0
        while written == 0 or time.monotonic() < until:
            offset = written % _FILE_BYTES
            if offset == 0:
                os.ftruncate(descriptor, 0)
                os.posix_fallocate(descriptor, 0, _FILE_BYTES)
            written += os.pwrite(descriptor, block[:_FILE_BYTES - offset], offset)
            os.fdatasync(descriptor)
        return written
    finally:
        os.close(descriptor)
        path.unlink()
