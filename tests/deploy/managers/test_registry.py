"""Nothing of a target or of a manager is missing (mypy proves the backends complete)."""

from __future__ import annotations

import pytest

from prodgen.deploy.managers.registry import backend_of
from prodgen.plan.core.model import Manager
from prodgen.targets.core.effects import TargetEffects
from prodgen.targets.core.meaning import lines_of
from prodgen.targets.core.places import Places
from prodgen.targets.registry import COMPANIONS, MODULES, load_effects, load_places, load_target


@pytest.mark.parametrize("manager", list(Manager))
def test_each_manager_has_a_target_a_parser_effects_and_a_backend(manager: Manager) -> None:
    assert load_target(manager.value).name == manager.value
    effects = load_effects(manager.value)
    assert effects.parse is not lines_of
    ours = TargetEffects()
    for name in ("effects", "running", "service_of", "fields"):
        assert getattr(effects, name) != getattr(ours, name), name
    module = type(backend_of(manager)).__module__
    assert module == f"prodgen.deploy.managers.{manager.value}.backend"
    assert manager.title
    assert COMPANIONS[manager.value]


@pytest.mark.parametrize("target", MODULES)
def test_each_target_says_what_its_files_mean_and_where_they_may_be(target: str) -> None:
    assert load_target(target).name == target
    assert isinstance(load_effects(target), TargetEffects)
    assert isinstance(load_places(target), Places)
