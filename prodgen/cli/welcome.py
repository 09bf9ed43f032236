"""What `prodgen` prints without a command: the bench here, and the next command to type."""

from __future__ import annotations

import os
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from prodgen.app.bench_selection import Selection
from prodgen.app.pipeline import PlanResult, plan_bench
from prodgen.app.terminal.text import printable
from prodgen.diagnostics import Severity, has_errors
from prodgen.inputs.accepted import accept
from prodgen.plan.core.model import Plan, Role

WIDTH = 80
HEAD_WIDTH = 13
NO_BENCH = """\
There is no bench here: prodgen reads the one that the current folder is in.

A bench is the folder that `bench init` makes for Frappe and its apps. In it
are a Procfile, which says what runs, and sites/, with a folder for each site.

Next, in a bench of yours:

  cd frappe-bench
  prodgen
"""
SOME_SITES = 3
ROLES = {
    Role.WEB: "web",
    Role.REALTIME: "realtime",
    Role.SCHEDULER: "scheduler",
    Role.WORKER: "workers",
    Role.CACHE: "Redis",
    Role.QUEUE: "Redis",
    Role.OTHER: "others",
}
ALL = "\n`prodgen --help` lists every command."


def welcome() -> str:
    """Describe the bench that the current folder is in, or what a bench is; 80 columns at most."""
    planned = plan_bench(Selection(), locked=False, programs=())
    if planned.files is None:
        only = planned.diagnostics[0]
        text = NO_BENCH if only.code == "PG100" else f"{printable(only.message)}\n"
        return text + ALL
    return "\n".join([*_sights(planned), "", *_next(planned)]) + f"\n{ALL}"


def _sights(planned: PlanResult) -> Iterator[str]:
    """The facts about the bench, a line or two each."""
    assert planned.files is not None  # noqa: S101 - there is a bench
    plan = planned.plan
    name = plan.bench_name.value if plan else planned.files.root.name
    yield from _item("Bench", f"{name}, in {planned.files.root}")
    if plan:
        frappe = plan.versions.get("frappe")
        version = f"version {frappe.value}" if frappe else "of an unknown version"
        yield from _item("Frappe", f"{version}, run as the user {plan.user.value}")
        yield from _item("Processes", _processes(plan))
        yield from _item("Sites", _sites(plan))
    counts = Counter(one.severity for one in set(accept(planned.diagnostics, planned.accepted)))
    kinds = [(Severity.ERROR, "error"), (Severity.WARNING, "warning")]
    said = [f"{counts[kind]} {word}{'s'[: counts[kind] > 1]}" for kind, word in kinds]
    faults = ", ".join(words for words in said if not words.startswith("0"))
    shown = f"{faults}; `prodgen validate` shows where" if faults else "no problems found"
    yield from _item("Files", shown)
    if plan:
        yield from _item("Installed", "by prodgen" if _is_installed(plan) else "not by prodgen yet")


def _item(head: str, text: str) -> list[str]:
    """The text beside its heading; a path that is longer than a line stays whole."""
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=f"{head:<{HEAD_WIDTH}}",
        subsequent_indent=" " * HEAD_WIDTH,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _processes(plan: Plan) -> str:
    kinds: Counter[str] = Counter()
    for service in plan.services:
        kinds[ROLES[service.role.value]] += service.instances.value
    counts = [kind if count == 1 else f"{count} {kind}" for kind, count in kinds.items()]
    return f"{kinds.total()} under {plan.manager.value.title}: {', '.join(counts)}"


def _sites(plan: Plan) -> str:
    names = [site.folder.value for site in plan.sites]
    more = f" and {len(names) - SOME_SITES} more" if len(names) > SOME_SITES else ""
    return ", ".join(names[:SOME_SITES]) + more or "none yet"


def _is_installed(plan: Plan) -> bool:
    from prodgen.deploy.apply.installed import state_folder
    from prodgen.targets.manifest import PATH

    try:
        return Path(state_folder(plan), PATH).exists()
    except PermissionError:
        return True  # root's, and made by apply
    except OSError:
        return False


def _command(name: str, plan: Plan | None) -> str:
    """The whole command, with sudo if it acts on what root has installed."""
    asks_root = {"apply", "restart"}
    if plan and _is_asked_as_root(plan):
        asks_root.add("status")
    by_root = os.geteuid() != 0 and plan and not plan.is_of_user and name in asks_root
    return f"{'sudo ' if by_root else ''}prodgen {name}"


def _is_asked_as_root(plan: Plan) -> bool:
    from prodgen.deploy.managers.registry import backend_of

    return backend_of(plan.manager.value).is_asked_as_root


def _next(planned: PlanResult) -> Iterator[str]:
    """The next command, and those after it."""
    plan = planned.plan
    if plan is None or has_errors(planned.diagnostics):
        first, *others = [("validate", "what is wrong, and how to fix it")]
    elif _is_installed(plan):
        first, *others = [
            ("diff", "what `prodgen apply` would change, and restart"),
            ("status", "how it is doing"),
            ("restart", "after a deploy: one process after the other"),
            ("doctor", "what will hurt it"),
        ]
    else:
        manager = plan.manager.value.value
        first, *others = [
            ("plan", "the processes that will run"),
            (f"render -t {manager}", "its config, on the terminal"),
            ("diff", "what installing it would change on this host"),
            ("apply", "install it"),
        ]
    commands = [(_command(name, plan), words) for name, words in (first, *others)]
    width = max(len(command) for command, _ in commands)
    lines = [f"  {command:<{width}}   {words}" for command, words in commands]
    yield from ("Next:", "", lines[0])
    if others:
        yield from ("", "Then:", "", *lines[1:])
