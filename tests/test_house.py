"""The house keeps its order: who may import whom, and who alone knows which library."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.plans import ROOT

PACKAGE = ROOT / "prodgen"
ROOMS = ["base", "inputs", "host", "plan", "targets", "review", "deploy", "app", "cli"]
BASE = {"diagnostics", "provenance", "codes", "__init__"}
LIBRARIES: dict[str, Callable[[str], bool]] = {
    "click": lambda module: module.startswith("cli/"),
    "jinja2": lambda module: module == "targets/core/templating.py",
    "jsonschema": lambda module: module == "inputs/schema/check.py",
    "redis": lambda module: module == "deploy/queue/redis_client.py",
    "yaml": lambda module: module == "inputs/settings.py",
}
PURE_ROOMS = ["inputs", "plan", "targets", "review"]
READER = "inputs/reader.py"
IMPURE = {"os", "subprocess", "time", "datetime", "random", "secrets", "socket", "platform", "pwd",
          "getpass", "shutil", "tempfile", "locale", "uuid"}  # fmt: skip
LONGEST_FILE = 400


def modules() -> list[str]:
    return sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))


@cache
def nodes(module: str) -> list[ast.AST]:
    return list(ast.walk(ast.parse((PACKAGE / module).read_text("utf-8"))))


def imports(module: str) -> Iterator[str]:
    for node in nodes(module):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield node.module or ""


def room_of(module: str) -> str:
    first = module.split("/", maxsplit=1)[0].removesuffix(".py")
    return "base" if first in BASE else first


@pytest.mark.parametrize("module", modules())
def test_nobody_imports_upward(module: str) -> None:
    own = room_of(module)
    if own == "__main__":
        return
    for name in imports(module):
        if not name.startswith("prodgen."):
            continue
        other = room_of(name.removeprefix("prodgen.").replace(".", "/"))
        assert ROOMS.index(other) <= ROOMS.index(own), f"{module} imports {name}"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_is_known_to_one_room(library: str) -> None:
    users = [name for name in modules() if library in {one.split(".")[0] for one in imports(name)}]
    assert users, f"nobody uses {library}"
    assert all(LIBRARIES[library](name) for name in users), users


@pytest.mark.parametrize("module", modules())
def test_pure_rooms_look_at_nothing(module: str) -> None:
    if room_of(module) not in PURE_ROOMS or module == READER:
        return
    assert not IMPURE & {name.split(".")[0] for name in imports(module)}


@pytest.mark.parametrize("module", modules())
def test_a_file_has_one_subject(module: str) -> None:
    assert len((PACKAGE / module).read_text("utf-8").splitlines()) <= LONGEST_FILE


PRIVILEGE = {"seteuid", "setegid", "setgroups", "setuid", "setgid", "setresuid", "setreuid"}
"""What changes whose rights this process has (setuid(2))."""
STARTERS = {"system", "popen", "fork", "forkpty", "execv", "execve", "execvp", "posix_spawn"}
STARTING = {
    "deploy/jobs/graceful_stop.py",
    "deploy/managers/systemd/journal.py",
    "deploy/restart/bench_migrate.py",
    "host/programs.py",
}
"""Who starts programs; each says in which folder, and with which environment."""
OPENERS = {"Path", "open", "realpath", "stat", "lstat", "scandir", "listdir", "chdir"}
AT_THE_DOOR = {"app/pipeline.py", "deploy/system/other_benches.py"}
"""Where a bench's path is looked at: to go to the door, and to tell two benches apart."""


