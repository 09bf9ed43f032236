"""Queues that Frappe fills and that no worker of the bench empties."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from prodgen.diagnostics import has_errors, warning
from prodgen.plan.core.context import PlanContext
from prodgen.plan.core.model import Service
from prodgen.plan.core.procfile_line import KEPT_KINDS, LineKind, ProcfileLine

WORD = r"[\w-]+"


def mention_unserved(
    context: PlanContext,
    lines: Sequence[ProcfileLine],
    services: Sequence[Service],
    known: Collection[str],
) -> None:
    """A warning where some queues have workers and others none.

    Without any worker the jobs run on another machine, and a process that nobody knows may serve
    the queue that it names.
    """
    served = {queue.name for one in services for queue in one.queues.value}
    if not served or has_errors(context.findings):
        return
    strangers = {
        word
        for line in lines
        if line.kind in KEPT_KINDS
        for word in re.findall(WORD, line.command.text)
    }
    left = [name for name in known if name not in served | strangers]
    if not left:
        return
    worker = next(line for line in lines if line.kind in (LineKind.WORKER, LineKind.WORKER_POOL))
    more = ", and the like for the others" if len(left) > 1 else ""
    context.report(
        warning(
            "PG617",
            f"no worker takes jobs of {' or '.join(left)}: they would wait for ever",
            worker.entry.command_location,
            f"add `worker_{left[0]}: bench worker --queue {left[0]}` to the Procfile{more}, "
            "unless another machine takes them",
        )
    )
