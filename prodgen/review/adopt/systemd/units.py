"""What becomes of the units of `bench setup systemd`, of hand-written ones, and of drop-ins."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.plan.core.model import Plan, Role
from prodgen.review.adopt.core.model import Addition, AdoptedSetting, Adoption, Disposition
from prodgen.review.adopt.core.program import Job, job_of, why_gone
from prodgen.review.adopt.core.reach import Reach
from prodgen.review.adopt.systemd.settings import (
    Beside,
    Both,
    setting_disposition,
    settings_of,
    shown,
    starts,
)
from prodgen.targets.core.file_set import FileSet, Placed
from prodgen.targets.core.meaning import Block
from prodgen.targets.systemd.effects import file_of
from prodgen.targets.systemd.parse import unit_blocks
from prodgen.targets.systemd.units import SYSTEM_FOLDER, names_of, unit_file

GUARD = "prodgen-"
"""Beginning of units of prodgen's own that no manifest lists."""
SHELL = r"\S*sh\s+-[a-z]*c\s+(['\"])(?P<inner>.*)\1"
MEMBERS = ("Unit.Wants", "Unit.Requires", "Unit.BindsTo")
"""What a target starts."""


class Unit(NamedTuple):
    """One unit of theirs, with its drop-ins read over it."""

    block: Block
    job: Job | None
    near: bool
    """Whether it is about the bench at all."""

    @property
    def members(self) -> list[str]:
        """The units that it starts."""
        return [word for key in MEMBERS for one in self.block.get(key, ()) for word in one.split()]


class Units(NamedTuple):
    """The units of a host that are about a bench."""

    theirs: Mapping[PurePosixPath, Placed]
    """Units that ours take the place of, and their drop-ins."""
    known: Mapping[str, Unit]
    """Those units by name."""
    stay: Mapping[str, Unit]
    """Units of the user's own: they stay as they are."""


def units_of_bench(files: FileSet, plan: Plan, new: FileSet) -> Units:
    """Sorts the files of that folder that are not prodgen's; `new` is what prodgen installs."""
    units = {path.name: one for path, one in files.items() if path.parent == SYSTEM_FOLDER}
    found = {
        name: _unit(name, one.text, files, plan)
        for name, one in units.items()
        if not name.startswith(GUARD)
    }
    ours = {path.name for path in new if path.parent == SYSTEM_FOLDER}
    gone = {name for name, one in found.items() if one.job or name in ours}
    gone |= _targets(found, gone)
    theirs = {path: one for path, one in files.items() if _owner(path) in gone}
    stay = {name: one for name, one in found.items() if name not in gone and _stays(one, gone)}
    return Units(theirs, {name: found[name] for name in sorted(gone)}, stay)


def _owner(path: PurePosixPath) -> str:
    """The unit file that a file is, or is a drop-in for."""
    if path.parent == SYSTEM_FOLDER:
        return path.name
    return file_of(path.parent.name.removesuffix(".d"))


def _stays(one: Unit, gone: set[str]) -> bool:
    """Whether a unit that stays is worth a word: it is in the bench, or names a unit that goes."""
    return one.near or any(file_of(word) in gone for word in _named(one))


def _named(one: Unit) -> list[str]:
    keys = (*MEMBERS, "Unit.PartOf", "Unit.After", "Unit.Before", "Service.Sockets", "Timer.Unit")
    return [word for key in keys for given in one.block.get(key, ()) for word in given.split()]


def _targets(found: Mapping[str, Unit], gone: set[str]) -> set[str]:
    """Targets that hold nothing but what goes."""
    more: set[str] = set()
    while True:
        known = gone | more
        new = {
            name
            for name, one in found.items()
            if name.endswith(".target") and name not in known and one.members
            if all(file_of(word) in known for word in one.members)
        }
        if not new:
            return more
        more |= new


