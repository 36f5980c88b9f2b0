"""Where a run took place."""

import os
import platform
import subprocess
from pathlib import Path


def describe(directory: Path) -> dict:
    return {
        "processor": _processor(),
        "processors": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "kernel": f"{platform.system()} {platform.release()}",
        "distribution": _distribution(),
        "file_system": _file_system(directory),
    }


def _processor() -> str:
    for line in _text("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _distribution() -> str:
    for line in _text("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "unknown"


def _file_system(directory: Path) -> str:
    asked = ["findmnt", "-n", "-v", "-o", "FSTYPE,SOURCE", "-T", str(directory)]
    try:
        return " on ".join(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split())
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
