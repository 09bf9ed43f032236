"""Shell completion of words that depend on the bench: environments, topics of `explain`.

A bench with faults offers less, and says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prodgen.app.bench_selection import Selection

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def environments(ctx: click.Context, incomplete: str) -> list[str]:
    """The names of the environments in prodgen.yaml; of a broken one, none."""
    from prodgen.host.door import rights_for
    from prodgen.inputs.reader import LARGEST_SETTINGS, find_bench, read_source
    from prodgen.inputs.settings import parse_yaml

    chosen = _chosen(ctx)
    try:
        root = find_bench((chosen.folder or Path.cwd()).absolute())
    except OSError:
        return []
    path = chosen.settings or (root / "prodgen.yaml" if root else None)
    if path is None:
        return []
    with rights_for(path):
        source = read_source(path, path.name, largest=LARGEST_SETTINGS)[0]
    document = parse_yaml(source)[0] if source else None
    data: Any = document.data if document else None
    there = data.get("environments") if isinstance(data, dict) else None
    names = map(str, there) if isinstance(there, dict) else ()
    return [name for name in names if name.startswith(incomplete)]


def topics_of(ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """Codes with their titles, and the names and fields of the bench's plan."""
    from click.shell_completion import CompletionItem

    from prodgen.app.pipeline import plan_bench
    from prodgen.codes import CODES

    if incomplete.upper().startswith("PG"):
        near = (code for code in CODES if code.startswith(incomplete.upper()))
        return [CompletionItem(code, help=CODES[code].title) for code in near]
    plan = plan_bench(_chosen(ctx), locked=False, programs=()).plan
    if plan is None:
        return []
    from prodgen.plan.views.explain import topics

    words = _words(topics(plan), f"{plan.bench_name.value}-", incomplete)
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def _words(known: dict[str, Any], prefix: str, incomplete: str) -> Iterator[str]:
    """Names, the bench's own without its prefix unless that is begun; or the fields of one."""
    is_long = incomplete.startswith(prefix)
    for name, fields in sorted(known.items()):
        word = name if is_long else name.removeprefix(prefix)
        if incomplete.startswith(f"{word}."):
            yield from _dotted(word, fields)
        else:
            yield word


def _dotted(word: str, fields: Iterable[str]) -> Iterator[str]:
    return (f"{word}.{field}" for field in sorted(fields))


def _chosen(ctx: click.Context) -> Selection:
    """The bench that the options so far select."""
    values = ctx.params
    return Selection(values.get("bench"), values.get("environment"), values.get("config"))
