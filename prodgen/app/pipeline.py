"""From a folder to a plan: every stage in order, and all their diagnostics."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from prodgen.app.bench_selection import Selection
from prodgen.app.env_file import check_env_file
from prodgen.diagnostics import Diagnostic, Severity, error, has_errors, note
from prodgen.host.declared import complete, declared_facts
from prodgen.host.detect import detect
from prodgen.host.facts import HostFacts
from prodgen.host.run_as import Identity, acting_as
from prodgen.inputs.accepted import Accepted, accepted_in
from prodgen.inputs.bench import Bench, parse_bench
from prodgen.inputs.core.source import Source
from prodgen.inputs.reader import BenchFiles, find_bench, read_bench
from prodgen.plan.core.model import Plan
from prodgen.plan.planner import build_plan
from prodgen.provenance import Kind, Sourced
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.registry import load_target

if TYPE_CHECKING:
    from prodgen.host.door import Door


class PlanResult:
    """The results of the stages, as far as they got, and all diagnostics."""

    def __init__(
        self, files: BenchFiles | None = None, diagnostics: list[Diagnostic] | None = None
    ) -> None:
        self.files = files
        self.bench: Bench | None = None
        self.facts: HostFacts | None = None
        self.plan: Plan | None = None
        self.templates: Mapping[str, Source] = {}
        """The user's own, by name."""
        self.diagnostics = diagnostics or []
        self.source: Door | None = None
        """The door to the folder that the files were read from, if root has read them."""
        self._door: Door | None = None

    @property
    def accepted(self) -> list[Accepted]:
        """The warnings that prodgen.yaml accepts."""
        return accepted_in(self.bench.settings) if self.bench else []

    @property
    def door(self) -> Door:
        """The door to the folder in which the plan's bench runs on this host.

        It is closed to the files of another user: they could name anybody's bench.
        """
        from prodgen.host.door import NOWHERE, enter, shut

        if self._door is None:
            door = enter(Path(self.plan.bench.value)) if self.plan else NOWHERE
            if self.source and not self.source.owner.is_root:
                author = self.source.owner
                if author.uid != door.owner.uid:
                    why = f"{self.source.path}, which names it, belongs to {author.name}"
                    door = shut(door, why)
            self._door = door
        return self._door

    @property
    def folder(self) -> str:
        """The shortest path from here to the bench; empty if it is the current folder."""
        if self.files is None:
            return ""
        root = str(self.files.root)
        try:
            way = os.path.relpath(root)
        except OSError:  # the current folder was removed
            return root
        return "" if way == "." else min(way, root, key=len)


def plan_bench(bench: Selection, *, locked: bool, programs: Collection[str]) -> PlanResult:
    """The plan of the bench that the chosen folder (default: the current one) is in.

    `programs` are those whose versions the output must suit. Root reads the bench with the rights
    of whom it belongs to.
    """
    try:
        here = (bench.folder or Path.cwd()).absolute()
        if ".." in here.parts:
            here = here.resolve()
        with _passage(here):
            root = find_bench(here) if here.is_dir() else None
            if root is None:
                list(here.iterdir() if here.is_dir() else ())
                return PlanResult(diagnostics=[_no_bench(here)])
        if not str(root).isprintable():
            return PlanResult(diagnostics=[_odd_path(root)])
        return _read(root, bench, locked=locked, programs=programs)
    except OSError as failure:
        return PlanResult(diagnostics=[_unreadable(bench.folder, failure)])


def _passage(folder: Path) -> AbstractContextManager[None]:
    """Rights with which the folder can be reached."""
    if os.geteuid() != 0:
        return nullcontext()
    from prodgen.host.door import passage

    return passage(folder)


def _read(root: Path, chosen: Selection, *, locked: bool, programs: Collection[str]) -> PlanResult:
    """Plan the bench at `root`, read with its owner's rights."""
    if os.geteuid() != 0:
        files, found = read_bench(Path(os.path.realpath(root)), chosen.settings)
        return _plan(files, found, chosen, locked=locked, programs=programs)
    from prodgen.host.door import enter, in_danger, rights_for

    door = enter(root)
    if door.closed:
        return PlanResult(diagnostics=[_unseen(door.closed)])
    given = chosen.settings
    files, found = read_bench(
        door.path, given, door.rights, partial(rights_for, given) if given else nullcontext
    )
    if door.danger and not door.owner.is_root and not locked:
        found.append(in_danger(door.danger)._replace(severity=Severity.WARNING))
    planned = _plan(files, found, chosen, locked=locked, programs=programs, reader=door.reader)
    planned.source = door
    return planned


def _plan(
    files: BenchFiles,
    found: list[Diagnostic],
    chosen: Selection,
    *,
    locked: bool,
    programs: Collection[str],
    reader: Identity | None = None,
) -> PlanResult:
    """Plan the bench with these files, which were read with the rights of `reader`."""
    root = files.root
    planned = PlanResult(files, diagnostics=found)
    bench, found = parse_bench(files, chosen.environment)
    planned.diagnostics += found
    if bench is not None:
        with acting_as(reader):
            bench, found = check_env_file(root, bench, locked=locked)
        planned.diagnostics += found
    if bench is None or has_errors(planned.diagnostics):
        return planned
    facts = declared_facts(bench.settings)
    if not locked:
        facts = complete(facts, _detect(root, bench, programs, reader))
    planned.bench, planned.facts = bench, facts
    built, found = build_plan(bench, facts, locked=locked)
    planned.diagnostics += found
    planned.plan = built.plan
    if built.used_facts:
        planned.diagnostics.append(_mention_facts(built.used_facts))
    return planned


