"""`scripts/bench` without what has to be installed and built; see `scripts/bench --help`."""

import argparse
import json
import shutil
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from . import growth, growth_page, install, page, plan, report
from .failure import Failure
from .plan import SYSTEMS
from .rounds import PORT_COUNT, Options, Run


def main() -> int:
    # An order to end is obeyed as Ctrl-C is: everything that was started is ended, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        arguments = _arguments()
        results = _results(arguments)
        _write(results, arguments)
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return failure.exit_code
    except KeyboardInterrupt:
        print("bench: interrupted: everything that was started is ended, nothing was written", file=sys.stderr)
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
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--dir", type=Path, default=Path("."))
    parser.add_argument("--base-port", type=int, default=22_400)
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    parser.add_argument("--page", type=Path)
    parser.add_argument("--readme", type=Path)
    parser.add_argument("--from", dest="results", type=Path)
    parser.add_argument("--holdfast", type=Path)
    parser.add_argument("--driver", type=Path)
    return parser.parse_args()


def _results(arguments: argparse.Namespace) -> dict:
    if arguments.results:
        return _read(arguments.results)
    if arguments.growth:
        return _grown(arguments)
    chosen = tuple(arguments.systems.split(","))
    if unknown := set(chosen) - set(SYSTEMS):
        raise Failure(f"there is no system {', '.join(sorted(unknown))}", next=f"one of {', '.join(SYSTEMS)}",
                      exit_code=64)
    the_plan = plan.quick() if arguments.quick or arguments.smoke else plan.full()
    if arguments.smoke:
        the_plan = the_plan.scaled_down()
    the_plan = _with_rounds(the_plan, arguments.rounds)
    install.install((*chosen, "rocksdb"))
    _check_place(arguments.dir, arguments.base_port)
    options = Options(
        plan=the_plan, systems=chosen, directory=arguments.dir.resolve(), base_port=arguments.base_port,
        holdfast=arguments.holdfast.resolve(), driver=arguments.driver.resolve())
    return Run(options).run()


def _grown(arguments: argparse.Namespace) -> dict:
    """A run of Holdfast alone, which needs no peers."""
    if arguments.quick or arguments.systems != ",".join(SYSTEMS):
        raise Failure("--growth measures Holdfast alone, and goes without --quick and --systems", exit_code=64)
    the_plan = growth.full().scaled_down() if arguments.smoke else growth.full()
    the_plan = _with_rounds(the_plan, arguments.rounds)
    _check_directory(arguments.dir, 8)
    return growth.GrowthRun(the_plan, arguments.holdfast.resolve(), arguments.dir.resolve()).run()


def _with_rounds(the_plan, rounds: int | None):
    """Either kind of plan, with as many rounds as were asked for."""
    if rounds is None:
        return the_plan
    if rounds < 1:
        raise Failure("--rounds must be at least 1", exit_code=64)
    return replace(the_plan, rounds=rounds)


def _read(path: Path) -> dict:
    try:
        results = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Failure(f"{path} cannot be read: {error}", next="name the results.json of a run", exit_code=66) from None
    if not isinstance(results, dict) or results.get("format") != 1:
        raise Failure(f"{path} is not of a run of this program", next="name the results.json of a run", exit_code=65)
    return results


def _check_directory(directory: Path, gibibytes: int) -> None:
    if not directory.is_dir():
        raise Failure(f"{directory} is no directory", next="name one on the disk to be measured with --dir", exit_code=64)
    free = shutil.disk_usage(directory).free
    if free < gibibytes << 30:
        raise Failure(
            f"{directory} has {free >> 30} GiB free; a run takes up to {gibibytes}", next="name another place with --dir")


def _check_place(directory: Path, base_port: int) -> None:
    _check_directory(directory, 24)
    for port in range(base_port, base_port + PORT_COUNT):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise Failure(f"port {port} is in use", next="choose others with --base-port") from None


def _write(results: dict, arguments: argparse.Namespace) -> None:
    arguments.out.mkdir(parents=True, exist_ok=True)
    if results["plan"] == "growth":
        (arguments.out / "growth.json").write_text(json.dumps(results, indent=1) + "\n")
        growth_page.write_report(results, arguments.out)
        print((arguments.out / "growth.md").read_text())
        if arguments.page:
            growth_page.write(results, arguments.page.resolve())
        return
    (arguments.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    report.write(results, arguments.out)
    print((arguments.out / "results.md").read_text())
    if arguments.page:
        page.write(results, arguments.page.resolve(), arguments.readme and arguments.readme.resolve())


if __name__ == "__main__":
    sys.exit(main())
