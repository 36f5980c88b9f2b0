"""Where a run may take place: a directory with room, and ports that nobody has."""

import shutil
import socket
from pathlib import Path

from .failure import Failure

#: Where ports begin when nobody says.
BASE_PORT = 22_400


def check_directory(directory: Path, gibibytes: int) -> None:
    """Raises Failure when it is none, or has less than so much free."""
    if not directory.is_dir():
        raise Failure(f"{directory} is no directory", next="name one on the disk to be measured with --dir", exit_code=64)
    free = shutil.disk_usage(directory).free
    if free < gibibytes << 30:
        raise Failure(
            f"{directory} has {free >> 30} GiB free; a run takes up to {gibibytes}", next="name another place with --dir")


def check_ports(base_port: int, count: int) -> None:
    """Raises Failure when one of so many ports from `base_port` on is none, or is taken."""
    if not 1_024 <= base_port <= 65_536 - count:
        raise Failure(f"--base-port must be 1024 to {65_536 - count}", exit_code=64)
    for port in range(base_port, base_port + count):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise Failure(f"port {port} is in use", next="choose others with --base-port") from None
