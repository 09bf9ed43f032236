"""What keeps the paths of a plan that root's programs open in their places (places.py)."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, error
from prodgen.host.run_as import Identity, acting_as, identity_named
from prodgen.host.trust import Danger, danger_above, danger_at, danger_on_way
from prodgen.inputs.reader import open_regular
from prodgen.plan.core.model import Plan
from prodgen.provenance import Origin
from prodgen.review.core.source_lines import place_of
from prodgen.targets.core.file_set import FileSet
from prodgen.targets.core.realtime_socket import realtime_socket
from prodgen.targets.registry import load_target
from prodgen.targets.systemd.paths import manager_reads_secrets, runtime_directory

LOGS = PurePosixPath("/var/log")
NGINX_LOGS = PurePosixPath("/var/log/nginx")
NGINX_FOLDER = PurePosixPath("/etc/nginx")
"""What a relative path in nginx's config is below (its --conf-path)."""
RUN = PurePosixPath("/run")
RUNS = (RUN, PurePosixPath("/var/run"))
LOG_NAME = r"(.+?)(?:-\d+)?(?:\.error)?\.log(?:[.-][\w.-]+)?"
"""A log of ours, rotated or not."""


class Change(NamedTuple):
    """What is to be installed."""

    plan: Plan
    targets: Collection[str]
    old: FileSet
    """What is installed of the bench now."""

    def has_installed(self, path: PurePosixPath) -> bool:
        """Whether the bench's installed config names this path, which is its own then."""
        pattern = rf"{re.escape(str(path))}(?![\w.-])"
        return any(re.search(pattern, one.text) for one in self.old.values())


def path_breaches(change: Change) -> Iterator[Diagnostic]:
    """The paths of the plan that root's programs must not open."""
    for target, check in CHECKS:
        if not target or target in change.targets:
            yield from check(change)


def is_plain(text: str) -> bool:
    """Whether an absolute path is written so that each part of it counts: no `..`, `.` or `//`."""
    path = PurePosixPath(text)
    return path.is_absolute() and ".." not in path.parts and str(path) == text and text[:2] != "//"


def _logs(change: Change) -> Iterator[Diagnostic]:
    plan = change.plan
    folder, place = plan.log_folder.value, place_of(plan.log_folder.origin)
    usual = LOGS / plan.bench_name.value
    new = usual if folder != usual else LOGS / f"{usual.name}-logs"
    way_out = f"set `logging: {{folder: {new}}}` in prodgen.yaml, or another folder that is new"
    if not is_plain(str(folder)) or LOGS not in folder.parents:
        what = f"the logs would go to {folder}, which is not below {LOGS}"
        yield error("PG839", what, place, f"choose a folder below {LOGS}")
        return
    if not load_target(plan.manager.value.value).needs_log_folder(plan):
        return
    for service in plan.services:
        if "/" in service.log.value:
            what = f"the log `{service.log.value}` would be outside {folder}"
            yield error("PG839", what, place, "rename the queue or the process")
            return
    below = [one for one in (folder, *folder.parents) if LOGS in one.parents]
    for one in reversed(below):
        if trouble := _not_roots_folder(Path(one)):
            yield error("PG839", f"root opens the logs in {folder}, and {trouble}", place, way_out)
            return
    others = _names_of_others(change, Path(folder))
    if others and not change.has_installed(folder):
        what = f"{folder} is another program's: {others[0]} in it is no log of this bench"
        yield error("PG839", what, place, way_out)


