"""The README.md of an output: where each file goes, and how it gets there without prodgen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from shlex import quote

from prodgen.plan.core.defaults import LINKS_WITHOUT_PORT, version_of
from prodgen.plan.core.model import Plan
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.registry import COMPANIONS
from prodgen.targets.systemd.units import names_of

PATH = PurePosixPath("README.md")
LOG_MODE = "0755"


def make_readme(artifacts: Sequence[Artifact], plan: Plan, version: str) -> Artifact:
    """The README for the artifacts, with nothing in it that they have not.

    It stays beside them: its destination is its own path.
    """
    return Artifact(PATH, "\n".join(_lines(artifacts, plan, version)) + "\n", PATH, "readme")


def _lines(artifacts: Sequence[Artifact], plan: Plan, version: str) -> Iterator[str]:
    targets = {one.target for one in artifacts}
    yield f"# Production config of the bench {plan.bench_name.value}"
    yield ""
    yield f"Made by prodgen {version}. `manifest.json` lists every file with its SHA-256;"
    yield "`prodgen verify` compares them. To install it, prodgen is not needed: the commands below"
    yield "are for root, in this folder, unless they say otherwise."
    yield ""
    yield "| file | goes to | owner | mode |"
    yield "|---|---|---|---|"
    for one in sorted(artifacts, key=lambda one: one.path):
        owner = _owner(one, plan)
        yield f"| `{one.path}` | `{one.destination}` | {owner} | {one.mode:04o} |"
    if {"supervisor", "systemd"} <= targets:
        yield ""
        yield "It is for Supervisor and for systemd: install one of the two, never both."
    secrets = sorted({str(one.env_file.value) for one in plan.services if one.env_file})
    if secrets and targets & COMPANIONS.keys():
        yield ""
        yield f"The services read secrets from {_listed(secrets)} on the host: that is not in here,"
        yield "and must be there before they start, with mode 0600."
    managers = sorted(targets & COMPANIONS.keys())
    for name in managers:
        own = {name, *COMPANIONS[name]}
        yield from _section(name, [one for one in artifacts if one.target in own], plan)
    companions = {other for name in managers for other in COMPANIONS[name]}
    for name in sorted(targets - {*managers, *companions}):
        yield from _section(name, [one for one in artifacts if one.target == name], plan)


def _listed(paths: Sequence[str]) -> str:
    return " and ".join(f"`{path}`" for path in paths)


def _section(name: str, artifacts: Sequence[Artifact], plan: Plan) -> Iterator[str]:
    steps = {"supervisor": _supervisor, "systemd": _systemd, "nginx": _nginx}
    yield ""
    yield f"## {name}"
    yield ""
    if _is_users(name, plan):
        yield f"As {plan.user.value}, but for the last command:"
        yield ""
    if _needs_log_folder(name, plan):
        yield f"    install -d -o root -g root -m {LOG_MODE} {quote(str(plan.log_folder.value))}"
    for one in sorted(artifacts, key=lambda one: one.path):
        owner = "" if _is_users(one.target, plan) else " -o root -g root"
        places = f"{quote(str(one.path))} {quote(str(one.destination))}"
        yield f"    install -D{owner} -m {one.mode:04o} {places}"
    if name in steps:
        yield from steps[name](plan)


def _supervisor(_plan: Plan) -> Iterator[str]:
    yield "    supervisorctl reread"
    yield "    supervisorctl update"
    yield ""
    yield "The last one restarts what has changed."
    yield from _flag("restart_supervisor_on_update")


def _flag(key: str) -> Iterator[str]:
    """By these keys Frappe knows production (frappe/utils/data.py `get_url`)."""
    yield ""
    yield f"Set `{key}` to true in sites/common_site_config.json of the bench: else"
    yield "Frappe takes it for one in development, and writes its port into every link."


def _systemd(plan: Plan) -> Iterator[str]:
    control = "systemctl --user" if _is_users("systemd", plan) else "systemctl"
    target = quote(names_of(plan).target)
    yield f"    {control} daemon-reload"
    yield f"    {control} enable --now {target}"
    if _is_users("systemd", plan):
        yield f"    loginctl enable-linger {quote(plan.user.value)}"
    yield ""
    yield f"After a change, `{control} restart {target}` has everything run with it."
    version = plan.versions.get("frappe")
    if version is None or version_of(version.value) < LINKS_WITHOUT_PORT:
        yield from _flag("restart_systemd_on_update")


def _nginx(_plan: Plan) -> Iterator[str]:
    yield "    nginx -t"
    yield "    systemctl reload nginx"


def _needs_log_folder(name: str, plan: Plan) -> bool:
    if name == "supervisor":
        return True
    to_files = plan.systemd.logs.value == "files"
    return name == "systemd" and to_files and not _is_users(name, plan)


def _is_users(target: str, plan: Plan) -> bool:
    """Whether the target's files belong to the bench's user, whose own systemd runs the bench."""
    return plan.systemd.scope.value == "user" and target in {"systemd", *COMPANIONS["systemd"]}


def _owner(artifact: Artifact, plan: Plan) -> str:
    return plan.user.value if _is_users(artifact.target, plan) else "root"
