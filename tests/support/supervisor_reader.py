"""What Supervisor's own parser makes of the file for Supervisor."""

from __future__ import annotations

from getpass import getuser
from pathlib import Path, PurePosixPath
from typing import Any

from supervisor.options import ServerOptions

from prodgen.plan.core.model import Plan
from prodgen.targets.supervisor.render import render_supervisor
from tests.support.plans import declared


def groups_read(plan: Plan, folder: Path) -> list[Any]:
    """The configs of the groups; logs go below `folder`, since Supervisor wants their folder."""
    plan = plan._replace(log_folder=declared(PurePosixPath(folder)))
    [artifact], found = render_supervisor(plan)
    assert not found, found
    return read(artifact.text.replace(f"user={plan.user.value}\n", f"user={getuser()}\n"), folder)


def read(text: str, folder: Path) -> list[Any]:
    """The configs of the groups in a configuration."""
    path = folder / "supervisord.conf"
    path.write_text(f"[supervisord]\nlogfile={folder}/log\n\n{text}", "utf-8")
    options = ServerOptions()
    options.configfile = str(path)
    options.realize(args=[])
    return list(options.process_group_configs)


def processes_read(plan: Plan, folder: Path) -> dict[str, Any]:
    """The process configs by name, of all groups."""
    return {
        config.name: config
        for group in groups_read(plan, folder)
        for config in group.process_configs
    }
