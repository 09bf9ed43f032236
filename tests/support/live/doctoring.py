"""`prodgen doctor` on a machine that is not as it should be, as far as one can be made so."""

from __future__ import annotations

import subprocess

from tests.support.live.restarting import ENVIRONMENT, argv_of
from tests.support.live.supervised import Supervised
from tests.support.outputs import parse

Check = dict[str, str]


def by_check(text: str) -> dict[str, list[Check]]:
    """The findings that were printed, by check."""
    found: dict[str, list[Check]] = {}
    for one in parse("doctor", text)["findings"]:
        found.setdefault(one["check"], []).append(one)
    return found


def only(found: dict[str, list[Check]], check: str, grade: str) -> Check:
    """The one finding of a check that has this grade."""
    [one] = [one for one in found[check] if one["grade"] == grade]
    return one


def examine_after(run: Supervised, script: str) -> dict[str, list[Check]]:
    """The findings where `script` has changed the view of the filesystem before (unshare(1))."""
    doctor = argv_of(run, ("doctor", "--format", "json"), None)
    argv = ["unshare", "--mount", "sh", "-c", f'set -e; {script}; exec "$@"', "sh", *doctor]
    done = subprocess.run(argv, capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    assert done.returncode in (0, 1), done
    return by_check(done.stdout)
