"""What a bench needs around its config: the log folder, the links to it, the keys of production.

All of it may be done again and again. What lies in the bench's own folders is done as its user.
"""

from __future__ import annotations

import json
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from prodgen.deploy.apply.journal import KeyChange
from prodgen.deploy.managers.registry import backend_of
from prodgen.deploy.privilege.bench_acts import write_in
from prodgen.deploy.privilege.restart_right import program_words
from prodgen.deploy.system.atomic_write import write_file
from prodgen.host.door import Door, enter
from prodgen.plan.core.model import Plan
from prodgen.review.changes.site_config_edit import (
    FILE,
    Value,
    former_keys,
    hook_of,
    missing_keys,
    needs_hook,
    production_keys,
    with_keys,
)
from prodgen.targets.registry import load_target

if TYPE_CHECKING:
    from prodgen.deploy.session.activation import Activation

KEYS = "keys.json"
"""What the production keys were before, beside the generation that changed them."""
SET_ASIDE = ".before-prodgen"
NO_HOOK = (
    "`bench restart` fails with `supervisor.groups: pool`, since {user} may not restart the bench: "
    "`prodgen doctor` shows the commands that allow it"
)


def prepare(work: Activation, keys: KeyChange | None, generation: Path) -> None:
    """Makes the links to the logs, and sets the keys; `generation` keeps what those were."""
    plan, door = work.context.plan, work.context.door
    try:
        for failed in link_logs(plan, door):
            work.say("note", f"no link to the log: {failed}")
        if keys:
            note_keys(generation, keys.former)
            set_keys(keys)
            work.say("set", f"{FILE}: {', '.join(keys.wanted)}")
        if needs_hook(plan) and not hook_of(door.read(FILE)):
            work.say("note", NO_HOOK.format(user=plan.user.value))
    except (OSError, KeyError, ValueError) as failure:
        work.fail(f"{failure}")


def program() -> str:
    """The command that calls this prodgen again, by an absolute path, for a shell."""
    return shlex.join(program_words())


def make_log_folder(plan: Plan) -> None:
    """The folder that root's processes log into, root's own. Raises OSError."""
    if not load_target(plan.manager.value.value).needs_log_folder(plan):
        return
    folder = Path(plan.log_folder.value)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)


def link_logs(plan: Plan, door: Door) -> list[str]:
    """Makes the names in the bench's `logs/` lead to the logs; those that could not be made."""
    links = backend_of(plan.manager.value).log_links(plan)
    if not links:
        return []
    folder = door.path / "logs"
    failed = []
    with door.rights():
        for name, log in links.items():
            try:
                _link(folder / name, Path(log), Path(plan.log_folder.value))
            except OSError as failure:
                failed.append(f"{folder / name}: {(failure.strerror or str(failure)).lower()}")
    return failed


def _link(place: Path, log: Path, ours: Path) -> None:
    """A link to the log; a file of an earlier set-up is kept under another name."""
    try:
        mode = place.lstat().st_mode
    except FileNotFoundError:
        place.symlink_to(log)
        return
    if stat.S_ISLNK(mode):
        target = place.readlink()
        if target == log or ours not in target.parents:
            return
        place.unlink()
    elif stat.S_ISREG(mode):
        place.rename(place.with_name(place.name + SET_ASIDE))
    else:
        return
    place.symlink_to(log)


def keys_to_set(plan: Plan, door: Door, supervisor_config: Path | None = None) -> dict[str, Value]:
    """The production keys that are not as they should be. Raises OSError.

    bench is given a command for `bench restart` only if it works: the bench's user may run it.
    """
    text = door.read(FILE)
    backend = backend_of(plan.manager.value)
    hook = backend.restart_right(plan, door, supervisor_config).command
    return missing_keys(text, production_keys(plan, hook, text))


def key_change(plan: Plan, door: Door, keys: Mapping[str, Value]) -> KeyChange | None:
    """The change of these keys, with what they are now; None where none changes. Raises OSError."""
    if not keys:
        return None
    return KeyChange(door.path, plan.user.value, keys, former_keys(door.read(FILE), keys))


def set_keys(change: KeyChange) -> None:
    """Sets the keys in place, with the rights of the bench's owner.

    Raises OSError, and ValueError if the bench belongs to another user than when it was noted.
    """
    door = enter(change.bench)
    if not door.is_of(change.user):
        raise ValueError(f"{change.bench} does not belong to {change.user}")
    text = door.read(FILE)
    changed = with_keys(text, change.wanted)
    if changed != text:
        write_in(door, FILE, changed.encode())


def note_keys(folder: Path, former: Mapping[str, Value]) -> None:
    """Keeps what the keys were, for a rollback. Raises OSError."""
    if former and folder.is_dir():
        write_file(folder / KEYS, json.dumps(former).encode())


def noted_keys(folder: Path) -> dict[str, Value]:
    """What a rollback sets the keys to; none where the apply changed none."""
    try:
        return dict(json.loads((folder / KEYS).read_bytes()))
    except FileNotFoundError:
        return {}