@pytest.mark.parametrize("module", modules())
def test_nobody_goes_around_the_door(module: str) -> None:
    """Root's rights change in one file, programs start in few, and a bench is entered in one way
    (host/door.py)."""
    for node in ast.walk(ast.parse((PACKAGE / module).read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        words = ast.unparse(node.func)
        name, given = words.rpartition(".")[2], {word.arg for word in node.keywords}
        assert name not in PRIVILEGE or module == "host/run_as.py", f"{module}: {words}"
        assert name not in STARTERS or module == "cli/main.py", f"{module}: {words}"
        if words.startswith("subprocess."):
            assert module in STARTING, f"{module} starts a program"
            assert {"cwd", "env"} <= given, f"{module} starts a program wherever it is"
        if (
            name in OPENERS
            and module not in AT_THE_DOOR
            and room_of(module) in ("deploy", "app", "cli")
        ):
            assert "bench.value" not in ast.unparse(node), f"{module}: {ast.unparse(node)}"


def test_every_room_is_inhabited() -> None:
    for room in ROOMS[1:]:
        files = [path for path in (PACKAGE / room).rglob("*.py") if path.name != "__init__.py"]
        assert files, room


def test_this_test_sees_the_imports(tmp_path: Path) -> None:
    assert "prodgen.inputs.bench" in set(imports("plan/planner.py"))
    assert "click" in set(imports("cli/main.py"))
    assert "jsonschema" in set(imports("inputs/schema/check.py"))


MOST_MODULES = 20
"""In one folder, without its `__init__.py`."""
OF_TESTS_ALONE = ("ci", "docs", "live", "messages", "support")
"""Folders of tests/ that mirror none of prodgen/: what is around it, and what serves all tests."""

Graph = dict[str, set[str]]


def name_of(module: str) -> str:
    """`prodgen.inputs.json` of `inputs/json/__init__.py`."""
    parts = ("prodgen", *Path(module).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


@cache
def import_graph() -> Graph:
    """By the name of each module the others that it imports, or names in a string of its own: a
    table of modules that are loaded by name counts as imports."""
    known = {name_of(module) for module in modules()}
    graph: Graph = {name: set() for name in known}
    for module in modules():
        for node in ast.walk(ast.parse((PACKAGE / module).read_text("utf-8"))):
            found: list[str] = []
            if isinstance(node, ast.Import):
                found = [one.name for one in node.names]
            elif isinstance(node, ast.ImportFrom):
                whole = [f"{node.module}.{one.name}" for one in node.names]
                found = [name if name in known else node.module or "" for name in whole]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found = [node.value] if "." in node.value else []
            graph[name_of(module)] |= {name for name in found if name in known}
    return {name: {other for other in graph[name] if other != name} for name in graph}


def folder_of(name: str) -> str:
    """The folder that a module is in, of a package the one that it is."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    return name if path.is_dir() else name.rpartition(".")[0]


def folder_graph() -> Graph:
    """By each folder the others that its modules import from; `python -m prodgen` is in none."""
    graph: Graph = {}
    for name, others in import_graph().items():
        if name != "prodgen.__main__":
            folders = {folder_of(other) for other in others} - {folder_of(name)}
            graph.setdefault(folder_of(name), set()).update(folders)
    return graph


def circle_in(graph: Graph) -> list[str]:
    """A way through the graph that comes back to where it began; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def uncles_in(graph: Graph) -> list[str]:
    """Imports of a module that lies beside a folder around the importing one."""
    return [
        f"{name} imports {other}"
        for name, others in graph.items()
        for other in others
        if folder_of(other) != "prodgen" and folder_of(name).startswith(f"{folder_of(other)}.")
    ]


def test_no_file_is_in_a_circle_of_imports() -> None:
    assert circle_in(import_graph()) == []


def test_no_folder_is_in_a_circle_of_imports() -> None:
    assert circle_in(folder_graph()) == []


def test_a_folder_imports_nothing_that_lies_in_a_folder_around_it() -> None:
    assert uncles_in(import_graph()) == []


def test_circles_and_uncles_are_seen() -> None:
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert not circle_in({"a": {"b", "c"}, "b": {"c"}})
    assert "prodgen.targets.nginx.render" in import_graph()["prodgen.targets.registry"]
    assert "prodgen.targets.core" in folder_graph()["prodgen.targets.nginx"]
    planner, web = "prodgen.plan.planner", "prodgen.plan.services.web"
    assert uncles_in({web: {planner}}) == [f"{web} imports {planner}"]
    assert uncles_in({planner: {web}}) == []


@pytest.mark.parametrize("top", ["prodgen", "tests"])
def test_a_folder_has_few_modules(top: str) -> None:
    files = [path for path in (ROOT / top).rglob("*.py") if path.name != "__init__.py"]
    counts = Counter(path.parent for path in files)
    assert counts
    assert {str(one): count for one, count in counts.items() if count > MOST_MODULES} == {}


def test_the_tests_are_in_the_same_tree() -> None:
    folders = {path.parent.relative_to(ROOT / "tests") for path in ROOT.glob("tests/**/test_*.py")}
    mirrors = {one for one in folders if one.parts and one.parts[0] not in OF_TESTS_ALONE}
    assert mirrors
    assert {str(one) for one in mirrors if not (PACKAGE / one / "__init__.py").exists()} == set()
    assert all((ROOT / "tests" / name).is_dir() for name in OF_TESTS_ALONE)
