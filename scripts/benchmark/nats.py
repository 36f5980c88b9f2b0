"""NATS JetStream: three servers, one stream of three replicas in files. It never syncs before it acknowledges."""

import json
import socket

from .cluster import HOST, NODES, Cluster, Description, fetch
from .failure import Failure
from .install import program
from .meter import Meter
from .plan import Tail
from .processes import Server, run, wait_until

_STREAM = "bench"
_CONFIGURATION = """\
server_name: n{number}
listen: {client}
http: {monitor}
jetstream {{ store_dir: "{directory}", max_mem: 1G, max_file: 64G }}
cluster {{ name: bench, listen: {cluster}, routes: [{routes}] }}
"""


class NATS(Cluster):
    system = "nats"

    def describe(self) -> Description:
        version = run([program("nats-server"), "--version"], seconds_max=10).out.split()[-1].removeprefix("v")
        return Description(
            version=version,
            promise="written by two of three servers into the page cache: **not synced**, a power failure can take it",
            settings="R3 file stream, discard old; this version has no setting for syncing before it acknowledges",
            is_synced=False,
            level="it has written as much into its stream's files, not synced (`last_seq`)",
        )

    def _address(self, node: int, offset: int) -> str:
        return f"{HOST}:{self.base_port + 10 * node + offset}"

    def client(self, node: int) -> str:
        return self._address(node, 0)

    def prepare(self) -> list[Server]:
        servers = []
        for node in NODES:
            path = self.directory / f"n{node + 1}.conf"
            path.write_text(_CONFIGURATION.format(
                number=node + 1, client=self.client(node), monitor=self._address(node, 2),
                cluster=self._address(node, 1), directory=self.directory / f"n{node + 1}",
                routes=", ".join(f"nats://{self._address(other, 1)}" for other in NODES),
            ))
            servers.append(Server(
                f"nats n{node + 1}", [program("nats-server"), "-c", str(path)],
                self.directory / f"n{node + 1}.log", cwd=self.directory))
        return servers

    def start(self) -> None:
        self.directory.mkdir(parents=True)
        self.servers = self.prepare()
        for server in self.servers:
            server.start()
        # A stream has a leader once there is a stream; until the servers have one of their own, none can be made.
        wait_until("NATS takes a stream", self._make_stream, every=0.2)
        self.wait_for_leader()

    def _make_stream(self) -> bool:
        answer = request(self.client(0), f"$JS.API.STREAM.CREATE.{_STREAM}", {
            "name": _STREAM, "subjects": [_STREAM], "storage": "file", "num_replicas": len(NODES),
            "retention": "limits", "discard": "old",
        })
        if "error" in answer:
            raise Failure(f"NATS makes no stream: {answer['error']}")
        return True

    def _stream(self, node: int) -> dict:
        answer = fetch(f"http://{self._address(node, 2)}/jsz?streams=true&consumers=true")
        for account in answer.get("account_details", []):
            for stream in account.get("stream_detail", []):
                if stream["name"] == _STREAM:
                    return stream
        raise ValueError(f"server {node + 1} has no stream yet")

    def leader(self) -> int:
        for node in NODES:
            if not self.servers[node].is_alive:
                continue
            name = self._stream(node)["cluster"].get("leader", "")
            if name and self.servers[int(name[1:]) - 1].is_alive:
                return int(name[1:]) - 1
        raise ValueError("the stream has no leader")

    def progress(self, node: int) -> int:
        return self._stream(node)["state"]["last_seq"]

    def tail(self, work: Tail, meter: Meter) -> dict:
        """Says also which server led the reader's consumer: where it is not the one that was read from, records go over it."""
        sample = super().tail(work, meter)
        return sample | {"consumer_leader": self._consumer_leader()}

    def _consumer_leader(self) -> str | None:
        """Of the newest consumer; servers keep one for seconds after its reader has gone."""
        found = []
        for node in NODES:
            for consumer in self._stream(node).get("consumer_detail") or []:
                found.append((consumer["created"], consumer.get("cluster", {}).get("leader") or f"n{node + 1}"))
        return max(found)[1] if found else None


def request(server: str, subject: str, body: dict) -> dict:
    """One request and its answer, as NATS's protocol has it. Raises OSError or ValueError when there is none."""
    host, _, port = server.rpartition(":")
    payload = json.dumps(body).encode()
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        file = connection.makefile("rb")
        file.readline()
        connection.sendall(
            b'CONNECT {"verbose":false,"pedantic":false,"lang":"python","version":"0","protocol":1}\r\n'
            b"SUB _INBOX.bench 1\r\n" + f"PUB {subject} _INBOX.bench {len(payload)}\r\n".encode() + payload + b"\r\n")
        while line := file.readline():
            words = line.split()
            if words and words[0] == b"MSG":
                return json.loads(file.read(int(words[-1])))
            if words and words[0] == b"PING":
                connection.sendall(b"PONG\r\n")
            elif words and words[0] == b"-ERR":
                raise ValueError(line.decode(errors="replace").strip())
    raise ValueError(f"{server} closed the connection")
