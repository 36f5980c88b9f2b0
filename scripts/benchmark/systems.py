"""What was compared: versions, settings, and what an acknowledgement of each system promises."""

from .plan import Local
from .summary import Summary, label
from .words import table

#: Settings that a cell depends on and a run's description of a system leaves out.
_SETTINGS_BESIDE = {
    "postgresql": "max_connections 300; max_wal_senders 8; shared_buffers and checkpoint_timeout by default",
    "etcd": "never compacted in a run",
}
#: `db_bench` does not say its version in a run's results: distributions whose package has one.
_ROCKSDB_VERSIONS = {"Debian GNU/Linux 12": "7.8.3"}


def systems(summary: Summary) -> str:
    """One row for each, and how old they are."""
    rows = [
        [label(name), system["version"], system["promise"], _settings(name, system["settings"])]
        for name, system in summary.results["systems"].items()
    ]
    if any("rocksdb" in summary.systems(work) for work in summary.works(Local)):
        rows.append(_rocksdb(summary))
    header = ["system", "version", "acknowledged means", "settings"]
    return f"{table(header, rows, words=4)}\n\n{_age(summary)}"


def _settings(name: str, told: str) -> str:
    beside = _SETTINGS_BESIDE.get(name, "")
    return f"{told}; {beside}" if beside and beside.partition(" ")[0] not in told else told


def _rocksdb(summary: Summary) -> list[str]:
    distribution = summary.results["machine"]["distribution"]
    version = next((known for prefix, known in _ROCKSDB_VERSIONS.items() if distribution.startswith(prefix)), "that of the package")
    return [
        label("rocksdb"), version, "in the write-ahead log on the disk (fdatasync) of the one process there is",
        "`db_bench --benchmarks=fillseq --sync=1 --batch_size=1 --compression_type=none`, a thread for each client; all else by "
        "default",
    ]


def _age(summary: Summary) -> str:
    return f"Peers are as packaged in {summary.results['machine']['distribution']}; newer versions of them exist."


def unsynced(summary: Summary, system: str) -> str:
    """The mark of a system that acknowledges what is on no disk."""
    known = summary.results["systems"].get(system)
    return " †" if known and not known["is_synced"] else ""


def footnote(summary: Summary) -> str:
    """What the mark means; empty when no system has it."""
    names = [label(name) for name, system in summary.results["systems"].items() if not system["is_synced"]]
    return f"\n\n† {', '.join(names)}: nothing is synced before it is acknowledged." if names else ""
