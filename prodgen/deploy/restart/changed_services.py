"""Services whose config differs restart in the safe order, as `prodgen restart` does it."""

from __future__ import annotations

from collections.abc import Iterable

from prodgen.deploy.managers.core.base import ProcessManager
from prodgen.deploy.restart.rolling import RestartOptions, Result, restart
from prodgen.deploy.session.activation import Activation
from prodgen.plan.core.model import Role
from prodgen.review.impact.reasons import ReasonFinder
from prodgen.targets.core.effects import Effect


def restart_changed(
    activation: Activation, effects: Iterable[Effect], manager: ProcessManager
) -> None:
    """Restarts the services behind the effects in the safe order; Redis by its manager."""
    context = activation.context
    names = _services(activation, effects)
    redis = {one.name.value for one in context.plan.with_role(Role.CACHE, Role.QUEUE)}
    mine = [name for name in names if name in redis]
    others = [name for name in names if name not in redis]
    if mine:
        found = [one.name for one in manager.look() if one.service.name.value in mine]
        activation.say("restarting", f"{', '.join(mine)} restarts; what uses it waits meanwhile")
        manager.restart(found, 90)
    if others:
        options = RestartOptions(parts=tuple(others))
        result: Result = restart(context, manager, activation.report, options, activation.lock)
        activation.problems = (*activation.problems, *result.problems)


def _services(activation: Activation, effects: Iterable[Effect]) -> list[str]:
    """The names of the services behind some effects, each once."""
    reasons = ReasonFinder(activation.context.plan)
    found = [reasons.service(effect) for effect in effects]
    return list(dict.fromkeys(one.name.value for one in found if one))
