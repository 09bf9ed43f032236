"""Supervisor reads its programs anew: only the groups of this bench that differ are touched."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Collection, Iterable, Sequence

from prodgen.deploy.jobs.stop_before_removal import end_workers
from prodgen.deploy.managers.core.base import STOP_SLACK, TimedOut
from prodgen.deploy.managers.core.wait import await_stopped
from prodgen.deploy.managers.supervisor.core.rpc import BAD_NAME, Rpc, find_server
from prodgen.deploy.restart.changed_services import restart_changed
from prodgen.deploy.session.activation import Activation
from prodgen.targets.core.effects import Action, Effect

POLL = 0.2
STILL = ("STOPPING", "RUNNING", "STARTING", "BACKOFF")
TOUCHED = (Action.RESTART, Action.START, Action.STOP)


def change(activation: Activation) -> None:
    """Stops, replaces and starts the groups that differ, and rolls the web where that is enough."""
    rpc = Rpc(find_server(activation.supervisor_config))
    groups = groups_in(activation.of("supervisor", *TOUCHED))
    if groups:
        added, changed, removed = rpc.call("reloadConfig")[0]
        for name in in_ending_order({*changed, *removed} & groups):
            end_group(activation, rpc, name)
        for name in reversed(in_ending_order({*added, *changed} & groups)):
            rpc.call("addProcessGroup", name)
            activation.say("started", f"Supervisor has begun to start {name}")
    rolled = activation.of("supervisor", Action.ROLL)
    if rolled:
        restart_changed(activation, rolled, activation.manager())


def stop(activation: Activation) -> None:
    """Ends every group of the bench, since another manager takes over."""
    rpc = Rpc(find_server(activation.supervisor_config))
    present = {one["group"] for one in rpc.call("getAllProcessInfo")}
    for name in in_ending_order(groups_in(activation.of("supervisor", *TOUCHED)) & present):
        end_group(activation, rpc, name)


def groups_in(effects: Iterable[Effect]) -> set[str]:
    """The groups of the processes that the effects are about."""
    return {effect.subject.partition(":")[0] for effect in effects}


def in_ending_order(groups: Iterable[str]) -> list[str]:
    """Workers, then the web, then Redis, which the others need to finish their jobs."""
    return sorted(groups, key=lambda name: (name.endswith("-redis"), name.endswith("-web"), name))


def end_group(activation: Activation, rpc: Rpc, name: str) -> None:
    """Stops a group, waits for its jobs, and has Supervisor forget it."""
    effects = [one for one in activation.effects if one.subject.startswith(f"{name}:")]
    seconds = max((one.seconds for one in effects), default=0)
    own = {one.subject: one.own_seconds for one in effects}
    activation.say("stopping", f"{name} stops; a job that runs is finished first")
    pids = {
        f"{name}:{one['name']}": int(one["pid"])
        for one in rpc.call("getAllProcessInfo")
        if one["group"] == name
    }
    try:
        end_workers(activation, pids, own, lambda one: rpc.call("stopProcess", one, False))
        rpc.call("stopProcessGroup", name, False)
        await_end(rpc, [name], seconds + STOP_SLACK)
        rpc.call("removeProcessGroup", name)
    except xmlrpc.client.Fault as fault:
        if fault.faultCode != BAD_NAME:
            activation.fail(f"Supervisor could not end {name}: {fault.faultString}")
    except TimedOut as late:
        activation.fail(str(late))


def await_end(rpc: Rpc, groups: Collection[str], patience: float) -> None:
    """Waits until nothing of the groups runs; raises TimedOut."""
    await_stopped(lambda: running(rpc.call("getAllProcessInfo"), groups), patience, POLL)


def running(infos: Sequence[dict[str, object]], groups: Collection[str]) -> list[str]:
    """The processes of the groups that have not ended."""
    return [
        str(one["name"]) for one in infos if one["group"] in groups and one["statename"] in STILL
    ]
