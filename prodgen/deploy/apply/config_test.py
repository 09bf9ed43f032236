"""New config tried by the programs that will read it, before any live file changes.

nginx and supervisord read their files from fixed places. They are run in a mount namespace of
their own (mount_namespaces(7)) in which the staged files lie in those places already.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from prodgen.deploy.apply.journal import Place, copy_content
from prodgen.deploy.managers.registry import backend_of
from prodgen.deploy.session.trial import Trial, complaint
from prodgen.deploy.system.atomic_write import create_file
from prodgen.diagnostics import Diagnostic, error
from prodgen.host.programs import run
from prodgen.host.system_path import SYSTEM_PATH
from prodgen.plan.core.model import Manager, Plan
from prodgen.targets.registry import MODULES

NGINX_CONFIG = Path("/etc/nginx/nginx.conf")
MOUNTED = 'set -e; while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@"'


def try_out(plan: Plan, places: Sequence[Place], work: Path) -> tuple[list[Diagnostic], list[str]]:
    """What the programs that read new files have against them, and notes on what was not tried.

    `work` is a folder on the host for the trial's copies; it is left empty.
    """
    refusals: list[Diagnostic] = []
    unseen: list[str] = []
    with ExitStack() as stack:

        def prefix(target: str) -> Sequence[str] | None:
            if not _can_make_namespaces():
                unseen.append(target)
                return None
            own = [place for place in places if place.target == target]
            return stack.enter_context(_seen_as(own, work))

        trial = Trial(plan, places, work, [], prefix)
        touched = {place.target for place in places}
        for target in MODULES:
            if target in touched and target in TRIALS:
                program, test = TRIALS[target]
                refusals += [not_taken(program, words) for words in test(trial)]
    if unseen:
        names = " and ".join(sorted(unseen))
        words = f"no mount namespace can be made here, so {names} could not try its files"
        trial.notes.append(words)
    return refusals, trial.notes


def not_taken(program: str, words: str) -> Diagnostic:
    """A program's refusal, in its own words."""
    return error(
        "PG846", f"{program} does not take it: {words}", None, "correct that; nothing was changed"
    )


def _gunicorn(trial: Trial) -> Iterator[str]:
    """Gunicorn's settings are Python: at least they have to be that."""
    for path, content in trial.written("gunicorn"):
        try:
            compile(content, str(path), "exec")
        except (SyntaxError, ValueError) as failure:
            yield f"{path}: {failure}"


def _nginx(trial: Trial) -> Iterator[str]:
    prefix = trial.prefix("nginx")
    if prefix is None:
        return
    if not shutil.which("nginx", path=SYSTEM_PATH) or not NGINX_CONFIG.exists():
        trial.notes.append("nginx or its config is not there, so the servers were not tried")
        return
    done = run((*prefix, "nginx", "-t", "-q"), timeout=300)
    if done.code != 0:
        yield complaint(done)


TRIALS: dict[str, tuple[str, Callable[[Trial], Iterator[str]]]] = {
    "nginx": ("nginx", _nginx),
    "gunicorn": ("gunicorn", _gunicorn),
    **{one.value: (backend_of(one).daemon, backend_of(one).test_config) for one in Manager},
}
"""The program that reads the files of a target, and what it says of new ones."""


@contextmanager
def _seen_as(places: Sequence[Place], work: Path) -> Iterator[tuple[str, ...]]:
    """What to put before a command so that it sees the new files in their places."""
    folders = sorted({place.path.parent for place in places})
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
