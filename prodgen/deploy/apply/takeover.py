"""What somebody else has installed for a bench, and the job that puts ours in its place."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from prodgen.deploy.apply.installed import read_installed
from prodgen.deploy.apply.takeover_reach import reach_of, who_can_change
from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.registry import backend_of
from prodgen.deploy.system.folder_transaction import make_folders
from prodgen.plan.core.model import Plan
from prodgen.review.adopt.core.model import Adoption, joined
from prodgen.review.adopt.nginx import certbot
from prodgen.review.adopt.nginx import file as adopt_nginx
from prodgen.review.adopt.nginx.directives import Ours, ours_of
from prodgen.review.adopt.supervisor import sections
from prodgen.review.adopt.systemd import units as adopt_systemd
from prodgen.review.adopt.systemd.settings import Both
from prodgen.review.core.parse import merged
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.file_set import FileSet, Placed
from prodgen.targets.core.places import ADOPTED
from prodgen.targets.registry import load_places
from prodgen.targets.supervisor.groups import installed_file
from prodgen.targets.systemd.effects import units_in
from prodgen.targets.systemd.units import SYSTEM_FOLDER

RENEWALS = ((PurePosixPath("/etc/letsencrypt/renewal"), "*.conf"),)
"""What certbot renews; these files stay."""
DEV_NULL = os.makedev(1, 3)
"""What the link of a masked unit leads to (systemctl(1), mask)."""


class Takeover(NamedTuple):
    """What an adoption would do."""

    theirs: FileSet
    """The files that ours take the place of."""
    found: Mapping[str, Adoption]
    """All settings of theirs by file; what is said of files that stay is among it."""
    own: tuple[Artifact, ...]
    """Files of the user's own that keep what ours has not; no manifest lists them."""
    spares: frozenset[str]
    """Groups of Supervisor's, or units, that need not restart."""

    @property
    def ran_as_root(self) -> bool:
        """Whether something of theirs that ours takes the place of runs as root."""
        return any(one.text in ("user=root", "User=root") for one in self.adoption.entries)

    @property
    def adoption(self) -> Adoption:
        """The settings of all files."""
        return joined(self.found.values())


def plan_takeover(
    plan: Plan, new: FileSet, owned: Collection[PurePosixPath], root: Path
) -> Takeover:
    """What is installed of others for this bench, and what becomes of it. Raises OSError."""
    ours = ours_of(plan, new)
    files = {
        path: one
        for target in ("supervisor", "nginx")
        for path, one in _files(root, target, load_places(target).searched)
        if path not in owned
    }
    theirs = {path: one for path, one in sorted(files.items()) if _is(one, plan, ours)}
    blocks = merged(new, "supervisor")
    found = {}
    for path, one in theirs.items():
        if one.target == "nginx":
            reach = reach_of(root, path, adopt_nginx.paths_in(one.text))
            found[str(path)] = adopt_nginx.adopt_nginx(str(path), one.text, ours, reach)
        else:
            reach = reach_of(root, path, sections.paths_in(str(path), one.text))
            made = sections.adopt_supervisor(str(path), one.text, plan, blocks, reach)
            found[str(path)] = made
    if any(one.target == "nginx" for one in theirs.values()):
        for path, one in _files(root, "nginx", RENEWALS):
            found[str(path)] = certbot.adopt_renewal(one.text, ours)
    places = load_places("systemd").searched
    files = {path: one for path, one in _files(root, "systemd", places) if path not in owned}
    units = adopt_systemd.units_of_bench(files, plan, new)
    mine = units_in(new)
    reaches = {path: reach_of(root, path) for path in files}
    both = Both(plan, mine, frozenset(units.known), reaches)
    found |= adopt_systemd.adopt_systemd(units, both)
    all_of_theirs = {**theirs, **units.theirs}
    spares = backend_of(plan.manager.value).goes_on(plan, all_of_theirs, new)
    own = _own(plan, joined(found.values()).texts())
    return Takeover(all_of_theirs, found, tuple(own), spares)


def _is(one: Placed, plan: Plan, ours: Ours) -> bool:
    if one.target == "nginx":
        return adopt_nginx.is_of_bench(one.text, ours)
    return sections.is_of_bench(one.text, plan)


def _files(
    root: Path, target: str, places: Iterable[tuple[PurePosixPath, str]]
) -> Iterator[tuple[PurePosixPath, Placed]]:
    """Every file in the places, through its link where it is one.

    A link may lead to where the bench's user can put anything: what is there is read with that
    user's rights, and a pipe or an endless file is not read. Raises OSError.
    """
    for folder, pattern in places:
        for path in sorted((root / folder.relative_to("/")).glob(pattern)):
            if path.name.startswith(".") or not _is_config(path):
                continue
            content, mode = _read(path)
            place = PurePosixPath("/") / path.relative_to(root)
            yield place, Placed(content.decode("utf-8", "replace"), target, mode)


def _is_config(path: Path) -> bool:
    """Whether there is something to read: no folder, no broken link, and no masked unit."""
    try:
        state = path.stat()
    except OSError:
        return False
    return not stat.S_ISDIR(state.st_mode) and state.st_rdev != DEV_NULL


def _read(path: Path) -> tuple[bytes, int]:
    """The content and mode of a file. Raises DeployError if it leads where whoever can change it
    may not read."""
    try:
        return read_installed(path)
    except OSError as failure:
        if os.geteuid() != 0:
            raise
        reason = (failure.strerror or str(failure)).lower()
        who = who_can_change(path)
        message = f"{path} cannot be read: {reason}{f'; {who}' if who else ''}"
        raise DeployError(
            "PG927", message, "remove it, or put a file there that only root can change"
        ) from None


def _own(plan: Plan, texts: Mapping[str, str]) -> Iterator[Artifact]:
    bench = plan.bench_name.value
    for place, text in texts.items():
        if place == "programs":
            ours = installed_file(plan)
            path, target = ours.with_name(f"{bench}-own{ours.suffix}"), "supervisor"
        elif place.endswith((".service.d", ".target.d")):
            path, target = SYSTEM_FOLDER / place / ADOPTED, "systemd"
        else:
            path, target = PurePosixPath("/etc/nginx", bench, place, ADOPTED), "nginx"
        yield Artifact(PurePosixPath("own", place, path.name), text, path, target)


def with_live_spares(plan: Plan, found: Takeover, supervisor_config: Path | None) -> Takeover:
    """The takeover, in which only groups or units go on that run now. Raises DeployError."""
    if not found.spares:
        return found
    up = backend_of(plan.manager.value).running(plan, sorted(found.spares), supervisor_config)
    return found._replace(spares=found.spares & up)


@contextlib.contextmanager
def with_room(own: Iterable[Artifact]) -> Iterator[None]:
    """Makes the folders of the files of the user's own, so that nginx can try them; those in which
    nothing lies at the end go again. Raises OSError."""
    made: list[Path] = []
    try:
        for one in own:
            # Each as it is made: where one cannot be, those before it go again.
            for folder in make_folders(Path("/"), one.destination.relative_to("/")):
                made.append(folder)  # noqa: PERF402
        yield
    finally:
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()
