"""systemd reads its units anew: what is no longer wanted stops, what has to restarts, in order."""

from __future__ import annotations

import os
from collections.abc import Sequence

from prodgen.deploy.jobs.stop_before_removal import end_workers
from prodgen.deploy.managers.core.base import STOP_SLACK, ManagerError, TimedOut
from prodgen.deploy.managers.core.wait import await_stopped
from prodgen.deploy.managers.systemd.control import control, parse_show, show_command, verb_command
from prodgen.deploy.managers.systemd.foreign_units import (
    drop_foreign_links,
    outdated,
    serves_web,
    unlisted_running_units,
    with_long_stop_timeout,
)
from prodgen.deploy.restart.changed_services import restart_changed
from prodgen.deploy.session.activation import Activation
from prodgen.host.programs import run
from prodgen.targets.core.effects import Action
from prodgen.targets.systemd.units import Tier, names_of

POLL = 0.1


def change(activation: Activation) -> None:
    """Reloads the units, stops what goes, restarts what has to, and starts what is new."""
    plan = activation.context.plan
    asked = control(plan, os.geteuid())
    names = names_of(plan)
    new = [one.subject for one in activation.of("systemd", Action.START)]
    old = outdated(asked, new)
    _do((*asked, "daemon-reload"))
    gone = old + [one.subject for one in activation.of("systemd", Action.STOP)]
    gone += unlisted_running_units(activation, asked)
    pids = _main_pids(asked, gone)
    web = [unit for unit in gone if serves_web(unit, pids)]
    rest = [unit for unit in gone if unit not in web]
    changed = [one.subject for one in activation.of("systemd", Action.RESTART)]
    with with_long_stop_timeout(plan, asked, [*rest, *changed]) as seconds:
        _stop(activation, asked, rest, seconds)
        _restart(activation, asked, changed)
    drop_foreign_links(activation)
    _do((*asked, "enable", "--quiet", names.target))
    _stop(activation, asked, web)  # last, for what comes in its place is started at once
    if new:
        activation.say("starting", f"{names.target} starts what is new")
    # A target that is up already does not start what it has only now begun to want.
    tiers = [names.tier(tier) for tier in Tier]
    _do((*asked, "start", "--no-block", names.target, *tiers, *new))


def _restart(activation: Activation, asked: Sequence[str], units: Sequence[str]) -> None:
    """Restarts what has to, each service by its own rules; a socket is closed first."""
    sockets = [unit for unit in units if unit.endswith(".socket")]
    if sockets:
        _reopen(activation, asked, sockets)
    effects = activation.of("systemd", Action.ROLL, Action.RESTART)
    services = [one for one in effects if not one.subject.endswith(".socket")]
    if services:
        restart_changed(activation, services, activation.manager())


def stop(activation: Activation) -> None:
    """Ends every unit of the bench, since another manager takes over."""
    asked = control(activation.context.plan, os.geteuid())
    target = names_of(activation.context.plan).target
    _do((*asked, "disable", "--quiet", target))
    _stop(activation, asked, [one.subject for one in activation.of("systemd", Action.STOP)])
    _do((*asked, "stop", target))


def _main_pids(asked: Sequence[str], units: Sequence[str]) -> dict[str, int]:
    """The main process of each unit, 0 where none runs."""
    found = parse_show(run(show_command(asked, units)).out) if units else {}
    return {unit: int(one.get("MainPID") or 0) for unit, one in found.items()}


def _stop(
    activation: Activation, asked: Sequence[str], units: Sequence[str], least: int = 0
) -> None:
    """Ends the units; each has the seconds that its file gives it, or `least` if that is more."""
    if not units:
        return
    activation.say("stopping", f"{', '.join(units)} stops; a job that runs is finished first")
    pids = _main_pids(asked, units)
    given = {one.subject: one.seconds for one in activation.of("systemd", Action.STOP)}
    seconds = {unit: max(given.get(unit, 0), least) for unit in units}
    end_workers(activation, pids, seconds, lambda unit: _do(verb_command(asked, "stop", [unit])))
    _do(verb_command(asked, "stop", units))
    try:
        _await_end(asked, units, max(seconds.values()) + STOP_SLACK)
    except TimedOut as late:
        activation.fail(str(late))


def _await_end(asked: Sequence[str], units: Sequence[str], patience: float) -> None:
    def not_ended() -> list[str]:
        found = parse_show(run(show_command(asked, units)).out)
        return [
            unit
            for unit in units
            if found.get(unit, {}).get("ActiveState") not in (None, "inactive", "failed")
        ]

    await_stopped(not_ended, patience, POLL)


def _reopen(activation: Activation, asked: Sequence[str], sockets: Sequence[str]) -> None:
    """Closes a socket whose place changes; its services have to stop first."""
    services = [
        one.subject
        for one in activation.of("systemd", Action.RESTART, Action.ROLL)
        if one.because_of.partition(" ")[0] in sockets
    ]
    activation.say("restarting", f"{', '.join(sockets)} closes and opens anew")
    _do((*asked, "stop", *services, *sockets))


def _do(argv: Sequence[str]) -> None:
    done = run(argv, timeout=600)
    if done.code != 0:
        raise ManagerError(
            "PG909", f"{' '.join(done.argv[:3])}: {done.reason}", "see `journalctl -e` for more"
        )
