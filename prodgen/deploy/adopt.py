"""What somebody else has installed for a bench, and the job that puts ours in its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from prodgen.deploy.supervisor_rpc import Rpc, find_server
from prodgen.plan.model import Manager, Plan
from prodgen.review import adopt_nginx, adopt_supervisor
from prodgen.review.adopt_nginx_words import Ours, ours_of
from prodgen.review.adopted import Adoption, joined
from prodgen.review.impact import merged
from prodgen.review.sides import Placed, Side
from prodgen.targets.artifacts import Artifact
from prodgen.targets.supervisor_groups import installed_file

PLACES = (
    ("supervisor", "/etc/supervisor/conf.d", "*.conf"),
    ("supervisor", "/etc/supervisord.d", "*.ini"),
    ("nginx", "/etc/nginx/conf.d", "*.conf"),
    ("nginx", "/etc/nginx/sites-enabled", "*"),
)
"""Where bench and people put what is for a bench (Debian's and Red Hat's folders)."""
UNITS = "/etc/systemd/system"
OWN = "adopted.conf"
"""The file of a user's own in each folder that our servers include."""


class Takeover(NamedTuple):
    """What an adoption would do."""

    theirs: Side
    """The files that ours take the place of."""
    adoption: Adoption
    own: tuple[Artifact, ...]
    """Files of the user's own that keep what ours has not; no manifest lists them."""
    spares: frozenset[str]
    """Groups of Supervisor's that need not restart."""


def plan_takeover(plan: Plan, new: Side, owned: Collection[PurePosixPath], root: Path) -> Takeover:
    """What is installed of others for this bench, and what becomes of it. Raises OSError."""
    ours = ours_of(plan, new)
    theirs = {path: one for path, one in _files(root) if path not in owned and _is(one, plan, ours)}
    blocks = merged(new, "supervisor")
    found = []
    for path, one in sorted(theirs.items()):
        if one.target == "nginx":
            found.append(adopt_nginx.adopt_nginx(str(path), one.text, ours))
        else:
            found.append(adopt_supervisor.adopt_supervisor(str(path), one.text, plan, blocks))
    adoption = joined(found)
    spares: set[str] = set()
    if plan.manager.value is Manager.SUPERVISOR:
        old = merged(theirs, "supervisor")
        spares = adopt_supervisor.spared_groups(old, blocks, plan.bench_name.value)
    return Takeover(theirs, adoption, tuple(_own(plan, adoption.texts())), frozenset(spares))


def _is(one: Placed, plan: Plan, ours: Ours) -> bool:
    if one.target == "nginx":
        return adopt_nginx.is_of_bench(one.text, ours)
    return adopt_supervisor.is_of_bench(one.text, plan)


def _files(root: Path) -> Iterator[tuple[PurePosixPath, Placed]]:
    """Every file in the places, through its link where it is one."""
    for target, folder, pattern in PLACES:
        for path in sorted((root / folder.lstrip("/")).glob(pattern)):
            if path.is_file() and not path.name.startswith("."):
                text = path.read_bytes().decode("utf-8", "replace")
                place = PurePosixPath("/") / path.relative_to(root)
                yield place, Placed(text, target, path.stat().st_mode & 0o7777)


def _own(plan: Plan, texts: Mapping[str, str]) -> Iterator[Artifact]:
    bench = plan.bench_name.value
    for place, text in texts.items():
        if place == "programs":
            ours = installed_file(plan)
            path, target = ours.with_name(f"{bench}-own{ours.suffix}"), "supervisor"
        else:
            path, target = PurePosixPath("/etc/nginx", bench, place, OWN), "nginx"
        yield Artifact(PurePosixPath("own", place, path.name), text, path, target)


def foreign_units(plan: Plan, owned: Collection[PurePosixPath], root: Path) -> list[PurePosixPath]:
    """Units that `bench setup systemd` made for this bench (bench/config/systemd.py)."""
    folder = root / UNITS.lstrip("/")
    bench = plan.bench_name.value
    names = [f"{bench}.target", f"{bench}-*.target", f"{bench}-*.service"]
    found = {path for name in names for path in folder.glob(name)}
    places = (PurePosixPath("/") / path.relative_to(root) for path in sorted(found))
    return [place for place in places if place not in owned]


def with_live_spares(found: Takeover, supervisor_config: Path | None) -> Takeover:
    """The takeover, in which only groups go on that run now. Raises Refused."""
    if not found.spares:
        return found
    infos = Rpc(find_server(supervisor_config)).call("getAllProcessInfo")
    down = {one["group"] for one in infos if one["statename"] != "RUNNING"}
    up = {one["group"] for one in infos} - down
    return found._replace(spares=found.spares & up)


def make_room(own: Iterable[Artifact]) -> None:
    """The folders of the files of the user's own, so that nginx can try them. Raises OSError."""
    for one in own:
        Path(one.destination).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
