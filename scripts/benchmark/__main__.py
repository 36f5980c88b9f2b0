"""`scripts/bench` without what has to be installed and built; see `scripts/bench --help`."""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from . import goals_command, goals_page, growth, growth_page, install, interruption, page, places, plan, postgresql, report
from .failure import Failure
from .plan import SYSTEMS
from .rounds import PORT_COUNT, Options, Run

#: What a run of each kind may take of the disk, in GiB.
_COMPARISON_GIBIBYTES, _GROWTH_GIBIBYTES = 24, 8


def main() -> int:
    interruption.obey()
    try:
        arguments = _arguments()
        _check(arguments)
        if arguments.check:
            return 0
        results = _results(arguments)
        _write(results, arguments)
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return failure.exit_code
    except KeyboardInterrupt:
        print(
            "bench: interrupted: everything that was started is ended, and no report was written\n"
            "  next: a comparison's cells so far are in results.json of --out; scripts/bench --from FILE reports them",
            file=sys.stderr)
        return 130
    return 1 if results["failures"] else 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Failure(message, next="scripts/bench --help", exit_code=64)


def _arguments() -> argparse.Namespace:
    parser = _Parser(prog="scripts/bench", add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--goals", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--systems")
    parser.add_argument("--dir", type=Path, default=Path("."))
    parser.add_argument("--base-port", type=int)
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    parser.add_argument("--page", type=Path)
    parser.add_argument("--from", dest="results", type=Path)
    # What scripts/bench adds: nothing is run; where programs are; how many of the words, the last ones, are the user's own.
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--readme", type=Path)
    parser.add_argument("--holdfast", type=Path)
    parser.add_argument("--driver", type=Path)
    parser.add_argument("--given", type=int, default=0)
    arguments = parser.parse_args()
    arguments.argv = sys.argv[len(sys.argv) - arguments.given:]
    arguments.chosen = tuple(arguments.systems.split(",")) if arguments.systems is not None else SYSTEMS
    arguments.first_port = places.BASE_PORT if arguments.base_port is None else arguments.base_port
    return arguments


def _check(arguments: argparse.Namespace) -> None:
    """Whether it can be done as it was asked for; nothing is installed, built or started yet."""
    if arguments.results:
        return
    if arguments.rounds is not None and arguments.rounds < 1:
        raise Failure("--rounds must be at least 1", exit_code=64)
    if arguments.only is not None and not arguments.growth:
        raise Failure("--only goes with --growth", next="--systems chooses among systems", exit_code=64)
    if arguments.goals:
        return goals_command.check(arguments)
    if arguments.growth:
        if arguments.quick or arguments.systems is not None or arguments.base_port is not None:
            raise Failure(
                "--growth measures Holdfast alone, at ports that are free: it goes without --quick, --systems and --base-port",
                exit_code=64)
        if arguments.only is not None:
            if arguments.page:
                raise Failure("--page goes without --only: the page shows all that grows", exit_code=64)
            growth.full().only(arguments.only)
        places.check_directory(arguments.dir, _GROWTH_GIBIBYTES)
        return
    if unknown := set(arguments.chosen) - set(SYSTEMS):
        raise Failure(f"there is no system {', '.join(sorted(unknown))}", next=f"one of {', '.join(SYSTEMS)}",
                      exit_code=64)
    places.check_directory(arguments.dir, _COMPARISON_GIBIBYTES)
    if "postgresql" in arguments.chosen:
        postgresql.check_reach(arguments.dir.resolve())
    places.check_ports(arguments.first_port, PORT_COUNT)


def _results(arguments: argparse.Namespace) -> dict:
    if arguments.results:
        return _read(arguments.results)
    if arguments.goals:
        return goals_command.results(arguments)
    if arguments.growth:
        return _grown(arguments)
    the_plan = plan.quick() if arguments.quick or arguments.smoke else plan.full()
    if arguments.smoke:
        the_plan = the_plan.scaled_down()
    the_plan = _with_rounds(the_plan, arguments.rounds)
    install.install((*arguments.chosen, "rocksdb"))
    arguments.out.mkdir(parents=True, exist_ok=True)
    options = Options(
        plan=the_plan, systems=arguments.chosen, directory=arguments.dir.resolve(),
        base_port=arguments.first_port, holdfast=arguments.holdfast.resolve(), driver=arguments.driver.resolve(),
        argv=tuple(arguments.argv),
        save=lambda results: _save(results, arguments.out / "results.json"))
    return Run(options).run()


def _grown(arguments: argparse.Namespace) -> dict:
    """A run of Holdfast alone, which needs no peers."""
    the_plan = growth.full().scaled_down() if arguments.smoke else growth.full()
    if arguments.only is not None:
        the_plan = the_plan.only(arguments.only)
    the_plan = _with_rounds(the_plan, arguments.rounds)
    run = growth.GrowthRun(the_plan, arguments.holdfast.resolve(), arguments.dir.resolve())
    run.results["argv"] = list(arguments.argv)
    return run.run()


def _with_rounds(the_plan, rounds: int | None):
    """Either kind of plan, with as many rounds as were asked for."""
    return the_plan if rounds is None else replace(the_plan, rounds=rounds)


def _read(path: Path) -> dict:
    try:
        results = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Failure(f"{path} cannot be read: {error}", next="name the results.json of a run", exit_code=66) from None
    if not isinstance(results, dict) or results.get("format") != 1:
        raise Failure(f"{path} is not of a run of this program", next="name the results.json of a run", exit_code=65)
    return results


def _save(results: dict, path: Path) -> None:
    """As a whole or not at all: whoever interrupts it has what was there before."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(results, indent=1) + "\n")
    os.replace(new, path)


def _write(results: dict, arguments: argparse.Namespace) -> None:
    arguments.out.mkdir(parents=True, exist_ok=True)
    if results["plan"] == "goals":
        return goals_command.write(results, arguments)
    if results["plan"] == "growth":
        _save(results, arguments.out / "growth.json")
        growth_page.write_report(results, arguments.out)
        print((arguments.out / "growth.md").read_text())
        if arguments.page:
            growth_page.write(results, arguments.page.resolve())
        return
    _save(results, arguments.out / "results.json")
    report.write(results, arguments.out)
    print((arguments.out / "results.md").read_text())
    if arguments.page:
        with goals_page.kept(arguments.page.resolve()):
            page.write(results, arguments.page.resolve(), arguments.readme and arguments.readme.resolve())


if __name__ == "__main__":
    sys.exit(main())
