"""`prodgen init`: a prodgen.yaml with the facts of this host, and every setting explained."""

from __future__ import annotations

from pathlib import PurePosixPath

import click

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import plan_bench
from prodgen.app.reports.text import show_diagnostics
from prodgen.app.terminal.text import printable, write_stderr
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.options import bench_option, colors_messages, report_options
from prodgen.cli.core.report import has_failed
from prodgen.deploy.system.atomic_write import write_file
from prodgen.diagnostics import Diagnostic, error
from prodgen.host.door import rights_for
from prodgen.host.facts import HostFacts
from prodgen.inputs.schema.check import load_schema
from prodgen.inputs.settings_template import settings_text

NAME = "prodgen.yaml"
UNDECLARED = frozenset({"owner"})
"""Facts for which there is a setting of another kind (`user`)."""


@click.command("init")
@bench_option
@click.option("--overwrite", is_flag=True, help="Replace a prodgen.yaml that is there.")
@report_options
def command(*, bench: Selection, overwrite: bool, strict: bool, quiet: bool, color: str) -> int:
    """Write a prodgen.yaml with the facts of this host.

    Every other setting stands in it too, explained and commented out, so the
    bench renders the same with it as without.
    """
    planned = plan_bench(bench, locked=False, programs=("nginx", "systemd"))
    failed = has_failed(planned, strict=strict, quiet=quiet, color=color)
    if failed or planned.files is None or planned.facts is None or planned.plan is None:
        return Exit.ERROR
    path = planned.files.root / NAME
    facts = planned.facts._replace(home=planned.plan.home)
    text = settings_text(load_schema("prodgen"), declarable(facts))
    try:
        with rights_for(path):
            if path.exists() and not overwrite:
                way_out = "edit it, or use --overwrite"
                return _refuse("PG803", f"{path} is there already", way_out, color)
            write_file(path, text.encode())
    except OSError as failure:
        reason = (failure.strerror or str(failure)).lower()
        advice = "nothing was changed; check the folder's owner and mode"
        return _refuse("PG801", f"cannot write {path}: {reason}", advice, color)
    if not quiet:
        write_stderr(f"create    {printable(str(path))}\n")
    return Exit.DONE


def declarable(facts: HostFacts) -> dict[str, object]:
    """The known facts, as they are written under `host:` in prodgen.yaml."""
    found: dict[str, object] = {}
    for name, fact in facts._asdict().items():
        if fact is not None and name not in UNDECLARED:
            value = fact.value
            plain = str(value) if isinstance(value, PurePosixPath) else value
            found[name] = plain
    return found


def _refuse(code: str, message: str, advice: str, color: str) -> Exit:
    refusal: Diagnostic = error(code, message, None, advice)
    show_diagnostics([refusal], color=colors_messages(color))
    return Exit.ERROR
