"""Other benches of this machine, told by the folders that processes run in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from prodgen.plan.core.model import Plan

MARK = "sites/common_site_config.json"
FOLDER_LINE = r"^(?:directory|WorkingDirectory)=(.+)$"
"""Where a process runs, in Supervisor's words and in systemd's."""


def folders_in(text: str) -> Iterator[Path]:
    """Where the processes run that a file of a manager's describes."""
    return (Path(row.strip()) for row in re.findall(FOLDER_LINE, text, re.MULTILINE))


def namesakes(plan: Plan, folders: Iterable[Path]) -> list[Path]:
    """The other benches that these folders of this bench's processes are in."""
    found = (bench_of(folder) for folder in folders)
    return sorted({one for one in found if one and not is_same(one, plan)})


def bench_of(folder: Path) -> Path | None:
    """The bench that a folder is in; None where it is in none."""
    return next((one for one in (folder, *folder.parents) if (one / MARK).is_file()), None)


def is_same(other: Path, plan: Plan) -> bool:
    """Whether a bench is the one of the plan."""
    return os.path.realpath(other) == os.path.realpath(plan.bench.value)