def _unit(name: str, text: str, files: FileSet, plan: Plan) -> Unit:
    block = dict(unit_blocks(text)["unit"])
    for path, one in sorted(files.items()):
        if path.parent == SYSTEM_FOLDER / f"{name}.d":
            block |= unit_blocks(one.text)["unit"]
    command = (block.get("Service.ExecStart") or ("",))[-1].lstrip("@-:+!|")
    folder = (block.get("Service.WorkingDirectory") or ("",))[-1].lstrip("-")
    bench = re.escape(str(plan.bench.value))
    near = re.search(rf"(?<![\w/.-]){bench}(?![\w.-])", f"{command} {folder}") is not None
    return Unit(block, _job(command, folder, plan) if name.endswith(".service") else None, near)


def _job(command: str, folder: str, plan: Plan) -> Job | None:
    """What a command does, within a shell too: `bash -lc 'cd /home/... && exec bench worker'`."""
    found = re.fullmatch(SHELL, command)
    if not found:
        return job_of({"command": command, "directory": folder}, plan)
    steps = [one.strip() for one in re.split(r"&&|;", found["inner"]) if one.strip()]
    for one in steps[:-1]:
        folder = one[3:].strip() if one.startswith("cd ") else folder
    last = steps[-1].removeprefix("exec ") if steps else ""
    return job_of({"command": last, "directory": folder}, plan)


def adopt_systemd(units: Units, both: Both) -> dict[str, Adoption]:
    """All settings by file, each with its disposition; of units that stay, what has to be said."""
    found = {str(path): _file(path, one.text, units, both) for path, one in units.theirs.items()}
    for name, entry in _counts(units):
        found[str(SYSTEM_FOLDER / name)] = found[str(SYSTEM_FOLDER / name)].plus(Adoption((entry,)))
    for name, unit in units.stay.items():
        found[str(SYSTEM_FOLDER / name)] = Adoption(tuple(_staying(name, unit, both)))
    for path, reach in both.reaches.items():
        if reach.writer and _owner(path) in units.stay:
            kept = found.get(str(path), Adoption())
            found[str(path)] = kept.plus(Adoption((_loaded(path, reach),)))
    return found


def _loaded(path: PurePosixPath, reach: Reach) -> AdoptedSetting:
    """A file of a unit that stays, by which a lesser user says what root's systemd does."""
    way_out = "give it to root"
    if reach.source:
        command = f"install -m 644 {shlex.quote(reach.source)} {shlex.quote(str(path))}"
        way_out = f"look at it, then put a copy in place of the link: `{command}`"
    note = f"{reach.writer}, and systemd does as root what it says; {way_out}"
    return AdoptedSetting(Disposition.OPEN, "systemd", _owner(path), str(path), note, 0)


def _file(path: PurePosixPath, text: str, units: Units, both: Both) -> Adoption:
    """One unit file or drop-in that goes."""
    name = _owner(path)
    block = unit_blocks(text)["unit"]
    is_unit = path.parent == SYSTEM_FOLDER
    subject = name if is_unit else f"{path.parent.name}/{path.name}"
    writer = both.writer(path)
    if name.endswith(".target"):
        return _target(subject, name, block, both, writer)
    job = units.known[name].job
    if job is None or job.service is None:
        disposition, note = (
            why_gone(job, both.plan) if job else (Disposition.OPEN, "ours has a unit of this name")
        )
        count = len(list(settings_of(block))) + 1
        return Adoption((AdoptedSetting(disposition, "systemd", subject, subject, note, count),))
    mine = unit_file(job.service)
    head = Adoption(
        (AdoptedSetting(Disposition.DEFAULT, "systemd", subject, subject, f"ours has {mine}"),)
    )
    of_one = not is_unit and f"{name}.d" != path.parent.name
    beside = Beside(both, job, both.ours.get(mine, {}), writer)
    return head.plus(_settings(subject, block, beside, "" if of_one else mine))


