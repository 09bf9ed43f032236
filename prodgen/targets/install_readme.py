"""The README.md of an output: where each file goes, and how it gets there without prodgen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath
from shlex import quote

from prodgen.plan.core.model import Manager, Plan
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.base import Target
from prodgen.targets.registry import COMPANIONS, MODULES, load_target

PATH = PurePosixPath("README.md")
LOG_MODE = "0755"


def make_readme(artifacts: Sequence[Artifact], plan: Plan, version: str) -> Artifact:
    """The README for the artifacts, with nothing in it that they have not.

    It stays beside them: its destination is its own path.
    """
    return Artifact(PATH, "\n".join(_lines(artifacts, plan, version)) + "\n", PATH, "readme")


def _lines(artifacts: Sequence[Artifact], plan: Plan, version: str) -> Iterator[str]:
    targets = {one.target for one in artifacts}
    managers = [one for one in Manager if one.value in targets]
    users = _targets_of_user(managers, plan)
    yield f"# Production config of the bench {plan.bench_name.value}"
    yield ""
    yield f"Made by prodgen {version}. `manifest.json` lists every file with its SHA-256;"
    yield "`prodgen verify` compares them. To install it, prodgen is not needed: the commands below"
    yield "are for root, in this folder, unless they say otherwise."
    yield ""
    yield "| file | goes to | owner | mode |"
    yield "|---|---|---|---|"
    for one in sorted(artifacts, key=lambda one: one.path):
        owner = plan.user.value if one.target in users else "root"
        yield f"| `{one.path}` | `{one.destination}` | {owner} | {one.mode:04o} |"
    if len(managers) > 1:
        yield ""
        yield _choice([one.title for one in managers])
    secrets = sorted({str(one.env_file.value) for one in plan.services if one.env_file})
    if secrets and managers:
        yield ""
        yield f"The services read secrets from {_listed(secrets)} on the host: that is not in here,"
        yield "and must be there before they start, with mode 0600."
    for manager in managers:
        own = {manager.value, *COMPANIONS[manager.value]}
        files = [one for one in artifacts if one.target in own]
        yield from _section(load_target(manager.value), files, plan, users)
    shown = {name for one in managers for name in (one.value, *COMPANIONS[one.value])}
    for name in sorted(targets & MODULES.keys() - shown):
        files = [one for one in artifacts if one.target == name]
        yield from _section(load_target(name), files, plan, users)


def _targets_of_user(managers: Sequence[Manager], plan: Plan) -> set[str]:
    """The targets whose files belong to the bench's user, whose own manager runs the bench."""
    return {
        name
        for one in (plan.manager.value, *managers)
        if load_target(one.value).is_users(plan)
        for name in (one.value, *COMPANIONS[one.value])
    }


def _choice(titles: Sequence[str]) -> str:
    each = " and for ".join(titles)
    if len(titles) == 2:
        return f"It is for {each}: install one of the two, never both."
    return f"It is for {each}: install one of them alone."


def _listed(paths: Sequence[str]) -> str:
    return " and ".join(f"`{path}`" for path in paths)


def _section(
    target: Target, artifacts: Sequence[Artifact], plan: Plan, users: Collection[str]
) -> Iterator[str]:
    yield ""
    yield f"## {target.name}"
    yield ""
    if target.name in users:
        yield f"As {plan.user.value}, but for the last command:"
        yield ""
    if target.needs_log_folder(plan):
        yield f"    install -d -o root -g root -m {LOG_MODE} {quote(str(plan.log_folder.value))}"
    for one in sorted(artifacts, key=lambda one: one.path):
        owner = "" if one.target in users else " -o root -g root"
        places = f"{quote(str(one.path))} {quote(str(one.destination))}"
        yield f"    install -D{owner} -m {one.mode:04o} {places}"
    yield from target.install_steps(plan)
    for flag in sorted(target.production_flags(plan)):
        yield ""
        yield f"Set `{flag}` to true in sites/common_site_config.json of the bench: else"
        yield "Frappe takes it for one in development, and writes its port into every link."
