"""What the commands that look at a running bench have in common."""

from __future__ import annotations

from prodgen.app.pipeline import Outcome
from prodgen.deploy.privilege.admission import NotAdmitted
from prodgen.deploy.session.bench_context import BenchContext, context_of
from prodgen.diagnostics import Severity


def context_from(outcome: Outcome) -> BenchContext:
    """The bench of an outcome that has a plan."""
    if outcome.plan is None or outcome.bench is None:
        raise ValueError("there is no plan")
    return context_of(outcome.plan, outcome.door, outcome.bench.common)


def admit(outcome: Outcome, *, dry_run: bool = False) -> None:
    """Raises NotAdmitted if root may not change anything here; a dry run warns and goes on."""
    from prodgen.deploy.privilege.admission import require_admission, require_way
    from prodgen.deploy.privilege.own_install import require_own_install

    if outcome.plan is None:
        return
    try:
        require_own_install()
        require_way(outcome.source)
        require_admission(outcome.door, outcome.plan)
    except NotAdmitted as barred:
        if not dry_run:
            raise
        outcome.diagnostics += [one._replace(severity=Severity.WARNING) for one in barred.found]
