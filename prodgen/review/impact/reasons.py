"""Why a setting of an artifact is as it is: the value of the plan behind it, and its place."""

from __future__ import annotations

from typing import NamedTuple

from prodgen.plan.core.model import Plan, Service
from prodgen.provenance import Origin, Sourced
from prodgen.review.core.source_lines import place_of
from prodgen.targets.core.effects import Effect
from prodgen.targets.registry import MODULES, load_effects

GUNICORN = {"preload_app": "preload"}
"""Settings of Gunicorn that the plan calls otherwise."""


class Explanation(NamedTuple):
    """The reason in words, and where it stands; no place for a default."""

    text: str
    place: str


class ReasonFinder:
    """Answers for one plan; without a plan (an archive has none) nothing is known."""

    def __init__(self, plan: Plan | None) -> None:
        self.plan = plan

    def of(self, effect: Effect, key: str = "") -> Explanation | None:
        """Why the setting `key` of what the effect is about has its value, if that is known.

        Without a key: why there are as many of it as there are.
        """
        origin = self._origin(effect, key)
        return Explanation(origin.text, str(place_of(origin) or "")) if origin else None

    def service(self, effect: Effect) -> Service | None:
        """The service that an effect is about, if it is one's."""
        if self.plan is None or effect.target not in MODULES:
            return None
        return load_effects(effect.target).service_of(self.plan, effect)

    def _origin(self, effect: Effect, key: str) -> Origin | None:
        if self.plan is None or effect.target not in MODULES:
            return None
        service = self.service(effect)
        if service is None:
            return _only(load_effects(effect.target).origins(self.plan, effect, key))
        owner: object = service
        name = load_effects(effect.target).fields.get(key) or ("" if key else "instances")
        if not name and service.gunicorn:
            owner, name = service.gunicorn, GUNICORN.get(key, key)
        value = getattr(owner, name, None) if name else None
        return value.origin if isinstance(value, Sourced) else None


def _only(origins: list[Origin]) -> Origin | None:
    """The one that somebody has given, else the only one there is."""
    given = [one for one in origins if place_of(one)]
    found = given if len(given) == 1 else origins
    return found[0] if len(found) == 1 else None
