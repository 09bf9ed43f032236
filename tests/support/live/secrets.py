"""A planted secret: where it must arrive, and all the places where it must not be seen."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import threading
from collections.abc import Iterable
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple

from tests.support.live.restarting import COMMAND, ENVIRONMENT, prodgen
from tests.support.live.supervised import Supervised
from tests.support.live.systemd_bench import Run
from tests.support.rig import procs

OF_FILES = (
    ("validate",),
    ("plan",),
    ("plan", "--format", "json"),
    ("render", "-t", "all"),
    ("explain", "frappe-web"),
    ("explain", "plan"),
)
OF_PROCESSES = (
    ("status",),
    ("status", "--format", "json"),
    ("doctor",),
    ("doctor", "--format", "json"),
)
TRICKY = """it's "hunter2" $HOME `id` \\\\ # ; %n é"""
"""A value that each reader would change, if it evaluated anything."""


class Planted(NamedTuple):
    """The secrets of one test, none of which is a part of anything else."""

    password: str
    token: str

    @property
    def text(self) -> str:
        """The file that hands them out."""
        guarded = self.tricky.replace("\\", "\\\\").replace('"', '\\"')
        return f"# planted\nDB_PASSWORD='{self.password}'\nAPI_TOKEN=\"{guarded}\"\n"

    @property
    def tricky(self) -> str:
        """The token with everything around it that needs quoting."""
        return f"{self.token} {TRICKY}"

    def has_arrived(self, pid: int) -> bool:
        """Whether a process has exactly these."""
        found = procs.environment(pid)
        return (found.get("DB_PASSWORD"), found.get("API_TOKEN")) == (self.password, self.tricky)

    def is_in(self, text: str) -> bool:
        """Whether one of them stands in a text."""
        return self.password in text or self.token in text

    def seen_in(self, files: Iterable[Path]) -> list[str]:
        """The files that hold one."""
        return [str(file) for file in files if self.is_in(file.read_text(errors="replace"))]


def command_lines() -> str:
    """The command line of every process of this machine."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_text(errors="replace"))
        except OSError:
            continue
    return "\n".join(lines)


def pids_here(run: Run) -> dict[int, int]:
    """The pids of the machine's processes as this host numbers them, by their own."""
    found = {}
    for pid in procs.descendants(run.machine.pid):
        with contextlib.suppress(OSError):
            [line] = re.findall(r"^NSpid:.*", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
            found[int(line.split()[-1])] = pid
    return found


def files_below(*folders: Path) -> list[Path]:
    """Every regular file in these folders."""
    found = (file for folder in folders for file in folder.rglob("*"))
    return [file for file in found if file.is_file() and not file.is_symlink()]


class Watch:
    """Looks at all command lines again and again until the end of the block."""

    def __init__(self, planted: Planted) -> None:
        self.planted = planted
        self.looks = 0
        self.seen: set[str] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._stopped.is_set():
            self.looks += 1
            lines = command_lines()
            if self.planted.is_in(lines):
                self.seen |= {line for line in lines.split("\n") if self.planted.is_in(line)}

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()


def plant() -> Planted:
    """New secrets."""
    return Planted(f"Pw{token_hex(8)}", f"Tk{token_hex(8)}")


def said(run: Supervised | Run) -> str:
    """All that prodgen prints about a bench."""
    texts = [_on_its_files(run, *words) for words in OF_FILES]
    for words in OF_PROCESSES:
        done = prodgen(run, *words)
        assert done.code in (0, 1, 4), done
        texts.append(f"{done}")
    text = "\n".join(texts)
    assert "is for its readers alone" in text, "the doctor finds nothing wrong"
    return text


def _on_its_files(run: Supervised | Run, *words: str) -> str:
    """What a command says that looks at no process."""
    variables = [f"{key}={value}" for key, value in ENVIRONMENT.items()]
    own = ["env", "-i", "-C", "/", *variables, *COMMAND, *words, "--bench", str(run.bench.path)]
    argv = run.bench.place.argv(own)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    return done.stdout + done.stderr


def stale(run: Supervised | Run) -> str:
    """What `prodgen status` says the web tier is older than."""
    services = json.loads(prodgen(run, "status", "--format", "json").out)["services"]
    return str(next(one["newer_config"] for one in services if one["name"].endswith("frappe-web")))
