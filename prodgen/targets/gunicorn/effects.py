"""What a gunicorn.conf.py means. Gunicorn reads it at its start, so an instance restarts for it."""

from __future__ import annotations

import ast

from prodgen.targets.core.effects import Action, TargetEffects
from prodgen.targets.core.meaning import Block, lines_of


def gunicorn_blocks(text: str) -> dict[str, Block]:
    """The settings and functions of a gunicorn.conf.py."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return lines_of(text)
    found: dict[str, tuple[str, ...]] = {}
    for one in tree.body:
        if isinstance(one, ast.Assign):
            for target in one.targets:
                found[ast.unparse(target)] = (ast.unparse(one.value),)
        elif isinstance(one, (ast.FunctionDef, ast.ClassDef)):
            found[one.name] = (ast.unparse(one),)
        else:
            source = ast.unparse(one)
            found[source] = (source,)
    return {"gunicorn": found}


EFFECTS = TargetEffects(parse=gunicorn_blocks, at_start=Action.ROLL)
