"""What becomes of each setting of a Supervisor file of bench's that prodgen takes over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from configparser import Error, RawConfigParser
from typing import NamedTuple

from prodgen.plan.core.model import Plan
from prodgen.review.adopt.core.model import (
    AdoptedSetting,
    Adoption,
    Disposition,
    joined,
    unreadable_file,
)
from prodgen.review.adopt.core.program import Job, adopt_program, job_of
from prodgen.review.adopt.core.reach import ROOTS_OWN, Opened, Reach
from prodgen.review.adopt.supervisor.own_section import (
    PROGRAMS,
    Own,
    Sections,
    keep_section,
    lines_of,
    opened_in,
)
from prodgen.targets.core.meaning import Block


class Whose(NamedTuple):
    """The sections of one file: the programs that ours replaces, and the rest."""

    sections: Sections
    replaced: Mapping[str, Job]
    """By the program's name."""
    own: Own


def adopt_supervisor(
    name: str, text: str, plan: Plan, ours: Mapping[str, Block], reach: Reach = ROOTS_OWN
) -> Adoption:
    """All settings of the file `name`, each with its disposition; `ours` are our sections."""
    sections = sections_of(text)
    if sections is None:
        return unreadable_file("supervisor", name, text)
    own = Own(plan.bench_name.value, plan.user.value, reach, lines_of(text))
    whose = Whose(sections, _replaced(sections, plan), own)
    return joined(_section(one, whose, plan, ours) for one in sections)


def sections_of(text: str) -> Sections | None:
    """The sections as they are written; None where Supervisor could not read them."""
    parser = RawConfigParser(inline_comment_prefixes=(" ;",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except Error:
        return None
    return {name: dict(parser[name]) for name in parser.sections()}


def paths_in(name: str, text: str) -> set[Opened]:
    """The paths that supervisord opens, or runs as root, for the file `name`."""
    return opened_in(sections_of(text) or {}, name)


def is_of_bench(text: str, plan: Plan) -> bool:
    """Whether a file of Supervisor's has a program of this bench."""
    sections = sections_of(text)
    if sections is None:
        return f"{plan.bench.value}/" in text
    return bool(_replaced(sections, plan))


def _replaced(sections: Sections, plan: Plan) -> dict[str, Job]:
    found = {}
    for section, options in sections.items():
        kind, _, name = section.partition(":")
        job = job_of(options, plan) if kind in PROGRAMS else None
        if job:
            found[name.strip()] = job
    return found


def _section(section: str, whose: Whose, plan: Plan, ours: Mapping[str, Block]) -> Adoption:
    kind, _, name = section.partition(":")
    options = whose.sections[section]
    if kind in PROGRAMS and name.strip() in whose.replaced:
        job = whose.replaced[name.strip()]
        return Adoption(tuple(adopt_program(section, options, job, plan, ours)))
    if kind == "group":
        return _group(section, options, whose)
    return keep_section(section, options, whose.own)


def _group(section: str, options: Mapping[str, str], whose: Whose) -> Adoption:
    """A group: ours has its own; of other programs a group of somebody's stays."""
    members = [one.strip() for one in options.get("programs", "").split(",") if one.strip()]
    others = [one for one in members if one not in whose.replaced]
    if not others:
        return Adoption(tuple(_bench_group(section, options)))
    if len(others) == len(members):
        return keep_section(section, options, whose.own)
    note = f"in {', '.join(others)} alone: ours has groups of its own for the rest"
    name = section
    if any(f"program:{one}" not in whose.sections for one in others):
        return Adoption((_unknown(section, options, others),))
    if section.partition(":")[2].strip().endswith(("-web", "-workers", "-redis")):
        name = f"{section}-own"
    return keep_section(name, {**options, "programs": ",".join(others)}, whose.own, note)


def _unknown(section: str, options: Mapping[str, str], others: list[str]) -> AdoptedSetting:
    note = f"there is no program {', '.join(others)}: take it out of the group"
    return AdoptedSetting(
        Disposition.OPEN, "supervisor", section, f"[{section}]", note, len(options) + 1
    )


def _bench_group(section: str, options: Mapping[str, str]) -> Iterator[AdoptedSetting]:
    yield AdoptedSetting(
        Disposition.DEFAULT, "supervisor", section, f"[{section}]", "ours has its own groups"
    )
    for key, value in options.items():
        usual = key in ("programs", "priority")
        note = "" if usual else "ours has no setting for it"
        disposition = Disposition.DEFAULT if usual else Disposition.OPEN
        yield AdoptedSetting(disposition, "supervisor", section, f"{key}={value}", note)


def spared_groups(old: Mapping[str, Block], new: Mapping[str, Block], bench: str) -> set[str]:
    """The group of Redis, where the same servers run in it and a restart would change nothing.

    They are the same where names, user and command are: limits and logs come with the next start.
    """
    name = f"{bench}-redis"
    before, after = (blocks.get(f"group:{name}") for blocks in (old, new))
    if before is None or after is None or before.get("programs") != after.get("programs"):
        return set()
    sections = [f"program:{one}" for one in before.get("programs", ())]
    same = all(_is_same(old.get(one, {}), new.get(one, {}), one) for one in sections)
    return {name} if sections and same else set()


def _is_same(old: Block, new: Block, section: str) -> bool:
    name = (section.partition(":")[2],)
    names = [block.get("process_name", name) for block in (old, new)]
    names = [name if one == ("%(program_name)s",) else one for one in names]
    alike = all(old.get(key) == new.get(key) for key in ("command", "user"))
    return bool(old and new) and alike and names[0] == names[1]
