"""Every process manager; mypy finds one that is missing."""

from __future__ import annotations

from pathlib import Path

from prodgen.deploy.managers.core.base import ProcessManager
from prodgen.deploy.managers.supervisor.backend import BACKEND as SUPERVISOR
from prodgen.deploy.managers.systemd.backend import BACKEND as SYSTEMD
from prodgen.deploy.session.backend import Backend
from prodgen.plan.core.model import Manager, Plan, assert_never


def backend_of(manager: Manager) -> Backend:
    """What depends on this manager."""
    if manager is Manager.SUPERVISOR:
        found = SUPERVISOR
    elif manager is Manager.SYSTEMD:
        found = SYSTEMD
    else:
        assert_never(manager)
    return found


def manager_of(plan: Plan, supervisor_config: Path | None = None) -> ProcessManager:
    """The manager that the plan names, ready to be asked. Raises ManagerError."""
    return backend_of(plan.manager.value).connect(plan, supervisor_config)
