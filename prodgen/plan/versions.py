"""The versions of programs that the output must suit, and a word where one is not known."""

from __future__ import annotations

from prodgen.diagnostics import warning
from prodgen.plan.core import defaults as rules
from prodgen.plan.core.context import PlanContext
from prodgen.plan.core.model import Manager
from prodgen.plan.core.procfile_line import ProcfileLine
from prodgen.provenance import Kind, Sourced


def known_versions(context: PlanContext, manager: Manager) -> dict[str, Sourced[str]]:
    """The versions that are known, by program; those of this machine count as used."""
    facts = context.facts
    asked = {"nginx": facts.nginx, "openssl": facts.openssl, "systemd": facts.systemd}
    for name, fact in asked.items():
        matters = name == manager.value or name not in {one.value for one in Manager}
        if fact and matters and fact.origin.kind is Kind.HOST:
            context.used[name] = fact
    known = {
        "frappe": context.frappe_version,
        "gunicorn": context.gunicorn_version,
        "python": context.python_version,
        **asked,
    }
    return {name: version for name, version in known.items() if version}


def mention_frappe_version(context: PlanContext, lines: list[ProcfileLine]) -> None:
    """A word where Frappe is unknown or untried; with locked facts it must be known."""
    if not any(line.is_of_bench for line in lines):
        return
    version = context.frappe_version
    if version is None and context.locked:
        context.miss("frappe")
    elif version is None:
        context.report(
            warning(
                "PG505",
                "the version of Frappe is unknown (no apps/frappe here): one pool a queue, "
                "realtime on port 9000",
                None,
                "run prodgen on the bench itself, or declare `host: {frappe: …}` in prodgen.yaml",
            )
        )
    elif not rules.OLDEST_KNOWN <= context.frappe < rules.NEWEST_KNOWN:
        context.report(
            warning(
                "PG506",
                f"Frappe {version.value} has not been tried with prodgen",
                version.location,
                "13 to 17 have; look at the output with care",
            )
        )
