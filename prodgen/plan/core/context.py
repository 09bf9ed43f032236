"""The state of one planning run, and the values that all services of a bench share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple, TypeVar

from prodgen.diagnostics import Diagnostic, Severity, error
from prodgen.host.facts import HostFacts
from prodgen.inputs.bench import Bench
from prodgen.plan.core.defaults import version_of
from prodgen.plan.core.model import CONFIG_FOLDER, Restart, Role, Service, Stop
from prodgen.provenance import Kind, Origin, Sourced, default

T = TypeVar("T")

LOCALE = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
"""Frappe writes names and messages in any script to its output (locale(7))."""
EXAMPLES = {"memory": "2G", "frappe": '"15.72.4"', "gunicorn": '"23.0.0"'}
"""Example values for prodgen.yaml, for facts whose fallback is not a good example."""


class PlanContext:
    """One planning run: inputs, host facts, and the findings so far."""

    def __init__(self, bench: Bench, facts: HostFacts, *, locked: bool) -> None:
        self.bench = bench
        self.facts = facts
        self.locked = locked
        self.findings: list[Diagnostic] = []
        self.used: dict[str, Sourced[object]] = {}
        """Detected host facts that the plan depends on, by name."""
        self.missing: set[str] = set()

    def report(self, finding: Diagnostic) -> None:
        self.findings.append(finding)

    def report_line(self, name: str, finding: Diagnostic) -> None:
        """Report a finding about a line; an entry under `processes:` silences a warning."""
        accepted = name in self.bench.settings.table("processes")
        if not accepted or finding.severity is Severity.ERROR:
            self.report(finding)

    def fact(self, name: str, fallback: Sourced[T]) -> Sourced[T]:
        """The host fact called `name`, else the fallback; if facts are locked, that is an error."""
        known: Sourced[T] | None = getattr(self.facts, name)
        if known is not None:
            if known.origin.kind is Kind.HOST:
                self.used[name] = known
            return known
        if self.locked:
            self.miss(name, fallback.value)
        return fallback

    def miss(self, name: str, fallback: object = "") -> None:
        """Report an undeclared fact as an error, once per fact."""
        if name in self.missing:
            return
        self.missing.add(name)
        example = EXAMPLES.get(name, fallback)
        way_out = f"add it under `host:` in prodgen.yaml, like `{name}: {example}`"
        if name == "owner":
            way_out = "set `user:` in prodgen.yaml, or frappe_user in common_site_config.json"
        what = "user" if name == "owner" else f"host.{name}"
        self.report(error("PG501", f"`{what}` is needed and not declared", None, way_out))

    @property
    def gunicorn_version(self) -> Sourced[str] | None:
        """The version of Gunicorn: declared, or of the bench's own env."""
        return self.facts.gunicorn or self._in_env("gunicorn", "the folder of gunicorn")

    @property
    def python_version(self) -> Sourced[str] | None:
        """The version of the bench's Python: declared, or of the bench's own env."""
        return self.facts.python or self._in_env("python", "the folder of Python")

    def _in_env(self, name: str, what: str) -> Sourced[str] | None:
        """The version of what is installed in the bench's env; None if it is not there."""
        installed = self.bench.packages.get(name)
        origin = Origin(Kind.FILE, f"{what} in the bench's env")
        return Sourced(installed, origin) if installed else None

    @property
    def python_versions(self) -> dict[str, Sourced[str]]:
        """The versions that decide how the bench's Python runs a module (python_module.py)."""
        known = self.python_version
        if known and known.origin.kind is Kind.HOST:
            self.used["python"] = known
        return {
            name: version
            for name, version in (("python", known), ("frappe", self.frappe_version))
            if version
        }

    @property
    def frappe(self) -> tuple[int, ...]:
        """The version of Frappe as numbers; empty if unknown."""
        known = self.frappe_version
        return version_of(known.value) if known else ()

    @property
    def frappe_version(self) -> Sourced[str] | None:
        return self.facts.frappe or self.bench.frappe_version

    def is_frappe(self, since: tuple[int, ...]) -> bool:
        """Whether Frappe is known to be version `since` or newer."""
        return self.frappe >= since


class BenchDefaults(NamedTuple):
    """The values that every service of a bench shares."""

    name: Sourced[str]
    path: Sourced[PurePosixPath]
    user: Sourced[str]
    home: Sourced[PurePosixPath]
    search_path: Sourced[str]
    variables: Sourced[tuple[tuple[str, str], ...]]
    """Environment variables that `env:` in prodgen.yaml gives to every service."""
    is_of_user: bool = False
    """Whether the user's own systemd instance runs the bench (`systemd --user`)."""

    @property
    def sites(self) -> Sourced[PurePosixPath]:
        return self.path.derive(self.path.value / "sites", "Frappe's paths are relative to sites/")

    @property
    def config_folder(self) -> Sourced[PurePosixPath]:
        if self.is_of_user:
            folder = self.home.value / ".config/prodgen" / self.name.value
            return self.name.derive(folder, "the user's own, as its units are", self.home)
        folder = CONFIG_FOLDER / self.name.value
        return self.name.derive(folder, "owned by root, since root's processes read it")

    def in_env(self, program: str) -> Sourced[str]:
        path = self.path.value / "env/bin" / program
        return self.path.derive(str(path), "from the bench's own Python environment")


def make_service(
    defaults: BenchDefaults,
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
    """Build a service, filling in the defaults that all services share."""
    return Service(
        name=defaults.name.derive(f"{defaults.name.value}-{name}", "bench's own name for it"),
        role=default(role, "by its command"),
        description=default(description, "by its role"),
        argv=argv,
        environment=environment or _environment(defaults),
        directory=directory or defaults.sites,
        user=defaults.user,
        instances=instances or default(1, "one process of this kind"),
        stop=stop,
        restart=default(restart, "by its role"),
        log=default(log, "bench's own name for it"),
        after=default(after, "by its role"),
        queues=default((), "it takes no jobs"),
    )


def _environment(defaults: BenchDefaults) -> Sourced[tuple[tuple[str, str], ...]]:
    return defaults.user.derive(
        base_environment(defaults),
        "Supervisor sets none of them for the user, and a service has no login shell; "
        "the locale of whoever starts a manager must not reach the workers",
        defaults.home,
        defaults.search_path,
        defaults.variables,
    )


def base_environment(defaults: BenchDefaults) -> tuple[tuple[str, str], ...]:
    """The user's HOME, LOGNAME, PATH and USER, a UTF-8 locale, and `env` of prodgen.yaml."""
    own = {
        "HOME": str(defaults.home.value),
        "LOGNAME": defaults.user.value,
        "PATH": defaults.search_path.value,
        "USER": defaults.user.value,
        **LOCALE,
    }
    return merge_environment(own.items(), defaults.variables.value)


def merge_environment(
    base: Iterable[tuple[str, str]], more: Iterable[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """The variables of both, sorted; those of `more` count, and a locale of theirs alone."""
    given = dict(more)
    kept = dict(base)
    if any(name in ("LANG", "LANGUAGE") or name.startswith("LC_") for name in given):
        kept = {name: value for name, value in kept.items() if LOCALE.get(name) != value}
    return tuple(sorted((kept | given).items()))