def _not_roots_folder(path: Path) -> str:
    """Why root should not make files in a folder; empty if it is root's own, or not there."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return ""
    except OSError as failure:
        return f"{path} cannot be looked at: {(failure.strerror or str(failure)).lower()}"
    if stat.S_ISLNK(found.st_mode):
        return f"{path} is a symbolic link"
    if not stat.S_ISDIR(found.st_mode):
        return f"{path} is no folder"
    danger = danger_at(path, found, even_sticky=True)
    return str(danger) if danger else ""


def _names_of_others(change: Change, folder: Path) -> list[str]:
    """What is in the folder and is no log of a service of this bench."""
    stems = {one.log.value for one in change.plan.services}
    try:
        names = sorted(one.name for one in folder.iterdir())
    except OSError:
        return []
    parts = ((name, re.fullmatch(LOG_NAME, name)) for name in names)
    return [name for name, found in parts if not found or found[1] not in stems]


def _access_log(change: Change) -> Iterator[Diagnostic]:
    given, bench = change.plan.nginx.access_log, change.plan.bench_name.value
    if given.value in {"", "off"}:
        return
    path, own = PurePosixPath(given.value), change.plan.log_folder.value
    way_out = f"set `nginx: {{access_log: {NGINX_LOGS / bench}.log}}`, or leave it out"
    place = place_of(given.origin)
    is_nginx = path.parent == NGINX_LOGS and path.name != "error.log"
    if not is_plain(given.value) or path.suffix != ".log" or not (is_nginx or own in path.parents):
        what = (
            f"nginx would write {path} as root: its logs are .log files in {NGINX_LOGS} or in {own}"
        )
        yield error("PG840", what, place, way_out)
        return
    trouble = _danger_to(Path(path.parent)) or _no_log_file(Path(path))
    if trouble:
        yield error("PG840", f"nginx would write {path} as root, and {trouble}", place, way_out)


def _no_log_file(path: Path) -> str:
    """Why what is there is no log to append to; empty if it is one, or nothing is there."""
    try:
        found = path.lstat()
    except OSError:
        return ""
    if not stat.S_ISREG(found.st_mode):
        return "it is a link" if stat.S_ISLNK(found.st_mode) else "it is no ordinary file"
    return "it has another name elsewhere (a hard link)" if found.st_nlink > 1 else ""


def _danger_to(path: Path, look: Callable[[Path], Danger | None] = danger_on_way) -> str:
    """Who else than root can change what is on the way to a path; empty for nobody."""
    try:
        danger = look(path)
    except OSError as failure:
        return f"{path} cannot be looked at: {(failure.strerror or str(failure)).lower()}"
    return str(danger) if danger else ""


def _certificates(change: Change) -> Iterator[Diagnostic]:
    named: dict[str, Origin] = {}
    for site in change.plan.sites:
        for one in (name.certificate for name in site.names):
            if one:
                named.setdefault(one.value.chain, one.origin)
                named.setdefault(one.value.key, one.origin)
    for text, origin in named.items():
        path = NGINX_FOLDER / text
        if trouble := _danger_to(Path(path)):
            yield error(
                "PG841",
                f"nginx opens {path} as root, and {trouble}",
                place_of(origin),
                f"put chain and key into a folder of root's, such as "
                f"/etc/ssl/{change.plan.bench_name.value}, and name them there",
            )


def _web_socket(change: Change) -> Iterator[Diagnostic]:
    for service in change.plan.services:
        listen = service.listen
        if listen is None or not listen.value.path:
            continue
        path = PurePosixPath(listen.value.path)
        way_out = f"set `web: {{bind: unix:/run/{change.plan.bench_name.value}-web.sock}}`"
        if not is_plain(str(path)) or not any(one in path.parents for one in RUNS):
            trouble = f"it is not below {RUN}"
        elif os.path.lexists(path) and not change.has_installed(path):
            trouble = "something of others is there"
        else:
            trouble = _danger_to(Path(path.parent))
        if trouble:
            what = f"root would make the socket {path}, and {trouble}"
            yield error("PG842", what, place_of(listen.origin), way_out)


def _realtime_folder(change: Change) -> Iterator[Diagnostic]:
    """systemd gives a RuntimeDirectory= to the user, with all that is in it (systemd.exec(5))."""
    plan = change.plan
    if plan.proxy is None or plan.proxy.realtime is None:
        return
    for service in plan.services:
        name, bench = runtime_directory(realtime_socket(plan, service)), plan.bench_name.value
        if not name:
            continue
        user = identity_named(plan.user.value)
        owner = _owner_of(Path(RUN / name))
        is_taken = owner is not None and (user is None or owner != user.uid)
        if is_taken or not (name == bench or name.startswith(f"{bench}-")):
            yield error(
                "PG843",
                f"systemd would give the folder {RUN / name} to {plan.user.value}",
                place_of(plan.proxy.realtime.origin),
                f"set `socketio_uds` to {RUN / bench}/realtime.sock",
            )


def _owner_of(path: Path) -> int | None:
    try:
        return path.lstat().st_uid
    except OSError:
        return None


def _env_file(change: Change) -> Iterator[Diagnostic]:
    """PID 1 reads it with root's rights and hands its lines to the bench's user."""
    plan, user = change.plan, identity_named(change.plan.user.value)
    named = {one.env_file.value: one for one in plan.services if one.env_file}
    for path, service in named.items():
        if not manager_reads_secrets(plan, service) or service.env_file is None:
            continue
        trouble = _danger_to(Path(path), danger_above)
        is_own = plan.config_folder.value in path.parents
        if not trouble and not is_own and not _may_read(Path(path), user):
            trouble = f"{plan.user.value} may not read it"
        if trouble:
            yield error(
                "PG844",
                f"systemd reads {path} as root for {plan.user.value}, and {trouble}",
                place_of(service.env_file.origin),
                f"give it to {plan.user.value} with mode 0600 in a folder of root's, "
                f"or put it into {plan.config_folder.value}",
            )


def _may_read(path: Path, user: Identity | None) -> bool:
    """Whether the user may read a file; one that is not there gives nothing away."""
    if user is None:
        return False
    with acting_as(user):
        try:
            os.close(open_regular(path)[0])
        except FileNotFoundError:
            return True
        except OSError:
            return False
    return True


def _shown(change: Change) -> Iterator[Diagnostic]:
    """systemd mounts these where their parents' modes bar nobody any more."""
    plan, user = change.plan, identity_named(change.plan.user.value)
    if user is None:
        return
    options = plan.systemd
    settings = {
        "read_write_paths": options.read_write_paths,
        "read_only_paths": options.read_only_paths,
    }
    for name, given in settings.items():
        for text in given.value:
            with acting_as(user):
                try:
                    os.stat(f"{text}/.")  # noqa: PTH116 - a Path would drop the dot
                    continue
                except (FileNotFoundError, NotADirectoryError):
                    continue
                except OSError:
                    pass
            yield error(
                "PG845",
                f"systemd would show {text} to {user.name}, who cannot get there",
                place_of(given.origin),
                f"take it out of `systemd: {{{name}: ...}}`, or let {user.name} in",
            )


CHECKS: tuple[tuple[str, Callable[[Change], Iterator[Diagnostic]]], ...] = (
    ("", _logs),
    ("nginx", _access_log),
    ("nginx", _certificates),
    ("", _web_socket),
    ("systemd", _realtime_folder),
    ("systemd", _env_file),
    ("systemd", _shown),
)
"""Each with the target whose program opens the paths; empty where every manager may."""
