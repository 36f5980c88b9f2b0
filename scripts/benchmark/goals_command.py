"""`scripts/bench --goals`: what it refuses, what it runs, and what it writes."""

import argparse
import json
from dataclasses import replace

from . import goals, goals_page, places
from .failure import Failure
from .holdfast import Holdfast

#: A gibibyte on each of three nodes, their segments, and a copy.
_GIBIBYTES = 12


def check(arguments: argparse.Namespace) -> None:
    """Raises Failure for what cannot be done as it was asked for; nothing is started yet."""
    if arguments.quick or arguments.growth or arguments.systems is not None:
        raise Failure("--goals measures Holdfast alone, and goes without --growth, --quick and --systems", exit_code=64)
    if arguments.smoke and arguments.page:
        raise Failure("--smoke measures nothing that could stand on a page: --page goes without it", exit_code=64)
    places.check_directory(arguments.dir, _GIBIBYTES)
    # Of the nodes that idle; `holdfast bench` takes ports that are free.
    places.check_ports(arguments.first_port, Holdfast.port_count)


def results(arguments: argparse.Namespace) -> dict:
    plan = goals.full().scaled_down() if arguments.smoke else goals.full()
    if arguments.rounds is not None:
        plan = replace(plan, rounds=arguments.rounds)
    return goals.GoalsRun(plan, arguments.holdfast.resolve(), arguments.dir.resolve(), arguments.first_port).run()


def write(found: dict, arguments: argparse.Namespace) -> None:
    """goals.json and goals.md in `--out`, which is there, and the section of `--page`."""
    (arguments.out / "goals.json").write_text(json.dumps(found, indent=1) + "\n")
    goals_page.write_report(found, arguments.out)
    print((arguments.out / "goals.md").read_text())
    if arguments.page:
        goals_page.write(found, arguments.page.resolve())
