"""Maintenance mode of all sites for a while: noted before it is set, and always lifted.

A file is changed only where that switches a site, so what somebody else has set stays. The note
lies beside the sites until all is as it was; the next run of prodgen lifts what a killed one left.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.privilege.bench_acts import remove_in, write_in
from prodgen.deploy.session.session import Session, bench_lock
from prodgen.host.door import Door
from prodgen.review.changes.site_config_edit import FILE, Value, former_keys, with_keys

KEY = "maintenance_mode"
ON = True
"""What prodgen sets; bench and Frappe write 1, so theirs can be told from ours."""
NOTE = "sites/.prodgen-maintenance.json"
SITE_FILE = r"sites/(?!\.\.?/)[^/]+/site_config\.json"
LEFT_ON = "a `restart --migrate` that was killed has left maintenance mode on for all sites"
WAY_OUT = "prodgen restart"
"""Lifts it, and starts what was stopped."""
CACHED = 16
"""The first Frappe whose web workers keep a site's config in memory (frappe/config.py)."""
CACHED_SECONDS = 60


def is_cached(frappe: tuple[int, ...]) -> bool:
    """Whether the web hears of a change late: for a minute, or until it restarts."""
    return not frappe or frappe[0] >= CACHED


def files_to_set(common: str, sites: Mapping[str, str]) -> dict[str, Value]:
    """The files to switch on, by their texts, each with what it has for the key now.

    A site's own value wins over the common one (frappe/__init__.py `get_site_config`).
    """
    former = value_of(common)
    found: dict[str, Value] = {} if former else {FILE: former}
    for path, text in sites.items():
        own = value_of(text)
        if own is not None and not own:
            found[path] = own
    return found


def value_of(text: str) -> Value:
    """What a site_config.json has for the key; None for nothing."""
    return former_keys(text, {KEY: None})[KEY]


def require_rights(door: Door) -> None:
    """Raises DeployError for somebody who can neither be nor act as the bench's user."""
    if os.geteuid() not in (0, door.owner.uid):
        raise DeployError(
            "PG922", f"only {door.owner.name} and root may migrate this bench", "run it with sudo"
        )


class Maintenance:
    """The maintenance mode of one bench, as far as it is ours."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.door = session.context.door

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        """All sites in maintenance mode, until `lift` or the end. Raises DeployError."""
        try:
            try:
                found = self._set()
            except OSError as failure:
                way = "see who owns the file, and whether there is room"
                raise DeployError(
                    "PG923", f"{KEY} cannot be set: {_reason(failure)}", way
                ) from failure
            if found:
                self.session.say("maintenance", "maintenance mode is on for all sites", on=True)
            else:
                self.session.say("note", "maintenance mode was on already, and is left so")
            yield
        finally:
            self.lift()

    def _set(self) -> bool:
        """Whether anything had to be changed. Raises OSError."""
        files = [_file_of(site) for site in self.session.context.folders]
        sites = {name: self.door.read(name) for name in files}
        found = files_to_set(self.door.read(FILE), sites)
        if found:
            write_in(self.door, NOTE, json.dumps(found).encode(), 0o600)
        for name in found:
            _write(self.door, name, ON)
        return bool(found)

    def lift(self) -> None:
        """Puts back what was there before; nothing where that is done."""
        if lift_noted(self.door):
            self.session.say("maintenance", "maintenance mode is as it was before", on=False)


def is_left_on(door: Door) -> bool:
    """Whether a `restart --migrate` that was killed has left it on. It is not over while one is at
    work, or a migration that it has begun."""
    if not door.exists(NOTE):
        return False
    try:
        with bench_lock(door.path, door.reader):
            return True
    except (OSError, DeployError):
        return False


def lift_noted(door: Door) -> bool:
    """Undoes what a note tells of; whether there was one. Raises DeployError where it cannot."""
    try:
        if not door.exists(NOTE):
            return False
        for name, former in _noted(door.read(NOTE)).items():
            # Whoever has changed it since then meant to.
            if value_of(door.read(name)) is ON:
                _write(door, name, former)
        remove_in(door, NOTE)
    except OSError as failure:
        way_out = f"put back what {door.path / NOTE} says, and remove that file"
        raise DeployError(
            "PG924",
            f"a maintenance mode that prodgen has set is still on: {_reason(failure)}",
            way_out if os.geteuid() == 0 else f"run it as root, or {way_out}",
        ) from failure
    return True


def _reason(failure: OSError) -> str:
    place = f"{failure.filename}: " if failure.filename else ""
    return f"{place}{(failure.strerror or str(failure)).lower()}"


def _noted(text: str) -> dict[str, Value]:
    """The files of a note and their former values; the bench's user may have written anything."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    rows = data.items() if isinstance(data, dict) else ()
    return {name: former for name, former in rows if name == FILE or re.fullmatch(SITE_FILE, name)}


def _file_of(site: str) -> str:
    return f"sites/{site}/site_config.json"


def _write(door: Door, name: str, value: Value) -> None:
    write_in(door, name, with_keys(door.read(name), {KEY: value}).encode())
