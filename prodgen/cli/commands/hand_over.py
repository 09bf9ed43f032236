"""How `prodgen adopt` gives a bench of root's to the user that its services shall run as."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import wrap

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import PlanResult, plan_bench
from prodgen.app.review import Stopped
from prodgen.app.terminal.text import printable, write_stderr
from prodgen.cli.core.confirm import agreed
from prodgen.deploy.privilege.admission import NotAdmitted
from prodgen.deploy.privilege.hand_over import Tally, hand_over, survey
from prodgen.deploy.privilege.new_owner import new_owner, unreachable_python
from prodgen.deploy.privilege.own_install import require_own_install
from prodgen.diagnostics import has_errors
from prodgen.host.run_as import Identity

PROGRAMS = {"nginx", "systemd"}
WIDTH = 80


def hand_over_first(
    planned: PlanResult, chosen: Selection, *, dry_run: bool, yes: bool
) -> PlanResult:
    """Show what would be given to whom, ask, give it, and read the bench again.

    Does nothing to a bench that is not root's. Raises NotAdmitted, Stopped, OSError.
    """
    plan, files = planned.plan, planned.files
    if plan is None or files is None or has_errors(planned.diagnostics) or os.geteuid() != 0:
        return planned
    door = planned.door
    if door.closed or not door.owner.is_root:
        return planned
    try:
        who = new_owner(door, plan, files.root, chosen.settings or files.root / "prodgen.yaml")
        if not dry_run:
            require_own_install()
    except NotAdmitted:
        if not dry_run:
            raise
        return planned
    _show(door.path, who, survey(door.path, who), unreachable_python(door, who))
    if dry_run:
        return planned
    if not yes and not agreed(f"Give the bench to {who.name}?"):
        raise Stopped
    given = hand_over(door.path, who).given
    write_stderr(f"{given} entries belong to {who.name} now\n")
    return plan_bench(chosen, locked=False, programs=PROGRAMS)


def follow_up(planned: PlanResult) -> None:
    """Give the bench's owner the files that services running as root made. Raises OSError."""
    door = planned.door
    if os.geteuid() == 0 and not door.owner.is_root:
        given = hand_over(door.path, door.owner).given
        if given:
            write_stderr(
                f"{given} entries that the old services made belong to {door.owner.name} now\n"
            )


def _show(bench: Path, who: Identity, tally: Tally, python: str) -> None:
    lines = [f"{bench} belongs to root, and its services shall run as {who.name}."]
    lines.append(f"{tally.given} entries go to {who.name}; {_left(tally)}.")
    if python:
        lines.append(
            f"note: env/bin/python leads to {python}, which {who.name} cannot run: make env/ anew"
        )
    for line in lines:
        hanging = wrap(
            printable(line),
            WIDTH,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        write_stderr("".join(f"{one}\n" for one in hanging))


def _left(tally: Tally) -> str:
    """How many entries stay as they are, why, and some of them."""
    if not tally.stays:
        return "nothing stays root's"
    parts = []
    for why, count in tally.stays.items():
        examples = tally.examples[why]
        more = ", ..." if count > len(examples) else ""
        parts.append(f"{count} {why.value} ({', '.join(examples)}{more})")
    return f"{tally.stays.total()} stay as they are: {'; '.join(parts)}"
