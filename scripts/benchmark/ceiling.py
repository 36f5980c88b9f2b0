"""The driver against servers that acknowledge at once: what it can show of a system at most."""

import socket
from pathlib import Path

from .cluster import HOST
from .driver import Driver
from .meter import Meter
from .plan import Ceiling
from .processes import Server, wait_until

#: Each protocol the driver speaks, and the system that is measured with it.
PROTOCOLS = ("holdfast", "etcd", "nats")


class NullServers:
    """One for each protocol, from `base_port` on."""

    def __init__(self, directory: Path, base_port: int, driver: Driver, systems: tuple[str, ...]) -> None:
        self.driver = driver
        self.addresses = {
            system: f"{HOST}:{base_port + index}" for index, system in enumerate(PROTOCOLS) if system in systems}
        self.servers = {
            system: Server(
                f"null {system}", [str(driver.program), "null", "--system", system, "--server", address],
                directory / f"null-{system}.log", cwd=directory)
            for system, address in self.addresses.items()}

    def start(self) -> None:
        """Those that do not run."""
        for system, server in self.servers.items():
            if not server.is_alive:
                server.start()
            wait_until(f"{server.name} listens", lambda system=system: _listens(self.addresses[system]))

    def measure(self, system: str, work: Ceiling) -> dict:
        return self.driver.append(system, work.append, self.addresses[system], Meter([]))


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=1):
        return True
