"""The manager that a plan names, ready to be asked."""

from __future__ import annotations

from pathlib import Path

from prodgen.deploy.managers.core.base import ProcessManager
from prodgen.plan.core.model import Manager, Plan


def manager_of(plan: Plan, supervisor_config: Path | None = None) -> ProcessManager:
    """Supervisor or systemd; raises ManagerError where it cannot be found."""
    if plan.manager.value is Manager.SYSTEMD:
        from prodgen.deploy.managers.systemd.control import Systemd

        return Systemd(plan)
    from prodgen.deploy.managers.supervisor.control import Supervisor
    from prodgen.deploy.managers.supervisor.core.rpc import Rpc, find_server

    return Supervisor(plan, Rpc(find_server(supervisor_config)))
