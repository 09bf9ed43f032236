"""New programs tried by supervisord's own parser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from prodgen.deploy.managers.supervisor.core.rpc import CONFIGS
from prodgen.deploy.session.trial import Trial, complaint
from prodgen.host.programs import run
from prodgen.host.system_path import SYSTEM_PATH
from prodgen.host.trust import danger_on_way
from prodgen.inputs.reader import read_regular

LONGEST_LINE = 4096
"""Bytes at the start of a script in which its first line ends."""
PARSE = (
    "import sys; from supervisor.options import ServerOptions; "
    "one = ServerOptions(); one.realize(['-c', sys.argv[1]])"
)
"""supervisord's own reading of its config; it has no option that only tries it."""


def test_config(trial: Trial) -> Iterator[str]:
    """What supervisord has against the new file of the bench, beside those of others."""
    prefix = trial.prefix("supervisor")
    if prefix is None:
        return
    config = next((str(one) for one in CONFIGS if one.exists()), "")
    program = shutil.which("supervisord", path=SYSTEM_PATH)
    python = _interpreter(Path(program)) if program else ""
    if python and (danger := danger_on_way(Path(python))):
        words = f"{danger}: root does not run it, so supervisord did not try its programs"
        trial.notes.append(words)
        return
    if not config or not python:
        words = "supervisord or its config is not there, so its programs were not tried"
        trial.notes.append(words)
        return
    done = run((*prefix, python, "-I", "-c", PARSE, config), timeout=60)
    if done.code != 0:
        yield complaint(done)


def _interpreter(program: Path) -> str:
    """The Python that runs a script; empty where the script does not say."""
    try:
        first = read_regular(program, LONGEST_LINE).split(b"\n", 1)[0]
    except OSError:
        return ""
    words = first[2:].decode("utf-8", "replace").split() if first.startswith(b"#!") else []
    return words[-1] if words and words[0].endswith("env") else " ".join(words[:1])
