"""Maintenance mode of all sites for a while: noted before it is set, and always lifted.

A file is changed only where that switches a site, so what somebody else has set stays. The note
lies beside the sites until all is as it was; the next run of prodgen lifts what a killed one left.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from prodgen.deploy.files import write_file
from prodgen.deploy.managed import Refused
from prodgen.deploy.persona import acting_as
from prodgen.deploy.stage import Stage, only_one
from prodgen.plan.model import Plan
from prodgen.review.sitekeys import FILE, Value, former_keys, with_keys

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


def require_rights(plan: Plan) -> None:
    """Raises Refused for somebody who can neither be nor act as the bench's user."""
    user = plan.user.value
    try:
        uid = pwd.getpwnam(user).pw_uid
    except KeyError as failure:
        raise Refused(f"there is no user {user}", "correct `user` in prodgen.yaml") from failure
    if os.geteuid() not in (0, uid):
        raise Refused(f"only {user} and root may migrate this bench", "run it with sudo")


class Maintenance:
    """The maintenance mode of one bench, as far as it is ours."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.plan = stage.subject.plan

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        """All sites in maintenance mode, until `lift` or the end. Raises Refused."""
        try:
            try:
                found = self._set()
            except OSError as failure:
                way = "see who owns the file, and whether there is room"
                raise Refused(f"{KEY} cannot be set: {failure}", way) from failure
            if found:
                self.stage.say("maintenance", "maintenance mode is on for all sites", on=True)
            else:
                self.stage.say("note", "maintenance mode was on already, and is left so")
            yield
        finally:
            self.lift()

    def _set(self) -> bool:
        """Whether anything had to be changed. Raises OSError."""
        with acting_as(self.plan.user.value):
            files = [_file_of(site) for site in self.stage.subject.folders]
            sites = {name: _read(self.plan, name) for name in files}
            found = files_to_set(_read(self.plan, FILE), sites)
            if found:
                write_file(_path(self.plan, NOTE), json.dumps(found).encode(), 0o600)
            for name in found:
                _write(self.plan, name, ON)
        return bool(found)

    def lift(self) -> None:
        """Puts back what was there before; nothing where that is done."""
        if lift_noted(self.plan):
            self.stage.say("maintenance", "maintenance mode is as it was before", on=False)


def is_left_on(plan: Plan) -> bool:
    """Whether a `restart --migrate` that was killed has left it on. It is not over while one is at
    work, or a migration that it has begun."""
    if not os.path.lexists(_path(plan, NOTE)):
        return False
    try:
        with only_one(Path(plan.bench.value)):
            return True
    except (OSError, Refused):
        return False


def lift_noted(plan: Plan) -> bool:
    """Undoes what a note tells of; whether there was one. Raises Refused where it cannot."""
    note = _path(plan, NOTE)
    if not os.path.lexists(note):
        return False
    try:
        with acting_as(plan.user.value):
            for name, former in _noted(note.read_text("utf-8", "replace")).items():
                text = _read(plan, name)
                # Whoever has changed it since then meant to.
                if value_of(text) is ON:
                    _write(plan, name, former)
            note.unlink()
    except (OSError, KeyError) as failure:
        raise Refused(
            f"a maintenance mode that prodgen has set is still on: {failure}",
            f"run it as root; {note} says what to put back",
        ) from failure
    return True


def _noted(text: str) -> dict[str, Value]:
    """The files of a note and their former values; the bench's user may have written anything."""
    try:
        data = json.loads(text)
    except ValueError:
        return {}
    rows = data.items() if isinstance(data, dict) else ()
    return {name: former for name, former in rows if name == FILE or re.fullmatch(SITE_FILE, name)}


def _file_of(site: str) -> str:
    return f"sites/{site}/site_config.json"


def _path(plan: Plan, name: str) -> Path:
    return Path(plan.bench.value, name)


def _read(plan: Plan, name: str) -> str:
    """The text of a file of the bench; empty where there is none."""
    with contextlib.suppress(FileNotFoundError):
        return _path(plan, name).read_text("utf-8")
    return ""


def _write(plan: Plan, name: str, value: Value) -> None:
    path = _path(plan, name)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    write_file(path, with_keys(_read(plan, name), {KEY: value}).encode(), mode)
