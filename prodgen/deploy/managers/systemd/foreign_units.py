"""Units that end by a config of somebody else's: no job and no request pays for what it lacks.

By systemd's default, `KillMode=control-group`, the end of a unit is told to every process in it,
and RQ's work-horse dies of it with its job (systemd.kill(5); rq/worker.py,
`setup_work_horse_signals`). After `TimeoutStopSec=`, 90 s by default, all of it is killed.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from prodgen.deploy.managers.core.base import ManagerError
from prodgen.deploy.managers.systemd.control import list_command, parse_show
from prodgen.host.programs import run
from prodgen.targets.core.effects import Action
from prodgen.targets.systemd.effects import file_of
from prodgen.targets.systemd.units import SYSTEM_FOLDER

if TYPE_CHECKING:
    from prodgen.deploy.session.activation import Activation
    from prodgen.plan.core.model import Plan

RUN = Path("/run/systemd/system")
"""Where settings stand that do not outlive a boot (systemd.unit(5))."""
UNITS = Path(SYSTEM_FOLDER)
DROP_IN = "prodgen-leaving.conf"
EASY = "[Service]\nKillMode=mixed\nTimeoutStopSec={seconds}\n"


@contextlib.contextmanager
def with_long_stop_timeout(plan: Plan, asked: Sequence[str], units: Sequence[str]) -> Iterator[int]:
    """While it lasts, the end of a service is told to its main process, which has the time that
    the longest job may need; gives that time in seconds, or 0 where the units say so themselves.

    Raises ManagerError.
    """
    hard = [] if plan.is_of_user else _hard(asked, units)
    seconds = max((one.stop.value.seconds for one in plan.services), default=90)
    places = {unit: RUN / f"{unit}.d" / DROP_IN for unit in units}
    # A run that was killed may have left its own.
    made = [path for unit, path in places.items() if unit in hard or path.exists()]
    try:
        _write(made, EASY.format(seconds=seconds))
        _reread(asked, made)
        yield seconds if made else 0
    finally:
        for path in made:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
                path.parent.rmdir()
        _reread(asked, made)


def _write(paths: Sequence[Path], text: str) -> None:
    try:
        for path in paths:
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            path.write_text(text)
    except OSError as failure:
        raise _unchangeable(failure) from failure


def _unchangeable(failure: OSError) -> ManagerError:
    reason = (failure.strerror or str(failure)).lower()
    return ManagerError(
        "PG911",
        f"{failure.filename} cannot be changed: {reason}",
        "run it as root, and see whether there is room",
    )


def _reread(asked: Sequence[str], made: Sequence[Path]) -> None:
    if made:
        run((*asked, "daemon-reload"), timeout=120)


def _hard(asked: Sequence[str], units: Sequence[str]) -> list[str]:
    """Those of the services whose end would be told to all of their processes."""
    services = [unit for unit in units if unit.endswith(".service")]
    if not services:
        return []
    shown = parse_show(run((*asked, "show", "--property=Id,KillMode", "--", *services)).out)
    return [unit for unit in services if shown.get(unit, {}).get("KillMode") == "control-group"]


def unlisted_running_units(activation: Activation, asked: Sequence[str]) -> list[str]:
    """Units that run by files which go, though no target of theirs has named them: instances that
    somebody has started or enabled by hand."""
    stopped = activation.of("systemd", Action.STOP)
    passive = activation.of("systemd", Action.REREAD)
    files = {one.program for one in stopped} | {
        one.program for one in passive if one.because_of == "gone"
    }
    services = [name for name in files if name.endswith(".service")]
    if not services:
        return []
    patterns = [name.replace("@.service", "@*.service") for name in sorted(services)]
    rows = run(list_command(asked, patterns)).out.splitlines()
    found = [line.lstrip("●* ").split()[0] for line in rows if " active " in f" {line} "]
    known = {one.subject for one in stopped}
    return [unit for unit in found if unit not in known and unit not in activation.kept]


def outdated(asked: Sequence[str], units: Sequence[str]) -> list[str]:
    """Those of the units that run by a file that is no longer there so: somebody has started them
    though no target wanted them, as it is with bench's scheduler. Asked before a daemon-reload."""
    if not units:
        return []
    said = run((*asked, "show", "--property=Id,ActiveState,NeedDaemonReload", "--", *units)).out
    return [
        name
        for name, one in parse_show(said).items()
        if one.get("ActiveState") == "active" and one.get("NeedDaemonReload") == "yes"
    ]


def drop_foreign_links(activation: Activation) -> None:
    """Takes away what makes the next boot start a unit of these names from somebody else's folder:
    `systemctl enable` of a linked unit leads to the link's end. Raises ManagerError."""
    if activation.context.plan.is_of_user:
        return
    names = {one.program for one in activation.of("systemd")}
    for kind in ("wants", "requires"):
        for link in UNITS.glob(f"*.{kind}/*"):
            if file_of(link.name) in names and link.is_symlink():
                end = Path(os.path.normpath(link.parent / link.readlink()))
                if end.parent != UNITS or not end.exists():
                    _unlink(link)


def _unlink(link: Path) -> None:
    try:
        link.unlink()
    except OSError as failure:
        raise _unchangeable(failure) from failure


def serves_web(unit: str, pids: Mapping[str, int]) -> bool:
    """Whether a unit answers requests: those end last, right before the new ones begin."""
    if unit.endswith(".socket"):
        return True
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pids.get(unit) or 0}/cmdline").read_bytes()
        return re.search(rb"\bfrappe\.app\b", words) is not None
    return False
