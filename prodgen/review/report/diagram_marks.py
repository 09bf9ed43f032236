"""What happens to each service of a plan, for its diagram."""

from __future__ import annotations

from prodgen.plan.core.model import Plan
from prodgen.plan.views.diagram import NGINX
from prodgen.review.changes.change_set import Review
from prodgen.targets.core.effects import Action

QUIET = (Action.NOTHING, Action.REREAD)
STRENGTH = list(Action)


def diagram_marks(review: Review, plan: Plan) -> dict[str, str]:
    """The most disruptive action for each service and for nginx, by name."""
    found: dict[str, set[Action]] = {}
    for step in review.steps:
        if step.action in QUIET:
            continue
        for subject in step.subjects:
            name = NGINX if step.target == NGINX else _service(plan, subject)
            found.setdefault(name, set()).add(step.action)
    return {name: _strongest(actions).value for name, actions in found.items() if name}


def _strongest(actions: set[Action]) -> Action:
    """One of a service's processes that ends while another starts is a restart of it."""
    if {Action.START, Action.STOP} <= actions:
        return Action.RESTART
    return max(actions, key=STRENGTH.index)


def _service(plan: Plan, subject: str) -> str:
    """The service that a process or unit is one of, by the longest name that fits; else nothing.

    `GROUP:NAME-0` and `NAME@1.service` are what Supervisor and systemd call the first of NAME.
    """
    own = subject.rpartition(":")[2]
    names = (service.name.value for service in plan.services)
    fitting = [name for name in names if own == name or own.startswith((f"{name}-", f"{name}@",
                                                                       f"{name}."))]  # fmt: skip
    return max(fitting, key=len, default="")
