"""Holdfast: three nodes, `fsync.policy: always`, everything else as it comes."""

from pathlib import Path

from .cluster import HOST, NODES, Cluster, Description, fetch
from .processes import Server, run

_CONFIGURATION = """\
node:
  id: {id}
data:
  directory: {directory}
peers:
{peers}
fsync:
  policy: always
log:
  level: warning
"""


class Holdfast(Cluster):
    system = "holdfast"

    def __init__(self, directory: Path, base_port: int, driver, program: Path) -> None:
        super().__init__(directory, base_port, driver)
        self.program = program

    def describe(self) -> Description:
        version = run([str(self.program), "--version"], seconds_max=10).out.strip()
        return Description(
            version=version,
            promise="on the disk (fdatasync) of two of three nodes; the answer says so (`durability`)",
            settings="fsync.policy always; all else by default",
            is_synced=True,
            level="it has synced as much of the log to its disk, as the leader knows from its acknowledgements (`persisted`)",
        )

    def _port(self, node: int) -> int:
        return self.base_port + 10 * node

    def client(self, node: int) -> str:
        return f"{HOST}:{self._port(node)}"

    def prepare(self) -> list[Server]:
        peers = "\n".join(
            f"  - {node + 1}={HOST}:{self._port(node) + 1}/{HOST}:{self._port(node)}" for node in NODES)
        servers = []
        for node in NODES:
            configuration = self.directory / f"n{node + 1}.yaml"
            configuration.write_text(
                _CONFIGURATION.format(id=node + 1, directory=self.directory / f"n{node + 1}", peers=peers))
            servers.append(Server(
                f"holdfast n{node + 1}", [str(self.program), "serve", "--config", str(configuration)],
                self.directory / f"n{node + 1}.log", cwd=self.directory))
        return servers

    def _status(self, node: int) -> dict:
        return fetch(f"http://{HOST}:{self._port(node) + 2}/v1/cluster")

    def leader(self) -> int:
        return self._leader()[0]

    def _leader(self) -> tuple[int, dict]:
        """The leader, and what it tells of the cluster."""
        for node in NODES:
            if not self.servers[node].is_alive:
                continue
            try:
                status = self._status(node)
            except OSError:
                # It has just been started: the others know.
                continue
            if status["role"] == "leader" and status["ready"]:
                return node, status
        raise ValueError("no node leads")

    def progress(self, node: int) -> int:
        leader, status = self._leader()
        if node == leader:
            return place(status["commit"])
        for member in status["nodes"]:
            if member["node"] == node + 1:
                return place(member["persisted"])
        raise ValueError(f"the leader knows no node {node + 1}")


def place(position: str) -> int:
    """`segment:offset` as one number that grows as the log does."""
    segment, _, offset = position.partition(":")
    return int(segment) << 32 | int(offset)
