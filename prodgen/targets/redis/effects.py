"""What a redis.conf means. Redis reads it at its start, so it restarts for it."""

from __future__ import annotations

import shlex

from prodgen.targets.core.effects import Action, TargetEffects
from prodgen.targets.core.meaning import Block


def redis_blocks(text: str) -> dict[str, Block]:
    """The directives of a redis.conf."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        try:
            name, *values = shlex.split(line, comments=line.lstrip().startswith("#")) or [""]
        except ValueError:
            name, values = line, []
        if name:
            found[name.lower()] = (*found.get(name.lower(), ()), " ".join(values))
    return {"redis": found}


EFFECTS = TargetEffects(parse=redis_blocks, at_start=Action.RESTART)
