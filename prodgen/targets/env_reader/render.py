"""The reader of a file of secrets, for services whose manager cannot read one by itself.

Supervisor has only `environment=`, which would be an artifact with secrets in it.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic
from prodgen.plan.core.model import Plan, Service
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.base import Target
from prodgen.targets.core.templating import render

SHELL = "/bin/sh"


class Context(NamedTuple):
    """What the template sees."""

    bench: str


def render_environment(plan: Plan) -> tuple[list[Artifact], list[Diagnostic]]:
    """`with-env.sh`, where prodgen.yaml names a file of secrets."""
    if not any(one.env_file for one in plan.services):
        return [], []
    artifact = Artifact(
        path=PurePosixPath("environment", plan.env_reader.name),
        text=render("environment/with-env.sh", Context(plan.bench_name.value)),
        destination=plan.env_reader,
        target="environment",
    )
    return [artifact], []


def with_secrets(plan: Plan, service: Service, argv: tuple[str, ...]) -> tuple[str, ...]:
    """The command that reads the service's file of secrets first; the process stays the same."""
    if service.env_file is None:
        return argv
    return (SHELL, str(plan.env_reader), str(service.env_file.value), *argv)


TARGET = Target("environment", "reader of a file of secrets, for env_file", render_environment)
