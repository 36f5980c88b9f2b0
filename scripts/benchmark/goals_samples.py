"""What one round of a goals run keeps of the answers of `holdfast bench`, by name. Every sample is flat: figures, or lists of
them where one round has many. Times are in microseconds, gaps in milliseconds."""

from .failure import Failure

Sample = dict[str, float | list[float]]


def local_os(document: dict) -> Sample:
    return {"records_per_second": _row(document, "append", clients=1)["records_per_second"]}


def local_always(document: dict) -> Sample:
    few, many = (_row(document, "append", clients=clients)["records_per_second"] for clients in (16, 256))
    return {"at_16": few, "at_256": many, "growing": _ratio(many, few)}


def rotation(document: dict) -> Sample:
    met = _row(document, "rotate: those that meet one")
    if not met["rotations"]:
        raise Failure("no append met a rotation")
    return {"worst_us": met["max_us"], "control_worst_us": _row(document, "rotate: control, none")["max_us"]}


def read(document: dict) -> Sample:
    one, two = (_row(document, "read", clients=clients)["records_per_second"] for clients in (1, 2))
    return {"one_reader": one, "two_readers": _ratio(two, one)}


def recovery(document: dict) -> Sample:
    killed, on_disk = _row(document, "recover: kill -9"), _row(document, "recover: kill -9, on disk")
    return {
        "clean_us": _row(document, "recover: clean stop")["p50_us"],
        "killed_bytes_per_second": killed["bytes_per_second"],
        "on_disk_bytes_per_second": on_disk["bytes_per_second"],
        "recovery_memory_bytes": max(killed["anonymous_bytes_max"], on_disk["anonymous_bytes_max"]),
    }


def append(document: dict) -> Sample:
    row = document["rows"][0]
    return {key: row[key] for key in ("records_per_second", "p50_us")} | _memory(_sound(document))


def json_lines(auto: dict, never: dict, always: dict) -> Sample:
    """The same appends in three clusters, which compress now and then, nothing, and everything."""
    return {
        "wire_share": _sound(always)["wire_share"], "auto_wire_share": _sound(auto)["wire_share"],
        "auto_in_never": _pace(auto, never),
    } | _memory(_sound(auto))


def incompressible(auto: dict, never: dict, disk_bytes_per_second: float) -> Sample:
    """The same, of bytes that nothing shortens; `disk_bytes_per_second` is what one of three writers gets."""
    written = auto["rows"][0]["bytes_per_second"]
    return {
        "bytes_per_second": written, "share_of_disk": _ratio(written, disk_bytes_per_second),
        "disk_bytes_per_second": disk_bytes_per_second, "auto_in_never": _pace(auto, never),
    } | _memory(_sound(auto))


def catch_up(document: dict) -> Sample:
    level, copy = (_row(document, work)["bytes_per_second"] for work in ("catch-up", "cp and sync"))
    before, meanwhile = (_row(document, f"append {when}")["p99_us"] for when in ("before", "meanwhile"))
    return {
        "share_of_copy": _ratio(level, copy), "p99_growth": _ratio(meanwhile, before),
        "p99_before_us": before, "p99_meanwhile_us": meanwhile,
    } | _memory(document["details"][0])


def failover(document: dict) -> Sample:
    detail = document["details"][0]
    return {"gaps_ms": detail["gaps_ms"], "retried": detail["failures"]}


def _row(document: dict, work: str, clients: int | None = None) -> dict:
    """A row with what stands beside it. Raises Failure when there is none."""
    for row, detail in zip(document["rows"], document["details"], strict=True):
        if row["work"] == work and clients in (None, row["clients"]):
            return detail | row
    raise Failure(f"the answer has no row \"{work}\"" + (f" of {clients} clients" if clients else ""))


def _sound(document: dict) -> dict:
    """What stands beside the only row. Raises Failure when appends failed."""
    detail = document["details"][0]
    if detail["failures"]:
        raise Failure(f"{detail['failures']} appends failed: what the others took tells nothing")
    return detail


def _memory(detail: dict) -> Sample:
    """Of the node that had most."""
    return {"memory_bytes": max(node["anonymous_bytes_max"] for node in detail["nodes"])}


def _pace(one: dict, other: dict) -> float:
    _sound(other)
    return _ratio(one["rows"][0]["records_per_second"], other["rows"][0]["records_per_second"])


def _ratio(one: float, other: float) -> float:
    if other <= 0:
        raise Failure("there is nothing to hold a figure against: the other one is 0")
    return one / other
