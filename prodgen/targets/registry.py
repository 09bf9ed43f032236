"""Every target by name. A new one is a module, a folder of templates, and a line here."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from prodgen.plan.core.model import Manager
from prodgen.targets.core.base import Target

if TYPE_CHECKING:
    from types import ModuleType

    from prodgen.targets.core.effects import TargetEffects
    from prodgen.targets.core.places import Places

MODULES = {
    "supervisor": "prodgen.targets.supervisor.render",
    "systemd": "prodgen.targets.systemd.render",
    "nginx": "prodgen.targets.nginx.render",
    "gunicorn": "prodgen.targets.gunicorn.render",
    "redis": "prodgen.targets.redis.render",
    "environment": "prodgen.targets.env_reader.render",
}
"""Imported only when asked for: each costs a start of the command."""
COMPANIONS = {one.value: ("gunicorn", "redis", "environment") for one in Manager}
"""What a target needs beside it to work: the units or programs of every manager name these."""


def load_target(name: str) -> Target:
    """The target called `name`, which is one of `MODULES`."""
    return cast("Target", importlib.import_module(MODULES[name]).TARGET)


def load_effects(name: str) -> TargetEffects:
    """What the files of the target called `name` mean."""
    return cast("TargetEffects", _beside(name, "effects").EFFECTS)


def load_places(name: str) -> Places:
    """Where the files of the target called `name` are installed."""
    return cast("Places", _beside(name, "places").PLACES)


def _beside(name: str, module: str) -> ModuleType:
    """A module of the target's folder that no render needs."""
    return importlib.import_module(f"{MODULES[name].rpartition('.')[0]}.{module}")


def target_names(asked: tuple[str, ...], manager: Manager) -> list[str]:
    """The targets asked for, in the registry's order; `all` is what `manager` needs, and nginx."""
    wanted = set(asked)
    if "all" in wanted:
        wanted |= {manager.value, "nginx", *COMPANIONS[manager.value]}
    return [name for name in MODULES if name in wanted]


def with_companions(names: list[str]) -> list[str]:
    """The targets and what they need beside them, in the registry's order."""
    wanted = {*names, *(other for name in names for other in COMPANIONS.get(name, ()))}
    return [name for name in MODULES if name in wanted]
