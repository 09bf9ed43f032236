"""A repository with a bench in two commits, as CI checks it out, and shell steps run in it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.command import Done, copy_bench
from tests.support.plans import ROOT

SETTINGS = """\
version: 1
host:
  path: /home/frappe/frappe-bench
  home: /home/frappe
  node: /usr/bin/node
  redis_server: /usr/bin/redis-server
environments:
  staging:
    web: {workers: 2}
"""
COMMON = "sites/common_site_config.json"
AUTHOR = {f"GIT_{who}_{what}": "t@example.com" if what == "EMAIL" else "t"
          for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}  # fmt: skip


class Checkout:
    """A shallow clone of a pull request's head, whose base stays in the origin."""

    def __init__(self, folder: Path, bench: str = ".") -> None:
        self.origin = folder / "origin"
        self.folder = folder / "checkout"
        self.workspace = self.folder
        """Where the steps run: above the checkout, if that has a `path` of its own."""
        self.temporary = folder / "runner"
        self.temporary.mkdir(parents=True)
        self.bench = bench
        copy_bench(self.origin / bench)
        (self.origin / bench / "prodgen.yaml").write_text(SETTINGS)
        self.git("init", "-q", "-b", "main")
        self.git("config", "uploadpack.allowAnySHA1InWant", "true")
        self.base = self.commit()

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        """What git prints."""
        return subprocess.run(
            ["git", *arguments],
            cwd=folder or self.origin,
            env={**os.environ, **AUTHOR, "GIT_CONFIG_GLOBAL": os.devnull},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def commit(self) -> str:
        """Commits everything in the origin, and returns the commit."""
        self.git("add", "--all", "--force")
        self.git("commit", "-q", "--allow-empty", "-m", "a change")
        return self.git("rev-parse", "HEAD")

    def edit(self, name: str, before: str, after: str) -> None:
        """Changes a file of the bench in the origin."""
        path = self.origin / self.bench / name
        text = path.read_text("utf-8")
        assert before in text
        path.write_text(text.replace(before, after))

    def check_out(self) -> None:
        """The head, with one commit of history: what actions/checkout and GitLab do."""
        self.commit()
        origin = f"file://{self.origin}"
        where = self.folder.parent
        self.git("clone", "-q", "--depth=1", origin, str(self.folder), folder=where)

    def run(self, script: str, env: Mapping[str, str], *programs: Path) -> Done:
        """Runs a step in the workspace as GitHub does; `programs` are folders on its PATH."""
        path = ":".join([*map(str, programs), os.environ["PATH"]])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.workspace,
            env={"PATH": path, "LANG": "C.UTF-8", "GIT_CONFIG_GLOBAL": os.devnull, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Done(done.returncode, done.stdout, done.stderr)


def put_prodgen(folder: Path) -> Path:
    """A `prodgen` in `folder` that is this checkout's; returns the folder.

    As the program that pip installs, it imports nothing from the current folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "prodgen"
    start = f"import sys; sys.path[0] = {str(ROOT)!r}; from prodgen.cli.main import main"
    words = shlex.join([sys.executable, "-c", f"{start}; sys.exit(main())"])
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    program.chmod(0o755)
    return folder