def render_targets(planned: PlanResult, names: Collection[str]) -> list[Artifact]:
    """Render the targets of a planned bench; what they find is added to its diagnostics."""
    artifacts: list[Artifact] = []
    if planned.plan is None:
        return artifacts
    plan = _with_good_certificates(planned.plan, planned) if "nginx" in names else planned.plan
    for name in names:
        made, found = _render(name, plan, planned.templates)
        artifacts += made
        planned.diagnostics += found
    if "nginx" in names and not has_errors(planned.diagnostics):
        planned.diagnostics += _mention_certificates(plan, planned)
    planned.diagnostics += [_not_utf8(one) for one in artifacts if not _is_utf8(one)]
    return artifacts


def _with_good_certificates(plan: Plan, planned: PlanResult) -> Plan:
    """Leave out the server names whose certificates nginx could not load on this machine."""
    from prodgen.plan.checks.certificates import leave_out, pairs_of

    pairs = pairs_of(plan)
    if not pairs or not _is_nginx_here(planned):
        return plan
    from prodgen.host.certificates import faults_of

    plan, found = leave_out(plan, faults_of(pairs))
    planned.diagnostics += found
    return plan


def _mention_certificates(plan: Plan, planned: PlanResult) -> list[Diagnostic]:
    """A note that certificates were not checked, if bench and nginx are on another machine."""
    from prodgen.plan.checks.certificates import unchecked

    return [] if _is_nginx_here(planned) else unchecked(plan)


def _is_nginx_here(planned: PlanResult) -> bool:
    """Whether this machine is the one that will run the bench behind its nginx."""
    facts = planned.facts
    needed = (facts.path, facts.nginx) if facts else (None,)
    return all(fact is not None and fact.origin.kind is Kind.HOST for fact in needed)


def _render(
    name: str, plan: Plan, templates: Mapping[str, Source]
) -> tuple[list[Artifact], list[Diagnostic]]:
    """Render one target, with the user's own templates if there are any."""
    target = load_target(name)
    if not templates:
        return target.render(plan)
    from prodgen.targets.core.templating import BadTemplate, using

    try:
        with using(templates):
            return target.render(plan)
    except BadTemplate as bad:
        return [], [bad.found]


def use_templates(planned: PlanResult, folder: Path | None) -> None:
    """Use the user's own templates in `folder` for `render_targets`."""
    if folder is None:
        return
    from prodgen.deploy.output.user_templates import read_templates
    from prodgen.host.door import rights_for

    here = folder if planned.folder == "" else folder.absolute()
    with rights_for(here):
        own, found = read_templates(here)
    planned.templates = own.sources
    planned.diagnostics += found


def _is_utf8(artifact: Artifact) -> bool:
    """Whether the text can be encoded: half a surrogate pair from a JSON escape cannot."""
    try:
        f"{artifact.path}{artifact.text}".encode()
    except UnicodeEncodeError:
        return False
    return True


def _not_utf8(artifact: Artifact) -> Diagnostic:
    return error(
        "PG701",
        f"{artifact.path} would hold a character that UTF-8 cannot",
        None,
        r"look for `\ud8` to `\udf` escapes in the bench's JSON files",
    )


def _detect(
    root: Path, bench: Bench, programs: Collection[str], reader: Identity | None
) -> HostFacts:
    user = bench.settings.text("user") or bench.common.text("frappe_user")
    return detect(root, user.value if user else None, bench.packages, programs, reader)


def _no_bench(here: Path) -> Diagnostic:
    if not here.exists():
        what = "does not exist"
    elif not here.is_dir():
        what = "is a file; a bench is a folder"
    else:
        what = "is in no bench: no Procfile, no sites/"
    return error("PG100", f"{here} {what}", None, "run prodgen in a bench, or name it with -C DIR")


def _unreadable(start: Path | None, failure: OSError) -> Diagnostic:
    reason = (failure.strerror or str(failure)).lower()
    place = failure.filename or start or "the current folder"
    return error(
        "PG001",
        f"{place} cannot be read: {reason}",
        None,
        "check the owner and mode of the folders: root installs what their owner may read, and of "
        "its own what everyone may"
        if os.geteuid() == 0
        else "check the owner and mode of the folders, or run as the bench's user",
    )


def _unseen(why: str) -> Diagnostic:
    return error("PG001", why, None, "check the owner and mode of the folders")


def _odd_path(root: Path) -> Diagnostic:
    return error(
        "PG100",
        f"the path of the bench, {root}, has characters that no config file can hold",
        None,
        "rename the folder: no line breaks, no control characters, valid UTF-8",
    )


def _mention_facts(used: dict[str, Sourced[object]]) -> Diagnostic:
    facts = ", ".join(f"{name} {_shown(name, fact.value)}" for name, fact in sorted(used.items()))
    return note(
        "PG500",
        f"taken from this machine: {facts}",
        None,
        "for another machine declare them under `host:` in prodgen.yaml",
    )


def _shown(name: str, value: object) -> str:
    if name == "memory" and isinstance(value, int):
        return f"{value / 1024**3:.1f} GB"
    return str(value)
