"""A program in the place of `holdfast`, which answers quickly what a test has prepared."""

import json
import os
import tempfile
import unittest
from pathlib import Path

#: The answer lies in the file whose name the arguments begin with, the longest of them. What has none, or an empty one, fails.
_PROGRAM = """\
#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/calls"
[ "$*" != --version ] || { echo 1.2.3; exit; }
found=
for answer in "$here"/*.json; do
    name=$(basename "$answer" .json)
    case "$*" in "$name"" "*) [ ${#name} -le ${#found} ] || found=$name ;; esac
done
[ ! -s "$here/$found.json" ] || exec cat "$here/$found.json"
echo "no room" >&2
exit 70
"""


class StandIn:
    """In a directory of its own, which is gone after the test."""

    def __init__(self, test: unittest.TestCase) -> None:
        place = tempfile.TemporaryDirectory()
        test.addCleanup(place.cleanup)
        self.place = Path(place.name)
        self.program = self.place / "holdfast"
        self.program.write_text(_PROGRAM)
        os.chmod(self.program, 0o755)

    def answers(self, command: str, document: dict | None) -> None:
        """Whatever begins with that command; `None` is no answer: it fails, and says "no room"."""
        (self.place / f"{command}.json").write_text("" if document is None else json.dumps(document))

    @property
    def calls(self) -> list[str]:
        """What it was asked, in order, the version first."""
        return (self.place / "calls").read_text().splitlines()

    def left(self, before: set[Path]) -> set[str]:
        """What is in its directory beside what was there, and what it notes."""
        return {path.name for path in set(self.place.iterdir()) - before} - {"calls"}
