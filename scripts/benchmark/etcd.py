"""etcd: three members, synced as it comes; a put of a new key for each record."""

from .cluster import HOST, NODES, Cluster, Description, fetch
from .install import program
from .processes import Server, run

#: So that 1 GiB more does not end a run with an alarm; the default is 2 GiB.
_QUOTA = 16 << 30


class Etcd(Cluster):
    system = "etcd"

    def describe(self) -> Description:
        version = run([program("etcd"), "--version"], seconds_max=10).out.splitlines()[0].removeprefix("etcd Version: ")
        return Description(
            version=version,
            promise="in the log on the disk (fdatasync) of two of three members, and applied by the leader",
            settings="quota-backend-bytes 16 GiB; all else by default (heartbeat 100 ms, election 1 s)",
            is_synced=True,
            level="it has as much in its log and knows it to be committed (`raftIndex`); whether it is synced it does not tell",
        )

    def _port(self, node: int) -> int:
        return self.base_port + 10 * node

    def client(self, node: int) -> str:
        return f"{HOST}:{self._port(node)}"

    def prepare(self) -> list[Server]:
        members = ",".join(f"n{node + 1}=http://{HOST}:{self._port(node) + 1}" for node in NODES)
        servers = []
        for node in NODES:
            client, peer = f"http://{self.client(node)}", f"http://{HOST}:{self._port(node) + 1}"
            argv = [
                program("etcd"), "--name", f"n{node + 1}", "--data-dir", str(self.directory / f"n{node + 1}"),
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", members, "--initial-cluster-state", "new",
                "--quota-backend-bytes", str(_QUOTA), "--log-level", "error", "--logger", "zap",
            ]
            servers.append(Server(
                f"etcd n{node + 1}", argv, self.directory / f"n{node + 1}.log", cwd=self.directory))
        return servers

    def _status(self, node: int) -> dict:
        return fetch(f"http://{self.client(node)}/v3/maintenance/status", b"{}")

    def leader(self) -> int:
        for node in NODES:
            if not self.servers[node].is_alive:
                continue
            status = self._status(node)
            if status["header"]["member_id"] == status["leader"]:
                return node
        raise ValueError("no member leads")

    def progress(self, node: int) -> int:
        # Not raftAppliedIndex: what is applied to the key-value store is more than a log does.
        return int(self._status(node)["raftIndex"])
