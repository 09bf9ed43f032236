"""What of somebody's own sections of Supervisor's is kept: nothing by which a lesser user, who can
change what supervisord opens or runs as root, would become root."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.review.adopt.core.model import Addition, AdoptedSetting, Adoption, Disposition
from prodgen.review.adopt.core.reach import ROOTS_OWN, How, Opened, Reach

Sections = Mapping[str, Mapping[str, str]]
PROGRAMS = ("program", "fcgi-program", "eventlistener")
HARMLESS = (*PROGRAMS, "group")
"""Sections that say nothing of supervisord itself."""
LOGS = ("stdout_logfile", "stderr_logfile")
NO_FILES = re.compile(r"|NONE|AUTO|syslog|/dev/(null|stdout|stderr|fd/[12])", re.IGNORECASE)
WRITTEN = ("socket", "file", "logfile", "pidfile", "childlogdir")
"""What supervisord makes, besides logs of programs."""
NOBODY = "nobody"
"""The user that nothing belongs to: no right of anybody's is gained with it."""
DEFAULT_LOGS = "/var/log/supervisor"
"""Where Debian's supervisord puts the log of a program that names none."""


class Own(NamedTuple):
    """Whose sections they are, and what others than root can change."""

    bench: str
    user: str
    """The bench's own."""
    reach: Reach = ROOTS_OWN
    lines: Mapping[tuple[str, str], int] = {}
    """Where each option stands; the section's head by the empty name."""

    def at(self, section: str, key: str = "") -> str:
        """The place of a setting."""
        return self.reach.at(self.lines.get((section, key), 1))


def lines_of(text: str) -> dict[tuple[str, str], int]:
    """The line of each section and of each option in it, the last where it stands twice."""
    found, section = {}, ""
    for number, line in enumerate(text.splitlines(), 1):
        if head := re.match(r"\[([^]]+)\]", line):
            section = head[1]
            found[section, ""] = number
        elif option := re.match(r"([^\s=:#;][^=:]*?)\s*[=:]", line):
            found[section, option[1]] = number
    return found


def opened_in(sections: Sections, file: str) -> set[Opened]:
    """The paths that supervisord opens for these sections, or that a command of root's runs."""
    return {
        opened
        for section, options in sections.items()
        for key in options
        for opened in _paths(section, options, key, file)
    }


def _paths(section: str, options: Mapping[str, str], key: str, file: str) -> Iterator[Opened]:
    value = options[key].replace("%(here)s", str(PurePosixPath(file).parent))
    if key in LOGS or key in WRITTEN:
        path = re.sub(r"^unix://", "", value.strip())
        if not NO_FILES.fullmatch(path) and "://" not in path:
            yield Opened(str(PurePosixPath("/", path)), How.WRITE)
    elif section == "include" and key == "files":
        for pattern in value.split():
            yield Opened(str(PurePosixPath(PurePosixPath(file).parent, pattern)), is_include=True)
    elif key == "command" and _is_roots(options):
        for path in re.findall(r"(?:^|[\s=:\"'])(/[^\s=:;\"']+)", value):
            yield Opened(path)
    elif key == "directory" and _is_roots(options):
        yield Opened(str(PurePosixPath("/", value)))


def _is_roots(options: Mapping[str, str]) -> bool:
    """Whether supervisord runs the program with its own rights, which are root's."""
    return options.get("user", "").strip() in ("", "root", "0")


def keep_section(
    section: str, options: Mapping[str, str], own: Own, note: str = "a file of its own"
) -> Adoption:
    """A section that goes into a file of the user's own, without what must not."""
    if found := _objection(section, options, own):
        entry = AdoptedSetting(
            Disposition.OPEN, "supervisor", section, f"[{section}]", found, len(options) + 1
        )
        return Adoption((entry,))
    dangers = {key: _danger(section, options, key, own) for key in options if key in LOGS}
    left = {key: why for key, why in dangers.items() if why}
    kept = {key: value for key, value in options.items() if key not in left}
    entry = AdoptedSetting(
        Disposition.MOVED, "supervisor", section, f"[{section}]", note, len(kept) + 1
    )
    dropped = (
        AdoptedSetting(Disposition.OPEN, "supervisor", section, f"{key}={options[key]}", why)
        for key, why in left.items()
    )
    return Adoption((entry, *dropped), (Addition("programs", as_section(section, kept)),))


def as_section(section: str, options: Mapping[str, str]) -> str:
    """A section as text; a value of several lines keeps them."""
    lines = (f"{key}={value}\n".replace("\n", "\n  ").rstrip(" ") for key, value in options.items())
    return f"[{section}]\n{''.join(lines)}"


def _objection(section: str, options: Mapping[str, str], own: Own) -> str:
    """Why nothing of a section may be kept; empty if it may."""
    kind = section.partition(":")[0]
    if own.reach.writer and kind not in HARMLESS:
        return (
            f"{own.at(section)}: {own.reach.writer}, and supervisord, who is root, would do what "
            f"it says; if you want it, put it into a file of root's beside"
        )
    user = options.get("user", "").strip()
    if own.reach.writer and kind in PROGRAMS and user not in (own.user, NOBODY):
        return (
            f"{own.at(section)}: {own.reach.writer}, and it would run as {user or 'root'}; "
            f"set `user={own.user}` there, or put it into a file of root's beside"
        )
    found = (
        why for key in options if key not in LOGS and (why := _danger(section, options, key, own))
    )
    return next(found, "")


def _danger(section: str, options: Mapping[str, str], key: str, own: Own) -> str:
    """Why an option must not be kept."""
    allowed = (f"{DEFAULT_LOGS}/", f"/var/log/{own.bench}/", "/run/")
    for opened in _paths(section, options, key, own.reach.file):
        if found := own.reach.danger(opened, allowed):
            return f"{own.at(section, key)}: {found}, and {_does(key, opened, own)}"
    return ""


def _does(key: str, opened: Opened, own: Own) -> str:
    """What root would do with a path, and what to do instead."""
    path = shlex.quote(opened.path)
    if key in LOGS:
        return f"supervisord writes there as root; {DEFAULT_LOGS}/ has the log instead"
    if key in ("command", "directory"):
        return f"root would run what is there; set `user={own.user}`, or give {path} to root"
    return f"supervisord {opened.how.value} {path} as root; name a path that only root can change"
