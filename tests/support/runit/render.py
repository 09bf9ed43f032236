"""The target: a program `run` for each service."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic
from prodgen.plan.core.model import Plan, Service
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.base import Target, Unwritable, unwritable
from prodgen.targets.core.templating import render

SERVICES = PurePosixPath("/etc/sv")


class Run(NamedTuple):
    """What the template sees, in the shell's language."""

    description: str
    directory: str
    user: str
    command: list[str]


def plain(text: str) -> str:
    """The text as one word, if a line can hold it; raises Unwritable."""
    if re.search(r"[\r\n\0]", text):
        raise Unwritable("it has a line break in it")
    return shlex.quote(text)


def run_file(service: Service) -> PurePosixPath:
    """Where the program of a service is installed."""
    return SERVICES / service.name.value / "run"


def render_runit(plan: Plan) -> tuple[list[Artifact], list[Diagnostic]]:
    """The programs of all services."""
    artifacts, findings = [], []
    for service in plan.services:
        try:
            artifacts.append(_artifact(service))
        except Unwritable as reason:
            findings.append(unwritable(service.argv, reason, "runit"))
    return ([] if findings else artifacts), findings


def _artifact(service: Service) -> Artifact:
    variables = [f"{name}={value}" for name, value in service.environment.value]
    context = Run(
        service.description.value,
        plain(str(service.directory.value)),
        plain(service.user.value),
        [plain(word) for word in ("env", *variables, *service.argv.value)],
    )
    path = PurePosixPath("runit", service.name.value, "run")
    return Artifact(path, render("runit/run", context), run_file(service), "runit", 0o755)


def _install_steps(plan: Plan) -> Iterator[str]:
    for service in plan.services:
        yield f"    ln -s {SERVICES / service.name.value} /etc/service/"


TARGET = Target("runit", "folders of services for runit", render_runit, _install_steps)
