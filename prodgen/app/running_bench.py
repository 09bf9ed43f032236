"""What the commands that look at a running bench have in common."""

from __future__ import annotations

from prodgen.app.pipeline import PlanResult
from prodgen.deploy.privilege.admission import NotAdmitted
from prodgen.deploy.session.bench_context import BenchContext, context_of
from prodgen.diagnostics import Severity


def context_from(planned: PlanResult) -> BenchContext:
    """What deploy needs to know of a planned bench."""
    if planned.plan is None or planned.bench is None:
        raise ValueError("there is no plan")
    return context_of(planned.plan, planned.door, planned.bench.common)


def admit(planned: PlanResult, *, dry_run: bool = False) -> None:
    """Raises NotAdmitted if root may not change anything here; a dry run warns and goes on."""
    from prodgen.deploy.privilege.admission import require_admission, require_way
    from prodgen.deploy.privilege.own_install import require_own_install

    if planned.plan is None:
        return
    try:
        require_own_install()
        require_way(planned.source)
        require_admission(planned.door, planned.plan)
    except NotAdmitted as barred:
        if not dry_run:
            raise
        planned.diagnostics += [one._replace(severity=Severity.WARNING) for one in barred.found]
