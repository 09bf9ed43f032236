"""What prodgen needs to know a third manager: a line for its target, and one more case where mypy
asks for it (CONTRIBUTING.md, "Add a manager")."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests.support.plans import ROOT

HERE = Path(__file__).parent


class Added(NamedTuple):
    """Lines that come after one that is there."""

    file: str
    after: str
    lines: str


MEMBER = Added("prodgen/plan/core/model.py", '    SYSTEMD = "systemd"\n', '    RUNIT = "runit"\n')
TITLE = Added(
    "prodgen/plan/core/model.py",
    '            title = "systemd"\n',
    '        elif self is Manager.RUNIT:\n            title = "runit"\n',
)
TARGET = Added(
    "prodgen/targets/registry.py",
    "MODULES = {\n",
    '    "runit": "tests.support.runit.render",\n',
)
BACKEND = Added(
    "prodgen/deploy/managers/registry.py",
    "        found = SYSTEMD\n",
    "    elif manager is Manager.RUNIT:\n        found = RUNIT\n",
)
IMPORT = Added(
    "prodgen/deploy/managers/registry.py",
    "from prodgen.plan.core.model import Manager, Plan, assert_never\n",
    "from tests.support.runit.backend import BACKEND as RUNIT\n",
)
SETTING = Added(
    "prodgen/inputs/schema/prodgen.json",
    '      "enum": [\n        "supervisor",\n        "systemd",\n',
    '        "runit",\n',
)
ALL = (MEMBER, TITLE, TARGET, BACKEND, IMPORT, SETTING)


def copy_prodgen(folder: Path) -> Path:
    """A copy of prodgen with the toy's folder and its templates, which does not know it yet."""
    for name in ("prodgen", "templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(HERE / "templates", folder / "templates/runit")
    for name in ("tests/__init__.py", "tests/support/__init__.py", "pyproject.toml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(HERE, folder / "tests/support/runit")
    (folder / "tests/support/runit/recipe.py").unlink()
    return folder


def follow(folder: Path, steps: Iterable[Added] = ALL) -> None:
    """Adds the lines to a copy of prodgen."""
    for one in steps:
        path = folder / one.file
        text = path.read_text("utf-8")
        assert text.count(one.after) == 1, one
        path.write_text(text.replace(one.after, one.after + one.lines), "utf-8")
