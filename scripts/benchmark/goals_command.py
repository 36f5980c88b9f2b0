"""`scripts/bench --goals`: what it refuses, what it runs, and what it writes."""

import argparse
import json
import shutil
from dataclasses import replace

from . import goals, goals_page
from .failure import Failure

#: A gibibyte on each of three nodes, their segments, and a copy.
_GIBIBYTES = 12
_BASE_PORT = 22_400


def check(arguments: argparse.Namespace) -> None:
    """Raises Failure for what cannot be done as it was asked for; nothing is started yet."""
    if arguments.quick or arguments.growth or arguments.systems is not None:
        raise Failure("--goals measures Holdfast alone, and goes without --growth, --quick and --systems", exit_code=64)
    if arguments.smoke and arguments.page:
        raise Failure("--smoke measures nothing that could stand on a page: --page goes without it", exit_code=64)
    if not arguments.dir.is_dir():
        raise Failure(f"{arguments.dir} is no directory", next="name one on the disk to be measured with --dir", exit_code=64)
    free = shutil.disk_usage(arguments.dir).free
    if free < _GIBIBYTES << 30:
        raise Failure(f"{arguments.dir} has {free >> 30} GiB free; a run takes up to {_GIBIBYTES}",
                      next="name another place with --dir")


def results(arguments: argparse.Namespace) -> dict:
    plan = goals.full().scaled_down() if arguments.smoke else goals.full()
    if arguments.rounds is not None:
        plan = replace(plan, rounds=arguments.rounds)
    return goals.GoalsRun(
        plan, arguments.holdfast.resolve(), arguments.dir.resolve(), arguments.base_port or _BASE_PORT).run()


def write(found: dict, arguments: argparse.Namespace) -> None:
    """goals.json and goals.md in `--out`, which is there, and the section of `--page`."""
    (arguments.out / "goals.json").write_text(json.dumps(found, indent=1) + "\n")
    goals_page.write_report(found, arguments.out)
    print((arguments.out / "goals.md").read_text())
    if arguments.page:
        goals_page.write(found, arguments.page.resolve())
