"""Runs prodgen commands one after the other as root, each in a fork of one warm process.

Reads a JSON list of command lines from standard input; writes a list of exit codes and texts.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile

LONGEST = 120
"""Seconds after which a command counts as hung: SIGALRM ends it."""


def run_one(words: list[str]) -> tuple[int, str]:
    """The exit code (minus the signal that ended it) and all output of one command."""
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            signal.alarm(LONGEST)
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            sys.argv = ["prodgen", *words]
            from prodgen.cli.main import main

            code = main()
            sys.stdout.flush()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        said.seek(0)
        return os.waitstatus_to_exitcode(status), said.read().decode("utf-8", "replace")


def main() -> None:
    """Runs them all."""
    os.umask(0o022)
    for name in (
        "prodgen.cli.group",
        "prodgen.cli.commands.apply",
        "prodgen.cli.commands.doctor",
        "redis",
    ):
        __import__(name)
    asked = json.load(sys.stdin)
    json.dump([run_one(words) for words in asked], sys.stdout)


if __name__ == "__main__":
    main()
