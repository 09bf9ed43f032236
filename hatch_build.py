"""Hatchling's hook: a wheel or sdist made in a git work tree says from which commit."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

RECORD = "prodgen/commit.txt"
"""What `prodgen --version` reads; an sdist hands it on to the wheel that is made of it."""


class CommitHook(BuildHookInterface):
    """Adds the record to what is built; an editable install has none, its sources change."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        self.folder = tempfile.mkdtemp()
        commit = _commit(Path(self.root))
        if commit and version != "editable" and not Path(self.root, RECORD).exists():
            record = Path(self.folder, "commit.txt")
            record.write_text(f"{commit}\n", "utf-8")
            build_data["force_include"][str(record)] = RECORD

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        shutil.rmtree(self.folder)


def _commit(root: Path) -> str:
    """The commit that is checked out at `root`, with a plus where tracked files differ from it.

    Empty where git does not know the folder itself: it may lie in somebody else's repository.
    """
    top = _git(root, "rev-parse", "--show-toplevel")
    if not top or not Path(top).samefile(root):
        return ""
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return _git(root, "rev-parse", "--short=12", "HEAD") + ("+" if changed else "")


def _git(root: Path, *arguments: str) -> str:
    program = shutil.which("git")
    if program is None:
        return ""
    env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    done = subprocess.run(
        [program, *arguments], cwd=root, env=env, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""
