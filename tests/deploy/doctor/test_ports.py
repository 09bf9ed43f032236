"""Ports that somebody else has: `prodgen doctor` says so where it knows whose the others are."""

from __future__ import annotations

import socket

from prodgen.deploy.doctor.finding import Grade
from prodgen.deploy.doctor.host import check_ports
from prodgen.deploy.managers.core.base import Process, State
from prodgen.plan.core.model import Address, Plan
from prodgen.provenance import default
from tests.support.systemd_plans import make_plan


def listening_at(port: int) -> Plan:
    """A plan with one service, at this port."""
    plan = make_plan()
    web = next(one for one in plan.services if one.address)
    return plan._replace(
        services=(web._replace(address=default(Address("127.0.0.1", port), "of the test")),)
    )


def test_a_taken_port_is_bad_only_where_the_manager_could_be_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        plan = listening_at(taken.getsockname()[1])
        [service] = plan.services
        down = Process(name=service.name.value, service=service, state=State.DOWN, word="down")
        assert [one.grade for one in check_ports(plan, [down])] == [Grade.BAD]
        assert list(check_ports(plan, [])) == []
        up = Process(name=service.name.value, service=service, state=State.UP, word="up", pid=1)
        assert list(check_ports(plan, [up])) == []
    assert [one.grade for one in check_ports(plan, [down])] == [Grade.GOOD]
