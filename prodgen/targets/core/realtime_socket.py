"""The realtime server's own socket, which each manager must make room for."""

from __future__ import annotations

from pathlib import PurePosixPath

from prodgen.plan.core.model import Plan, Role, Service

NODE_NAMES = frozenset({"node", "nodejs"})


def is_node(service: Service) -> bool:
    """Whether the service is node's realtime server."""
    program = PurePosixPath(service.argv.value[0]).name
    return service.role.value is Role.REALTIME and program in NODE_NAMES


def realtime_socket(plan: Plan, service: Service) -> str:
    """The path of the unix socket that the service itself opens, if it is one."""
    if service.role.value is not Role.REALTIME or plan.proxy is None or not plan.proxy.realtime:
        return ""
    return plan.proxy.realtime.value.path
