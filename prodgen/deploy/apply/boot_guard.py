"""A unit that is there while an apply is at work: it puts things right after a power cut.

systemd runs it at the next boot before anything of the bench starts. It goes away with the apply.
"""

from __future__ import annotations

import sys
from pathlib import Path

from prodgen.deploy.system.atomic_write import TEMPORARY_PREFIX, create_file, sync_folder
from prodgen.host.programs import run
from prodgen.targets.systemd.escape import command, escaped_name, plain
from prodgen.targets.systemd.units import SYSTEM_FOLDER

UNITS = Path(SYSTEM_FOLDER)
WANTS = UNITS / "sysinit.target.wants"
PACKAGES = Path(__file__).parents[3]
"""The folder that this prodgen is imported from; `python -m` looks in its current folder first."""
RUNS = Path("/run/systemd/system")
"""There where systemd is this machine's init (sd_booted(3))."""


def unit_name(bench: str) -> str:
    """The name of a bench's guard."""
    return f"prodgen-recover-{escaped_name(bench)}.service"


def unit_text(bench: str, state: Path) -> str:
    """The unit. It runs before sysinit.target, so before whatever the bench has."""
    argv = (sys.executable, "-m", "prodgen", "apply", "--recover", str(state))
    return f"""\
# prodgen is at work on the bench {bench}. Should the power fail now, this puts things right at
# the next boot, and goes away.
[Unit]
Description={plain(f"{bench}: end or undo an interrupted prodgen apply")}
DefaultDependencies=no
Conflicts=shutdown.target
After=local-fs.target
Before=sysinit.target shutdown.target
ConditionPathExists={plain(str(state / "pending/journal.json"))}

[Service]
Type=oneshot
WorkingDirectory={plain(str(PACKAGES))}
ExecStart={command(argv)}
"""


def set_guard(bench: str, state: Path) -> None:
    """Puts the guard in place, where systemd runs this machine. Raises OSError."""
    if not RUNS.is_dir():
        return
    unit, draft = UNITS / unit_name(bench), _draft(bench)
    draft.unlink(missing_ok=True)
    create_file(draft, unit_text(bench, state).encode(), 0o644)
    draft.replace(unit)
    WANTS.mkdir(exist_ok=True)
    link = WANTS / unit.name
    link.unlink(missing_ok=True)
    link.symlink_to(unit)
    sync_folder(WANTS)
    sync_folder(UNITS)


def _draft(bench: str) -> Path:
    return UNITS / f"{TEMPORARY_PREFIX}{unit_name(bench)}.new"


def is_set(bench: str) -> bool:
    """Whether the guard, or some of it, is there."""
    unit = UNITS / unit_name(bench)
    return unit.exists() or (WANTS / unit.name).is_symlink() or _draft(bench).exists()


def clear_guard(bench: str) -> None:
    """Takes the guard away again. Raises OSError."""
    if not is_set(bench):
        return
    unit = UNITS / unit_name(bench)
    (WANTS / unit.name).unlink(missing_ok=True)
    unit.unlink(missing_ok=True)
    _draft(bench).unlink(missing_ok=True)
    sync_folder(WANTS)
    sync_folder(UNITS)
    run(("systemctl", "daemon-reload"))
