"""A run as `scripts/bench` writes it, small and with round figures, for the tests of what is made of it."""

from benchmark.plan import Append, CatchUp, Ceiling, Failover, Idle, Local, Tail, encode


def latency(p50: int, p99: int) -> dict:
    return {"p50_us": p50, "p90_us": p50, "p99_us": p99, "p999_us": p99, "max_us": 2 * p99}


def results() -> dict:
    cells = []

    def add(work, system, *samples):
        for number, sample in enumerate(samples, start=1):
            cells.append({
                "work": encode(work), "system": system, "round": number, "sample": {"disk_sync_us": 200.0} | sample})

    def rates(*values, p50=500, p99=2_000):
        return [
            {
                "records_per_second": value, "latency": latency(p50, p99), "failures": 0, "driver_cores": 0.2,
                "server_cores": 0.5, "server_memory_bytes": 64 << 20,
            } for value in values
        ]

    add(Append(1, 100), "holdfast", *rates(2_000, 2_400, 1_600))
    add(Append(1, 100), "etcd", *rates(1_000, 900, 1_100))
    add(Append(1, 100), "nats", *rates(4_000, 4_100, 3_900, p99=1_000))
    add(Append(1, 100, in_flight=256), "holdfast", *rates(90_000))
    add(Tail(1_000), "holdfast", {"delivery": latency(900, 1_800), "acknowledgement": latency(700, 900), "missing": 0})
    add(Tail(1_000), "etcd", {"delivery": latency(1_200, 2_500), "acknowledgement": latency(800, 900), "missing": 0})
    add(Failover(), "holdfast", *({"gap_ms": gap, "timed_out": 1, "refused": 2} for gap in (60.0, 80.0, 900.0)))
    add(Failover(), "etcd", *({"gap_ms": gap, "timed_out": 9, "refused": 4} for gap in (1_200.0, 1_600.0, 1_400.0)))
    add(CatchUp(1 << 30), "holdfast", {"seconds": 4.0, "bytes_per_second": (1 << 30) / 4, "fill_seconds": 5.0})
    add(CatchUp(1 << 30), "floor", {"seconds": 2.0, "bytes_per_second": (1 << 30) / 2})
    add(Local(16), "holdfast", *rates(40_000))
    add(Local(16), "rocksdb", *rates(20_000))
    add(Ceiling(1, 100), "holdfast", *rates(8_000))
    add(Idle(), "holdfast", {"server_cores": 0.01, "server_memory_bytes": 30 << 20})
    add(Idle(), "etcd", {"server_cores": 0.05, "server_memory_bytes": 90 << 20})
    systems = {
        name: {"version": "1.0", "promise": f"promise of {name}", "settings": "none", "is_synced": name != "nats"}
        for name in ("holdfast", "etcd", "nats")
    }
    machine = {
        "processor": "a processor", "processors": 2, "memory_bytes": 8 << 30, "kernel": "Linux 6", "distribution": "Debian",
        "file_system": "ext4 on /dev/vda",
    }
    return {
        "format": 1, "plan": "full", "rounds": 3, "duration_ms": 2_000, "warm_up_ms": 500, "kills": 3,
        "catch_up_rounds": 1, "began": "2026-01-01T00:00:00Z", "seconds": 600.0, "machine": machine,
        "systems": systems, "cells": cells, "failures": [],
    }
