"""What `holdfast bench` answers, small and with round figures, and a goals run made of it, in which everything is met."""

from benchmark import goals
from sample_run import results as compared

_MIB = 1 << 20


def answer(*rows: dict, **detail: object) -> dict:
    """Rows with the same beside each."""
    return {"bench": {}, "rows": list(rows), "details": [dict(detail) for _ in rows]}


def log_append(policy: str, **rates: float) -> dict:
    """Rates by callers; a bare loop runs beside them."""
    rows = [{"work": "append", "policy": policy, "clients": int(name[1:]), "records_per_second": rate}
            for name, rate in rates.items()]
    return answer(*rows, {"work": "bare pwrite", "policy": policy, "clients": 1, "records_per_second": 9e9})


def rotation(worst: float, control: float, rotations: int = 12) -> dict:
    return answer(
        {"work": "rotate", "clients": 1, "max_us": 9_000.0},
        {"work": "rotate: those that meet one", "clients": 1, "max_us": worst},
        {"work": "rotate: control, none", "clients": 1, "max_us": control}, rotations=rotations)


def reading(one: float, two: float) -> dict:
    return answer({"work": "read", "clients": 1, "records_per_second": one},
                  {"work": "read", "clients": 2, "records_per_second": two})


def recovery(clean_us: float, killed: float, on_disk: float, memory: int = 8 * _MIB) -> dict:
    return answer(
        {"work": "recover: clean stop", "clients": 1, "p50_us": clean_us, "bytes_per_second": 0},
        {"work": "recover: kill -9", "clients": 1, "p50_us": 1.0, "bytes_per_second": killed},
        {"work": "recover: kill -9, on disk", "clients": 1, "p50_us": 1.0, "bytes_per_second": on_disk},
        anonymous_bytes_max=memory)


def appending(rate: float, *, p50_us: float = 400, size: int = 100, failures: int = 0, share: float = 0.2) -> dict:
    row = {"work": "append", "clients": 1, "records_per_second": rate, "bytes_per_second": rate * size, "p50_us": p50_us}
    return answer(row, failures=failures, wire_share=share, nodes=nodes(40, 60, 50))


def catching_up(level: float, copy: float, before: float, meanwhile: float) -> dict:
    return answer(
        {"work": "catch-up", "clients": 0, "bytes_per_second": level},
        {"work": "cp and sync", "clients": 0, "bytes_per_second": copy},
        {"work": "append before", "clients": 4, "p99_us": before},
        {"work": "append meanwhile", "clients": 4, "p99_us": meanwhile}, failures=0, nodes=nodes(90, 100, 80))


def gaps(*milliseconds: float, retried: int = 0) -> dict:
    return answer({"work": "failover", "clients": 4}, gaps_ms=list(milliseconds), failures=retried, nodes=nodes(1))


def nodes(*mebibytes: int) -> list[dict]:
    return [{"node": number, "anonymous_bytes_max": held * _MIB, "cpu_seconds": 1.0}
            for number, held in enumerate(mebibytes, start=1)]


#: By the cell of the plan: what its commands answer.
ANSWERS: dict[str, tuple] = {
    "local append, os": (log_append("os", _1=3e6),),
    "local append, always": (log_append("always", _16=90e3, _256=600e3),),
    "rotation": (rotation(300, 200),),
    "read": (reading(8e6, 16e6),),
    "recovery": (recovery(2_000, 2.5e9, 4e9),),
    "quorum append": (appending(2_500),),
    "64 callers over 8 connections": (appending(50e3),),
    "64 connections": (appending(30e3),),
    "session": (appending(350e3),),
    "JSON lines": (appending(95, share=0.7), appending(100, share=1), appending(80)),
    "incompressible": (appending(1_000, size=400_000), appending(1_000, size=400_000), 500e6),
    "catch-up": (catching_up(700e6, 1_000e6, 1_000, 1_500),),
    "failover": (gaps(*range(5, 25)),),
    "handover": (gaps(1, 2, 3),),
}


def reached(**other: list[dict]) -> dict:
    """The document of a run of five rounds; `other` has the samples of a cell, by its name with _ for what is no letter."""
    cells = []
    for cell in goals.full().cells:
        sample = {"cores": 0.005} if cell.name == "idle" else cell.sample(*ANSWERS[cell.name])
        samples = other.get("".join(sign if sign.isalnum() else "_" for sign in cell.name), [sample] * 5)
        cells += [{"cell": cell.name, "round": number, "disk_sync_us": 80.0, "sample": found}
                  for number, found in enumerate(samples, start=1)]
    return {
        "format": 1, "plan": "goals", "smoke": False, "rounds": 5, "began": "2026-01-01T00:00:00Z", "seconds": 500.0,
        "machine": compared()["machine"], "version": "1.2.3", "cells": cells, "failures": [],
        "commands": {cell.name: [f"holdfast {command}" for command in cell.commands] for cell in goals.full().cells}}
