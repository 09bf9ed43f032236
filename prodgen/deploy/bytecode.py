"""Python's bytecode, made at deploy: a sandboxed service cannot write it, and starts slowly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prodgen.deploy.runner import Done, run
from prodgen.plan.model import Manager, Plan

TIMEOUT = 600.0
SKIPPED = r"[/\\](node_modules|\.git|tests?[/\\]data)[/\\]"


def compile_command(plan: Plan, apps: Sequence[str]) -> tuple[str, ...]:
    """Compiles what is not compiled yet, or has changed (python -m compileall)."""
    bench = plan.bench.value
    python = str(bench / "env/bin/python")
    folders = [str(bench / "apps" / app) for app in apps]
    return (python, "-m", "compileall", "-q", "-j", "0", "-x", SKIPPED, *folders)


def is_needed(plan: Plan) -> bool:
    """Whether the services cannot write it themselves: systemd's sandbox keeps apps/ read-only."""
    by_systemd = plan.manager.value is Manager.SYSTEMD
    return by_systemd and plan.systemd.hardening.value != "off"


def compile_apps(plan: Plan) -> Done | None:
    """Compiles the bench's apps as its user; None where there is nothing to do."""
    folder = Path(plan.bench.value, "apps")
    if not is_needed(plan) or not folder.is_dir():
        return None
    apps = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    if not apps:
        return None
    variables = {"HOME": str(plan.home.value)}
    return run(
        compile_command(plan, apps), timeout=TIMEOUT, user=plan.user.value, variables=variables
    )
