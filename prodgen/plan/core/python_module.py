"""How the bench's Python runs a module without importing anything from the folder it is in.

`python -m` puts the current folder first among those that modules come from. That folder is
sites/, where the web workers write: a file that an upload or an attacker puts there as
`sites/frappe/__init__.py` would be run by the next worker, and outside of its sandbox by the next
migration. A variable (PYTHONSAFEPATH) would do, but every job and all that it starts inherits it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from prodgen.plan.core.defaults import version_of
from prodgen.provenance import Sourced

BENCH_HELPER = "frappe.utils.bench_helper"
"""The module that `bench` hands Frappe's own commands to (bench/cli.py)."""
SAFE_PATH_PYTHON = (3, 11)
"""The first Python with `-P` (docs.python.org/3/using/cmdline.html)."""
SAFE_PATH_FRAPPE = (16,)
"""The first Frappe that runs on no older Python (its pyproject.toml)."""
SCRIPT = (
    "import sys; del sys.path[0]; import runpy; "
    'runpy.run_module("{module}", None, "__main__", True)'
)
"""`python -m MODULE` without the current folder, for a Python that has no `-P`."""


class ModuleRun(NamedTuple):
    """A module that a command line runs, and the program's arguments."""

    module: str
    arguments: tuple[str, ...]


def has_safe_path(versions: Mapping[str, Sourced[str]]) -> bool:
    """Whether the bench's Python is known to have `-P`."""
    known = {name: version_of(version.value) for name, version in versions.items()}
    if "python" in known:
        return known["python"] >= SAFE_PATH_PYTHON
    return known.get("frappe", ()) >= SAFE_PATH_FRAPPE


def run_module(python: str, module: str, versions: Mapping[str, Sourced[str]]) -> tuple[str, ...]:
    """The words that run `module` as `__main__`; the arguments of the program come after them."""
    if has_safe_path(versions):
        return (python, "-P", "-m", module)
    return (python, "-c", SCRIPT.format(module=module))


def module_run(argv: tuple[str, ...]) -> ModuleRun | None:
    """What a command line of `run_module` runs; None for any other."""
    if argv[1:3] == ("-P", "-m"):
        return ModuleRun(argv[3], argv[4:])
    if argv[1:2] != ("-c",):
        return None
    before, after = SCRIPT.split("{module}")
    module = argv[2].removeprefix(before).removesuffix(after)
    return ModuleRun(module, argv[3:]) if argv[2] == SCRIPT.format(module=module) else None


def frappe_command(python: str, versions: Mapping[str, Sourced[str]]) -> tuple[str, ...]:
    """What `bench` becomes for a command of Frappe's, whose words come after these."""
    return (*run_module(python, BENCH_HELPER, versions), "frappe")
