"""The live tests in parts that each end within an hour, and which of them a change asks for.

`make test-all PART=systemd` runs one of them, every case of it. `.ci/run` runs, after `make test`,
the cases that `make test` leaves out (`matrix`) in the parts whose code has changed.
Needs nothing but Python, since `.ci/run` asks before anything is installed.

    python -m tests.parts changed [--since REVISION]    the parts that a change asks for
    python -m tests.parts paths PART...                 their test files
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Part(NamedTuple):
    """Live tests that belong together."""

    name: str
    tests: tuple[str, ...]
    """Patterns of their files, below tests/."""
    code: str
    """A pattern of the paths whose change asks for them."""


PARTS = (
    Part(
        "apply",
        ("live/apply/test_*.py",),
        r"^prodgen/(deploy/(?!doctor/|monitor/)|review/|targets/(manifest|install_readme|\w+/effects))"
        r"|run_as",
    ),
    Part("adopt", ("live/adopt/test_*.py",), r"adopt|takeover"),
    Part(
        "restart",
        ("live/restart/test_*.py",),
        r"restart|^prodgen/deploy/(jobs|managers|monitor|queue|session|system)/|run_as\.py$",
    ),
    Part(
        "privilege",
        ("live/privilege/test_*.py",),
        r"privilege|door|run_as|trust|programs|sudo|rights|running_bench|pipeline",
    ),
    Part("doctor", ("live/doctor/test_*.py",), r"doctor|finding|certificates"),
    Part(
        "supervisor",
        ("live/supervisor/test_*.py", "live/rig/test_supervisord.py"),
        r"supervisor|gunicorn|targets/(env_reader|redis)/",
    ),
    Part(
        "systemd",
        ("live/systemd/test_*.py",),
        r"systemd|gunicorn|targets/(env_reader|redis)/",
    ),
    Part("nginx", ("live/nginx/test_*.py",), r"nginx|certificates"),
    Part("docs", ("docs/test_pages.py",), r"^prodgen/(cli|app)/"),
    Part(
        "rig",
        ("live/rig/test_[gmnprw]*.py",),
        r"gunicorn",
    ),
)
NAMES = tuple(part.name for part in PARTS)
MATRIX = "mark.matrix"
EVERY = r"^(prodgen/plan/|prodgen/targets/(core/|__init__|registry)|tests/support/rig/)"
"""What all of them rest on."""
NONE = r"^(docs/(reference|_|conf)|share/|benchmarks/|fixtures/|ci/|\.github/)|^\w+\.md$|^LICENSE$"
"""What none of them can see."""


def parts_of(path: str) -> set[str]:
    """The parts that a change of this file asks for."""
    inside = path.removeprefix("tests/")
    if path.startswith("tests/") and not path.startswith("tests/support/rig/"):
        return {one.name for one in PARTS if any(Path(inside).match(glob) for glob in one.tests)}
    if re.search(NONE, path):
        return set()
    if path.startswith("docs/"):
        return {"docs"}
    if re.search(EVERY, path):
        return set(NAMES)
    return {one.name for one in PARTS if re.search(one.code, path)}


def files_of(names: Iterable[str]) -> list[str]:
    """The test files of these parts, from the checkout's folder."""
    wanted = set(names)
    globs = [glob for one in PARTS if one.name in wanted for glob in one.tests]
    found = {path for glob in globs for path in (ROOT / "tests").glob(glob)}
    return sorted(str(path.relative_to(ROOT)) for path in found)


def changed_files(since: str = "") -> list[str]:
    """The files that differ from `since`, else from where this branch left main, else from the
    commit before. Raises CalledProcessError where git does not know."""
    base = since or _base()
    return _git("diff", "--name-only", "--no-renames", base, "HEAD").splitlines()


def _base() -> str:
    head = _git("rev-parse", "HEAD")
    for main in ("origin/main", "main"):
        try:
            base = _git("merge-base", "HEAD", main)
        except subprocess.CalledProcessError:
            continue
        if base != head:
            return base
    return _git("rev-parse", "HEAD^")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def changed_parts(since: str = "") -> list[str]:
    """The parts that the change asks for, in order; says on standard error why."""
    try:
        files = changed_files(since)
    except (OSError, subprocess.CalledProcessError) as failure:
        reason = getattr(failure, "stderr", "") or str(failure)
        _say(f"git cannot tell what has changed ({reason.strip()}): the matrices of all parts")
        return list(NAMES)
    asked = {path: parts_of(path) for path in files}
    wanted = []
    for name in NAMES:
        because = [path for path, parts in asked.items() if name in parts]
        if not because:
            _say(f"matrix of {name}: left out, nothing of it has changed")
        elif not has_matrix(name):
            _say(f"matrix of {name}: none, `make test` runs all of it")
        else:
            more = f" and {len(because) - 1} more" if len(because) > 1 else ""
            _say(f"matrix of {name}: {because[0]}{more} changed")
            wanted.append(name)
    return wanted


def has_matrix(name: str) -> bool:
    """Whether a part has tests that `make test` leaves out."""
    return any(MATRIX in (ROOT / path).read_text("utf-8") for path in files_of([name]))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(words: Sequence[str]) -> int:
    """The command: its words, without the program's name."""
    verb, *rest = words or [""]
    if verb == "changed":
        since = rest[1] if rest[:1] == ["--since"] and len(rest) > 1 else ""
        sys.stdout.write("".join(f"{name}\n" for name in changed_parts(since)))
        return 0
    unknown = [name for name in rest if name not in NAMES]
    if verb == "paths" and rest and not unknown:
        sys.stdout.write("".join(f"{path}\n" for path in files_of(rest)))
        return 0
    _say(f"{', '.join(unknown)}: no such part" if unknown else "say `changed` or `paths PART`")
    _say(f"the parts are {', '.join(NAMES)}")
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
