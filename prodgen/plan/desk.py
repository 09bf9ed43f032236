"""What every rule of the planner has at hand: the inputs, the facts, and a list of findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TypeVar

from prodgen.diagnostics import Diagnostic, error
from prodgen.host.facts import HostFacts
from prodgen.inputs.bench import Bench
from prodgen.plan.model import Restart, Role, Service, Stop
from prodgen.plan.rules import version_of
from prodgen.provenance import Kind, Sourced, default

T = TypeVar("T")


@dataclass
class Desk:
    """The working place of one planning run. Only `findings` and `used` grow."""

    bench: Bench
    facts: HostFacts
    locked: bool
    findings: list[Diagnostic] = field(default_factory=list)
    used: dict[str, Sourced[object]] = field(default_factory=dict)
    """The detected facts that the plan depends on, by name."""
    missing: set[str] = field(default_factory=set)

    def report(self, finding: Diagnostic) -> None:
        self.findings.append(finding)

    def fact(self, name: str, fallback: Sourced[T]) -> Sourced[T]:
        """The fact called `name`; unknown, the fallback, or an error where facts are locked."""
        known: Sourced[T] | None = getattr(self.facts, name)
        if known is not None:
            if known.origin.kind is Kind.HOST:
                self.used[name] = known
            return known
        if self.locked and name not in self.missing:
            self.missing.add(name)
            self.report(
                error(
                    "PG501",
                    f"the fact `{name}` is needed and not declared",
                    None,
                    "set `user:` in prodgen.yaml"
                    if name == "owner"
                    else f"add it under `host:` in prodgen.yaml, like `{name}: {fallback.value}`",
                )
            )
        return fallback

    @property
    def frappe(self) -> tuple[int, ...]:
        """The version of Frappe; empty where nobody knows it."""
        known = self.frappe_version
        return version_of(known.value) if known else ()

    @property
    def frappe_version(self) -> Sourced[str] | None:
        return self.facts.frappe or self.bench.frappe_version

    def is_frappe(self, since: tuple[int, ...]) -> bool:
        """Whether Frappe is known to be at least `since`."""
        return self.frappe >= since


@dataclass(frozen=True, slots=True)
class Premises:
    """The values that every service of a bench shares."""

    name: Sourced[str]
    path: Sourced[PurePosixPath]
    user: Sourced[str]
    home: Sourced[PurePosixPath]
    search_path: Sourced[str]
    variables: Sourced[tuple[tuple[str, str], ...]]
    """Environment variables that prodgen.yaml gives to every service."""

    @property
    def sites(self) -> Sourced[PurePosixPath]:
        return self.path.derive(self.path.value / "sites", "Frappe's paths are relative to sites/")

    @property
    def config_folder(self) -> Sourced[PurePosixPath]:
        folder = PurePosixPath("/etc/prodgen", self.name.value)
        return self.name.derive(folder, "owned by root, since root's processes read it")

    def in_env(self, program: str) -> Sourced[str]:
        path = self.path.value / "env/bin" / program
        return self.path.derive(str(path), "from the bench's own Python environment")


def service(
    premises: Premises,
    name: str,
    role: Role,
    description: str,
    argv: Sourced[tuple[str, ...]],
    *,
    stop: Sourced[Stop],
    log: str,
    directory: Sourced[PurePosixPath] | None = None,
    environment: Sourced[tuple[tuple[str, str], ...]] | None = None,
    instances: Sourced[int] | None = None,
    restart: Restart = Restart.ALWAYS,
    after: tuple[str, ...] = (),
) -> Service:
    """A service with the defaults that all of them share."""
    return Service(
        name=premises.name.derive(f"{premises.name.value}-{name}", "bench's own name for it"),
        role=default(role, "by its command"),
        description=default(description, "by its role"),
        argv=argv,
        environment=environment or _environment(premises),
        directory=directory or premises.sites,
        user=premises.user,
        instances=instances or default(1, "one process of this kind"),
        stop=stop,
        restart=default(restart, "by its role"),
        log=default(log, "bench's own name for it"),
        after=default(after, "by its role"),
        queues=default((), "it takes no jobs"),
    )


def _environment(premises: Premises) -> Sourced[tuple[tuple[str, str], ...]]:
    return premises.user.derive(
        base_environment(premises),
        "Supervisor sets none of them for the user, and a service has no login shell",
        premises.home,
        premises.search_path,
        premises.variables,
    )


def base_environment(premises: Premises) -> tuple[tuple[str, str], ...]:
    """HOME, LOGNAME, PATH and USER of the bench's user, and what `env` in prodgen.yaml says."""
    own = {
        "HOME": str(premises.home.value),
        "LOGNAME": premises.user.value,
        "PATH": premises.search_path.value,
        "USER": premises.user.value,
    }
    return tuple(sorted((own | dict(premises.variables.value)).items()))
