"""files.md: which artifact goes where, from what the targets make of a sample bench."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from prodgen.host.facts import RED_HAT_PROGRAMS
from prodgen.inputs.core.source import Source
from prodgen.plan.core.model import Plan
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.registry import MODULES, load_target
from tests.docs.reference.markdown import code, head, plain, table
from tests.support.plans import bench_files, make_plan
from tests.support.reviewed import COMMON, PROCFILE, REDIS, SITES

MANAGED = "redis: {managed: true}"
SETTINGS = {
    "always": "",
    "with `nginx.default_server: true`": "nginx: {default_server: true}",
    "with `redis.managed: true`": MANAGED,
    "with `env_file`": "env_file: .env",
    "with `systemd.scope: user`": f"manager: systemd\nsystemd: {{scope: user}}\n{MANAGED}",
}
"""What decides which files there are, and their places."""
RED_HATS = "on Red Hat and its like"
WORDS = {"frappe-bench": "BENCH", r"frappe\x2dbench": "BENCH", "/home/frappe": "~"}


def files() -> Iterator[str]:
    """The page's lines."""
    yield from head(
        "Files",
        "What `prodgen render -o` writes, and where `prodgen apply` installs it. BENCH is the name "
        "of the bench (`bench_name`), `~` the home of its user. Files belong to root and have mode "
        f"{_mode()}; with `systemd.scope: user` those of systemd belong to the bench's user. The "
        "sample has one custom queue, `reports`, and its Frappe is of version 15.",
        "An output also holds `manifest.json`, which lists every file with its digest, and "
        "`README.md`, which has these places and the commands that install them. What `apply` "
        "keeps for itself, and where: [diff and apply](../apply.md#what-is-where).",
    )
    for target in MODULES:
        yield ""
        yield f"## {target}"
        yield ""
        summary = plain(load_target(target).summary)
        yield f"{summary[0].upper()}{summary[1:]}. In an output: the folder `{target}/`."
        yield ""
        yield from table(("file", "goes to", "when"), _rows(target))


def _rows(target: str) -> list[tuple[str, str, str]]:
    """A row for each file, and one more for each folder where its place depends on something."""
    places: dict[PurePosixPath, str] = {}
    rows: dict[tuple[str, str], str] = {}
    for words, plan in _plans().items():
        for one in _artifacts(target, plan):
            place = _place(one)
            is_moved = places.setdefault(one.path, place) != place and place.endswith("/")
            file = "all of these" if is_moved else code(_named(one.path.name))
            rows.setdefault((file, code(place)), words)
    return [(*row, words) for row, words in rows.items()]


def _place(artifact: Artifact) -> str:
    """Where a file is installed; the folder alone where it keeps its name."""
    path = artifact.destination
    keeps_name = path.name == artifact.path.name
    return _named(f"{path.parent}/" if keeps_name else str(path))


def _artifacts(target: str, plan: Plan) -> list[Artifact]:
    artifacts, _ = load_target(target).render(plan)
    return artifacts


def _plans() -> dict[str, Plan]:
    plans = {words: _plan(text) for words, text in SETTINGS.items()}
    plain_one = plans["always"]
    supervisor = plain_one.supervisor
    folder = supervisor.folder.derive(RED_HAT_PROGRAMS, "")
    return {
        **plans,
        RED_HATS: plain_one._replace(supervisor=supervisor._replace(folder=folder)),
    }


def _plan(settings: str) -> Plan:
    files = bench_files(PROCFILE, COMMON, sites=SITES, redis=REDIS)
    return make_plan(files._replace(settings=Source("prodgen.yaml", settings)))


def _named(text: str) -> str:
    for own, word in WORDS.items():
        text = text.replace(own, word)
    return text


def _mode() -> str:
    """The mode of all files; there is one so far."""
    plans = _plans().values()
    [mode] = {one.mode for name in MODULES for plan in plans for one in _artifacts(name, plan)}
    return f"{mode:04o}"
