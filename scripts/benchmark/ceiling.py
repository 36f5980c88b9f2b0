"""The driver against servers that acknowledge at once: what it can show of a system at most."""

import socket
from pathlib import Path

from .cluster import HOST
from .driver import Driver
from .plan import Append, Ceiling
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
        for server in self.servers.values():
            server.start()
        for address in self.addresses.values():
            wait_until(f"{address} listens", lambda address=address: _listens(address))

    def measure(self, system: str, work: Ceiling) -> dict:
        return self.driver.append(
            system, Append(work.clients, work.size, in_flight=work.in_flight), self.addresses[system])


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=1):
        return True
