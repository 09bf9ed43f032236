"""New config tried by the programs that will read it, before any live file changes.

nginx and supervisord read their files from fixed places. They are run in a mount namespace of
their own (mount_namespaces(7)) in which the staged files lie in those places already.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from prodgen.deploy.apply.journal import Place, copy_content
from prodgen.deploy.managers.supervisor.core.rpc import CONFIGS
from prodgen.deploy.system.atomic_write import create_file
from prodgen.diagnostics import Diagnostic, error
from prodgen.host.programs import Done, run
from prodgen.host.system_path import SYSTEM_PATH
from prodgen.host.trust import danger_on_way
from prodgen.inputs.reader import read_regular
from prodgen.plan.core.model import Plan

LONGEST_LINE = 4096
"""Bytes at the start of a script in which its first line ends."""
NGINX_CONFIG = Path("/etc/nginx/nginx.conf")
PARSE = (
    "import sys; from supervisor.options import ServerOptions; "
    "one = ServerOptions(); one.realize(['-c', sys.argv[1]])"
)
"""supervisord's own reading of its config; it has no option that only tries it."""
MOUNTED = 'set -e; while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@"'


def try_out(plan: Plan, places: Sequence[Place], work: Path) -> tuple[list[Diagnostic], list[str]]:
    """What the consumers have against their new files, and notes on what could not be tried.

    `work` is a folder on the host for the trial's copies; it is left empty.
    """
    refusals: list[Diagnostic] = []
    notes: list[str] = []
    refusals += _gunicorn(places)
    if any(place.target == "systemd" and place.content is not None for place in places):
        refusals += _systemd(plan, places, work, notes)
    touched = {place.target for place in places} & {"supervisor", "nginx"}
    if touched and not _can_make_namespaces():
        names = " and ".join(sorted(touched))
        notes.append(f"no mount namespace can be made here, so {names} could not try its files")
    elif touched:
        with _seen_as(places, work) as prefix:
            if "supervisor" in touched:
                refusals += _supervisor(prefix, notes)
            if "nginx" in touched:
                refusals += _nginx(prefix, notes)
    return refusals, notes


def not_taken(program: str, words: str) -> Diagnostic:
    """A program's refusal, in its own words."""
    return error(
        "PG846", f"{program} does not take it: {words}", None, "correct that; nothing was changed"
    )


def _gunicorn(places: Iterable[Place]) -> Iterator[Diagnostic]:
    """Gunicorn's settings are Python: at least they have to be that."""
    for place in places:
        if place.target == "gunicorn" and place.content is not None:
            try:
                compile(place.content, str(place.path), "exec")
            except (SyntaxError, ValueError) as failure:
                yield not_taken("gunicorn", f"{place.path}: {failure}")


def _systemd(
    plan: Plan, places: Iterable[Place], work: Path, notes: list[str]
) -> Iterator[Diagnostic]:
    """`systemd-analyze verify` for all units of the bench together."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        units = []
        for place in places:
            if place.target == "systemd" and place.content is not None:
                is_drop_in = place.path.suffix == ".conf"
                unit = Path(folder, *place.path.parts[-2 if is_drop_in else -1 :])
                unit.parent.mkdir(exist_ok=True)
                create_file(unit, place.content, 0o644)
                units += [] if is_drop_in else [str(unit)]
        variables = {"SYSTEMD_UNIT_PATH": f"{folder}:"}
        scope = f"--{plan.systemd.scope.value}"
        argv = ("systemd-analyze", scope, "verify", "--man=no", *units)
        done = run(argv, variables=variables, timeout=60)
        said = (done.err or done.out).strip()
        if done.code == 127:
            notes.append("systemd-analyze is not there, so the units were not tried")
        elif done.code != 0 or _is_about(said, units):
            yield not_taken("systemd", said.replace(f"{folder}/", ""))


def _is_about(said: str, units: Iterable[str]) -> bool:
    """Whether a warning is about one of ours; other units of the host may have theirs."""
    return any(Path(unit).name in line for line in said.splitlines() for unit in units)


def _supervisor(prefix: Sequence[str], notes: list[str]) -> Iterator[Diagnostic]:
    config = next((str(one) for one in CONFIGS if one.exists()), "")
    program = shutil.which("supervisord", path=SYSTEM_PATH)
    python = _interpreter(Path(program)) if program else ""
    if python and (danger := danger_on_way(Path(python))):
        notes.append(f"{danger}: root does not run it, so supervisord did not try its programs")
        return
    if not config or not python:
        notes.append("supervisord or its config is not there, so its programs were not tried")
        return
    done = run((*prefix, python, "-I", "-c", PARSE, config), timeout=60)
    if done.code != 0:
        yield not_taken("supervisord", _last_words(done))


def _interpreter(program: Path) -> str:
    """The Python that runs a script; empty where the script does not say."""
    try:
        first = read_regular(program, LONGEST_LINE).split(b"\n", 1)[0]
    except OSError:
        return ""
    words = first[2:].decode("utf-8", "replace").split() if first.startswith(b"#!") else []
    return words[-1] if words and words[0].endswith("env") else " ".join(words[:1])


def _nginx(prefix: Sequence[str], notes: list[str]) -> Iterator[Diagnostic]:
    if not shutil.which("nginx", path=SYSTEM_PATH) or not NGINX_CONFIG.exists():
        notes.append("nginx or its config is not there, so the servers were not tried")
        return
    done = run((*prefix, "nginx", "-t", "-q"), timeout=300)
    if done.code != 0:
        yield not_taken("nginx", _last_words(done))


def _last_words(done: Done) -> str:
    lines = [line for line in (done.err or done.out).splitlines() if line.strip()]
    wanted = [line for line in lines if "[emerg]" in line or line.startswith("Error:")]
    return "\n".join(wanted or lines[-3:]) or f"it ended with {done.code}"


@contextmanager
def _seen_as(places: Sequence[Place], work: Path) -> Iterator[tuple[str, ...]]:
    """What to put before a command so that it sees the new files in their places."""
    folders = sorted(
        {place.path.parent for place in places if place.target in ("supervisor", "nginx")}
    )
    with tempfile.TemporaryDirectory(dir=work) as base:
        pairs: list[str] = []
        for number, folder in enumerate(folders):
            copy = Path(base, str(number))
            _copy_folder(folder, copy)
            for place in places:
                if place.path.parent == folder:
                    _put(copy / place.path.name, place)
            if folder.is_dir():
                pairs += [str(copy), str(folder)]
        yield ("unshare", "--mount", "sh", "-c", MOUNTED, "sh", *pairs, "--")


def _copy_folder(folder: Path, copy: Path) -> None:
    failed: list[OSError] = []

    def copy_one(source: str, place: str) -> None:
        try:
            copy_content(source, place)
        except OSError as failure:
            failed.append(failure)
            raise

    if not folder.is_dir():
        copy.mkdir()
        return
    try:
        shutil.copytree(folder, copy, symlinks=True, copy_function=copy_one)
    except shutil.Error:  # a list of words
        if failed:
            raise failed[0] from None
        raise


def _put(path: Path, place: Place) -> None:
    if path.is_symlink() or path.exists():
        path.unlink()
    if place.content is not None:
        create_file(path, place.content, 0o644)


def _can_make_namespaces() -> bool:
    """Whether this process may make mount namespaces, which a container often forbids."""
    return os.geteuid() == 0 and run(("unshare", "--mount", "true")).code == 0
