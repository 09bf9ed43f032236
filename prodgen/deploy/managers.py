"""The manager that a plan names, ready to be asked."""

from __future__ import annotations

from pathlib import Path

from prodgen.deploy.managed import ProcessManager
from prodgen.plan.model import Manager, Plan


def manager_of(plan: Plan, supervisor_config: Path | None = None) -> ProcessManager:
    """Supervisor or systemd; raises Refused where it cannot be found."""
    if plan.manager.value is Manager.SYSTEMD:
        from prodgen.deploy.systemd import Systemd

        return Systemd(plan)
    from prodgen.deploy.supervisor import Supervisor
    from prodgen.deploy.supervisor_rpc import Rpc, find_server

    return Supervisor(plan, Rpc(find_server(supervisor_config)))
