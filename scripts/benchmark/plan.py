"""What is measured: the kinds of work, and which of them a quick and a full run have."""

from dataclasses import asdict, dataclass, field, replace

SYSTEMS = ("holdfast", "etcd", "nats", "postgresql")
LABELS = {
    "holdfast": "Holdfast", "etcd": "etcd", "nats": "NATS JetStream", "postgresql": "PostgreSQL", "rocksdb": "RocksDB",
}


@dataclass(frozen=True)
class Append:
    """Callers that append, wait for the acknowledgement, and append again."""

    clients: int
    size: int
    in_flight: int = 1
    batch: int = 1
    kind: str = field(default="append", init=False)

    @property
    def connections(self) -> int:
        """HTTP/2 and NATS carry many callers on one connection; where each has its own, 64 are enough."""
        return min(self.clients, 64)

    @property
    def title(self) -> str:
        many = f"{self.clients} client{'s' if self.clients > 1 else ''}"
        flight = f", {self.in_flight} in flight" if self.in_flight > 1 else ""
        batch = f", batches of {self.batch}" if self.batch > 1 else ""
        return f"{many}{flight}{batch}, {byte_count(self.size)}"


@dataclass(frozen=True)
class Tail:
    """From when an append was due at one node until a reader at another has it."""

    rate: int
    size: int = 100
    kind: str = field(default="tail", init=False)

    @property
    def title(self) -> str:
        return f"append to reader on another node, {self.rate}/s"


@dataclass(frozen=True)
class Failover:
    """kill -9 of the leader under one client that appends steadily."""

    interval_ms: int = 2
    timeout_ms: int = 100
    kind: str = field(default="failover", init=False)

    @property
    def title(self) -> str:
        return f"kill -9 of the leader, time-out {self.timeout_ms} ms"


@dataclass(frozen=True)
class Silence:
    """SIGSTOP of the leader under the same client: it keeps its connections and says nothing, until it is killed afterwards.

    A killed process's connections are closed at once by its kernel, so that a Failover tells how fast a reset is noticed; this
    one tells how fast silence is. Samples are those of a Failover: `gap_ms`, `acknowledged`, `timed_out`, `refused`.
    """

    interval_ms: int = 2
    timeout_ms: int = 100
    kind: str = field(default="silence", init=False)

    @property
    def title(self) -> str:
        return f"leader silent (SIGSTOP), time-out {self.timeout_ms} ms"


@dataclass(frozen=True)
class CatchUp:
    """A follower that was away while so many bytes were appended."""

    byte_count: int
    record_size: int = 64 << 10
    kind: str = field(default="catch-up", init=False)

    @property
    def title(self) -> str:
        return f"a follower {byte_count(self.byte_count)} behind"


@dataclass(frozen=True)
class Ceiling:
    """The driver against a server that acknowledges at once: what it could show at most."""

    clients: int
    size: int
    in_flight: int = 1
    batch: int = 1
    kind: str = field(default="ceiling", init=False)

    @property
    def append(self) -> Append:
        """What it is the ceiling of."""
        return Append(self.clients, self.size, self.in_flight, self.batch)

    @property
    def title(self) -> str:
        return f"a server that keeps nothing, {self.append.title}"


@dataclass(frozen=True)
class Local:
    """One log without a cluster, synced, beside RocksDB's fillseq."""

    clients: int
    size: int = 100
    kind: str = field(default="local", init=False)

    @property
    def title(self) -> str:
        return f"one process, synced, {Append(self.clients, self.size).title}"


@dataclass(frozen=True)
class Idle:
    """Nothing to do: what the processes of a system take then, all others running idle beside it."""

    kind: str = field(default="idle", init=False)

    @property
    def title(self) -> str:
        return "idle"


Work = Append | Tail | Failover | Silence | CatchUp | Ceiling | Local | Idle
KINDS = {kind.kind: kind for kind in (Append, Tail, Failover, Silence, CatchUp, Ceiling, Local, Idle)}


def encode(work: Work) -> dict:
    return asdict(work)


def decode(document: dict) -> Work:
    values = {key: value for key, value in document.items() if key != "kind"}
    return KINDS[document["kind"]](**values)


def systems_of(work: Work, chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Which systems can be asked for it; page.py says why the others cannot."""
    able: tuple[str, ...] = SYSTEMS
    if isinstance(work, Ceiling):
        return systems_of(work.append, chosen)
    if isinstance(work, (Tail, Failover, Silence)):
        # No standby of PostgreSQL notifies, and none takes over by itself.
        able = ("holdfast", "etcd", "nats")
    elif isinstance(work, Append) and work.batch > 1:
        # JetStream of this version has no batches.
        able = ("holdfast", "etcd", "postgresql")
    elif isinstance(work, Append) and work.in_flight > 1:
        # A connection of PostgreSQL has one transaction at a time.
        able = ("holdfast", "etcd", "nats")
    elif isinstance(work, Local):
        able = ("holdfast",)
    return tuple(system for system in able if system in chosen)


@dataclass(frozen=True)
class Plan:
    """`works` take turns in each of `rounds`; works that build clusters of their own have fewer."""

    name: str
    rounds: int
    duration_ms: int
    warm_up_ms: int
    works: tuple[Work, ...]
    catch_up: CatchUp
    catch_up_rounds: int
    failover: Failover
    kills: int
    silence: Silence
    silences: int

    def scaled_down(self) -> "Plan":
        """Every kind of cell once, as short as can be: to see that all of it works."""
        return replace(
            self, name="smoke", rounds=1, duration_ms=300, warm_up_ms=100,
            catch_up=CatchUp(8 << 20), catch_up_rounds=1, kills=1, silences=1,
        )


def full() -> Plan:
    appends = [Append(clients, size) for size in (100, 1024) for clients in (1, 16, 64, 256)]
    pipelined = [Append(1, 100, in_flight=256), Append(1, 100, batch=100), Append(16, 100, batch=100)]
    ceilings = [Ceiling(clients, 100) for clients in (1, 16, 64, 256)] + [Ceiling(64, 1024)]
    ceilings += [Ceiling(work.clients, work.size, work.in_flight, work.batch) for work in pipelined]
    locals_ = [Local(clients) for clients in (1, 16, 64)]
    works = [*appends, *pipelined, Tail(1_000), *ceilings, *locals_, Idle()]
    return Plan(
        name="full", rounds=5, duration_ms=2_000, warm_up_ms=500, works=tuple(works),
        catch_up=CatchUp(1 << 30), catch_up_rounds=5, failover=Failover(), kills=20, silence=Silence(), silences=5,
    )


def quick() -> Plan:
    works = [
        Append(1, 100), Append(64, 100), Append(1, 100, in_flight=256), Append(1, 100, batch=100),
        Tail(1_000), Ceiling(64, 100), Ceiling(1, 100, in_flight=256), Local(16), Idle(),
    ]
    return Plan(
        name="quick", rounds=5, duration_ms=1_000, warm_up_ms=250, works=tuple(works),
        catch_up=CatchUp(128 << 20), catch_up_rounds=2, failover=Failover(), kills=5, silence=Silence(), silences=2,
    )


def byte_count(value: int) -> str:
    for unit, scale in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= scale and value % scale == 0:
            return f"{value // scale} {unit}"
    return f"{value} B"
