"""Whether a process runs by what is installed for it in a Supervisor file that has changed since.

supervisord tells what it has read (`getAllConfigInfo`), but for the environment, which the process
itself shows (proc(5)). A file has many programs, so its time says little of one of them.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from pathlib import Path

from prodgen.deploy.managers.core.base import Process
from prodgen.plan.core.model import Role
from prodgen.targets.supervisor.parse import supervisor_blocks
from prodgen.targets.supervisor.sections import Program, groups_of

Told = Mapping[str, object]
"""What supervisord says of one process."""
KEYS = {
    "command": "command",
    "directory": "directory",
    "priority": "process_prio",
    "startsecs": "startsecs",
    "startretries": "startretries",
    "stopsignal": "stopsignal",
    "stopwaitsecs": "stopwaitsecs",
    "autostart": "autostart",
    "killasgroup": "killasgroup",
    "redirect_stderr": "redirect_stderr",
    "stdout_logfile": "stdout_logfile",
    "stderr_logfile": "stderr_logfile",
}
"""A setting of the file, and supervisord's name for it."""
PAIR = r"""([A-Za-z_]\w*)=(?:'([^']*)'|"([^"]*)"|([^,'"]*))"""
"""One variable of `environment=` (supervisord.org/configuration.html)."""
SET_BY_SUPERVISOR = "SUPERVISOR_PROCESS_NAME"


def runs_as_installed(one: Process, told: Told, text: str) -> bool:
    """Whether nothing of the process's own differs from the file's text."""
    program = program_of(one.name, text)
    if program is None or not agrees(program, one.name.partition(":")[2], told):
        return False
    found = _environment(one.pid)
    if SET_BY_SUPERVISOR not in found:
        # Redis writes its title over its environment, and has no use for one.
        return one.role in (Role.CACHE, Role.QUEUE)
    return variables(program.setting("environment", "")).items() <= found.items()


def program_of(name: str, text: str) -> Program | None:
    """The program that makes the process `group:name`."""
    group, _, process = name.partition(":")
    found = groups_of(supervisor_blocks(text)).get(group)
    programs = found.programs.values() if found else ()
    return next((one for one in programs if process in one.processes), None)


def agrees(program: Program, process: str, told: Told) -> bool:
    """Whether supervisord has read what the program says of one of its processes, as it tells."""
    first = program.setting("numprocs_start", "0")
    number = program.processes.index(process) + (int(first) if first.isdigit() else 0)
    names = {"program_name": program.name, "process_num": number}
    return all(
        _as_told(key, _expanded(program.setting(key, ""), names)) == str(told.get(name))
        for key, name in KEYS.items()
        if key in program.block
    )


def _expanded(value: str, names: Mapping[str, object]) -> str:
    try:
        return value % names
    except (KeyError, ValueError, TypeError):
        return value


def _as_told(key: str, value: str) -> str:
    """A setting in supervisord's own form."""
    if key == "stopsignal":
        name = f"SIG{value.upper().removeprefix('SIG')}"
        return str(int(signal.Signals[name])) if name in signal.Signals.__members__ else value
    if key in ("autostart", "killasgroup", "redirect_stderr"):
        return str(value.lower() in ("true", "yes", "on", "1"))
    return value


def variables(text: str) -> dict[str, str]:
    """What `environment=` sets."""
    rows = re.findall(PAIR, text)
    return {name: (one or two or bare).replace("%%", "%") for name, one, two, bare in rows}


def _environment(pid: int) -> dict[str, str]:
    """What a process was started with; empty where we may not see it, or it was written over."""
    try:
        text = Path(f"/proc/{pid}/environ").read_bytes().decode("utf-8", "replace")
    except OSError:
        return {}
    return dict(row.split("=", 1) for row in text.split("\0") if "=" in row)