def _settings(subject: str, block: Block, beside: Beside, mine: str) -> Adoption:
    """Each setting; what is kept goes into a drop-in for our unit `mine`, in its section."""
    entries, kept = [], []
    for section, key, value in settings_of(block):
        disposition, note = setting_disposition(section, key, value, beside)
        if disposition is Disposition.MOVED and not mine:
            disposition, note = (
                Disposition.OPEN,
                "it counts for one instance: `systemctl edit` one of ours",
            )
        elif disposition is Disposition.MOVED:
            kept.append((section, f"{key}={value}\n"))
            note = f"{mine}.d{note and f'; {note}'}"
        entries.append(AdoptedSetting(disposition, "systemd", subject, shown(key, value), note))
    return Adoption(tuple(entries), tuple(_additions(mine, kept)))


def _additions(unit: str, kept: list[tuple[str, str]]) -> Iterator[Addition]:
    for section in dict.fromkeys(name for name, _ in kept):
        lines = "".join(line for name, line in kept if name == section)
        yield Addition(f"{unit}.d", f"[{section}]\n{lines}")


def _target(subject: str, name: str, block: Block, both: Both, writer: str) -> Adoption:
    """A target: ours has its own; what of the user's own it starts, ours starts too."""
    mine = name if name in both.ours else names_of(both.plan).target
    found = Adoption(
        (AdoptedSetting(Disposition.DEFAULT, "systemd", subject, subject, f"ours has {mine}"),)
    )
    for section, key, value in settings_of(block):
        others = [word for word in value.split() if file_of(word) not in both.gone]
        if f"{section}.{key}" in MEMBERS and others:
            text = f"{key}={' '.join(others)}"
            if writer:
                left = AdoptedSetting(Disposition.OPEN, "systemd", subject, text, starts(writer))
                found = found.plus(Adoption((left,)))
                continue
            moved = AdoptedSetting(Disposition.MOVED, "systemd", subject, text, f"{mine}.d")
            found = found.plus(Adoption((moved,), (Addition(f"{mine}.d", f"[Unit]\n{text}\n"),)))
        else:
            entry = AdoptedSetting(Disposition.DEFAULT, "systemd", subject, shown(key, value))
            found = found.plus(Adoption((entry,)))
    return found


def _counts(units: Units) -> Iterator[tuple[str, AdoptedSetting]]:
    """Workers of which theirs starts more than ours, one line for those that the same key sets,
    with the first of their files."""
    started = {word for one in units.known.values() for word in one.members}
    more: dict[int, list[str]] = {}
    for name, one in units.known.items():
        service = one.job.service if one.job else None
        number = sum(file_of(word) == name for word in started)
        if service and service.role.value is Role.WORKER and number > service.instances.value:
            more.setdefault(number, []).append(name)
    for number, names in more.items():
        note = f'common_site_config.json: "background_workers": {number}'
        yield (
            names[0],
            AdoptedSetting(
                Disposition.OPEN, "systemd", names[0], f"{number} of each worker", note, 0
            ),
        )


def _staying(name: str, unit: Unit, both: Both) -> Iterator[AdoptedSetting]:
    """What is said of a unit of the user's own."""
    yield AdoptedSetting(Disposition.MOVED, "systemd", name, name, "it stays as it is", 0)
    for word in dict.fromkeys(_named(unit)):
        if file_of(word) in both.gone and file_of(word) not in both.ours:
            note = f"there will be no {word}: name one of ours, or its target"
            yield AdoptedSetting(Disposition.OPEN, "systemd", name, word, note, 0)


def spared_units(old: Mapping[str, Block], new: Mapping[str, Block], plan: Plan) -> set[str]:
    """Redis' units that go on as they run: the same server with the same file and user runs there
    under the same name. All else comes with its next start."""
    names = [unit_file(one) for one in plan.with_role(Role.CACHE, Role.QUEUE)]
    return {
        name
        for name in names
        if name in old
        and name in new
        and _server(old[name]) == _server(new[name])
        and old[name].get("Service.User") == new[name].get("Service.User")
    }


def _server(block: Block) -> list[str]:
    return (block.get("Service.ExecStart") or ("",))[-1].split()[:2]
