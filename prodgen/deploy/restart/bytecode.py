"""Python's bytecode, made at deploy: a sandboxed service cannot write it, and starts slowly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prodgen.deploy.privilege.bench_acts import run_for
from prodgen.host.door import Door
from prodgen.host.programs import Done
from prodgen.plan.core.model import Plan
from prodgen.targets.registry import load_target

TIMEOUT = 600.0
SKIPPED = r"[/\\](node_modules|\.git|tests?[/\\]data)[/\\]"


def compile_command(bench: Path, apps: Sequence[str]) -> tuple[str, ...]:
    """Compiles what is not compiled yet, or has changed (python -m compileall)."""
    python = str(bench / "env/bin/python")
    folders = [str(bench / "apps" / app) for app in apps]
    return (python, "-m", "compileall", "-q", "-j", "0", "-x", SKIPPED, *folders)


def is_needed(plan: Plan) -> bool:
    """Whether the services cannot write it themselves."""
    return load_target(plan.manager.value.value).keeps_apps_read_only(plan)


def compile_apps(plan: Plan, door: Door) -> Done | None:
    """Compiles the bench's apps as its owner; None where there is nothing to do."""
    if not is_needed(plan):
        return None
    apps = door.folders("apps")
    if not apps:
        return None
    variables = {"HOME": str(plan.home.value)}
    return run_for(door, compile_command(door.path, apps), timeout=TIMEOUT, variables=variables)
