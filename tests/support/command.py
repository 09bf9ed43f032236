"""The `prodgen` command as a process of its own, and benches to run it on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.plans import FIXTURES, ROOT

COMMAND = (sys.executable, "-m", "prodgen")
ORDINARY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.getuid() == 0 else ()
"""Runs a command to whom the modes of files apply, as they do to everyone but root."""
PLAIN_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(ROOT),
    "LANG": "C.UTF-8",
    "TERM": "dumb",
}


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


def prodgen(
    *arguments: str | bytes | Path,
    cwd: Path = FIXTURES / "frappe-16/frappe-bench",
    env: Mapping[str, str] | None = None,
    command: Sequence[str] = COMMAND,
) -> Done:
    """Runs the command with nothing of this process's environment."""
    done = subprocess.run(
        [*command, *arguments],
        cwd=cwd,
        env={**PLAIN_ENVIRONMENT, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    out, err = (text.decode("utf-8", "backslashreplace") for text in (done.stdout, done.stderr))
    return Done(done.returncode, out, err)


def copy_bench(folder: Path, case: str = "frappe-16") -> Path:
    """A bench of the fixtures at `folder`, to be changed by a test."""
    shutil.copytree(FIXTURES / case / "frappe-bench", folder)
    return folder


def tree(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Content, mode and modification time of every file below `folder`, by path."""
    return {
        str(path.relative_to(folder)): (
            path.read_bytes() if path.is_file() else b"",
            path.lstat().st_mode,
            path.lstat().st_mtime_ns if path.is_file() else 0,
        )
        for path in sorted(folder.rglob("*"))
    }
