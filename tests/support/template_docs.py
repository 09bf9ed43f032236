"""docs/templates.md below its introduction: what each template sees, from the context classes."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator

from prodgen.targets.core.template_errors import names_of
from prodgen.targets.core.templating import shipped_templates
from prodgen.targets.env_reader import render as environment
from prodgen.targets.gunicorn import render as gunicorn
from prodgen.targets.nginx import render as nginx
from prodgen.targets.redis import render as redis
from prodgen.targets.supervisor import render as supervisor
from prodgen.targets.systemd import render as systemd
from prodgen.targets.systemd import service
from tests.support.plans import ROOT

PAGE = ROOT / "docs/templates.md"
MARK = (
    "<!-- From here on made of the code: pytest tests/test_template_docs.py --update-golden -->\n"
)
CONTEXTS: dict[str, type] = {
    "supervisor/bench.conf": supervisor.Context,
    "systemd/bench.target": systemd.BenchTarget,
    "systemd/tier.target": systemd.TierTarget,
    "systemd/unit.service": service.Unit,
    "systemd/web.socket": systemd.Socket,
    "systemd/web-wait.service": systemd.Waiting,
    "systemd/bench.slice": systemd.Slice,
    "nginx/bench.conf": nginx.Context,
    "nginx/host.conf": nginx.HostContext,
    "gunicorn/gunicorn.conf.py": gunicorn.Context,
    "redis/redis.conf": redis.Context,
    "environment/with-env.sh": environment.Context,
}
"""The templates that a target renders; the others are included by one of them."""
INCLUDE = re.compile(r'include "([^"]+)"')
BUILTIN = {"str": "text", "int": "number", "bool": "yes or no", "tuple[str, ...]": "list of text",
           "list[str]": "list of text"}  # fmt: skip


def reference() -> str:
    """The generated part of the page."""
    return "\n".join(_lines()) + "\n"


def included(template: str) -> list[str]:
    """The templates that one includes, directly or not, in their order."""
    texts = shipped_templates()
    found: list[str] = []
    for name in INCLUDE.findall(texts[template]):
        found += [one for one in (name, *included(name)) if one not in found]
    return found


def _lines() -> Iterator[str]:
    for template, context in CONTEXTS.items():
        yield ""
        yield f"## {template}"
        parts = included(template)
        if parts:
            yield ""
            yield f"Includes {', '.join(f'`{one}`' for one in parts)}, which see the same."
        yield from _table("it", context)
        for inner in _inner(context):
            yield ""
            yield f"### {inner.__name__}"
            yield ""
            yield _plain(inspect.getdoc(inner) or "").partition("\n\n")[0]
            yield from _table("", inner)


def _table(holder: str, kind: type) -> Iterator[str]:
    yield ""
    yield "| name | kind | what |"
    yield "|---|---|---|"
    words = _words(kind)
    for name, annotation in _annotations(kind).items():
        shown = f"{holder}.{name}".removeprefix(".")
        yield f"| `{shown}` | {_kind(annotation)} | {words.get(name, '')} |"


def _annotations(kind: type) -> dict[str, str]:
    """The type of each field as it is written; nothing where it is no context."""
    written = {
        name: getattr(one, "__forward_arg__", one) for name, one in kind.__annotations__.items()
    }
    return {name: str(written[name]) for name in names_of(kind)}


def _kind(annotation: str) -> str:
    listed = re.fullmatch(r"(?:list|tuple)\[(\w+)(?:, \.\.\.)?\]", annotation)
    plain = BUILTIN.get(annotation) or (f"list of {listed[1]}" if listed else annotation)
    return plain.replace("int | None", "number, or none")


def _words(kind: type) -> dict[str, str]:
    """The string that follows a field, as its description."""
    [node] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(node, ast.ClassDef)
    found = {}
    for field, after in zip(node.body, node.body[1:], strict=False):
        is_words = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_words:
            found[field.target.id] = _plain(str(after.value.value))  # type: ignore[attr-defined]
    return found


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _inner(context: type) -> list[type]:
    """The classes that a context's fields hold, each once."""
    found: list[type] = []
    for annotation in _annotations(context).values():
        for word in re.findall(r"\b[A-Z]\w+", annotation):
            kind = getattr(sys.modules[context.__module__], word, None)
            if isinstance(kind, type) and names_of(kind) and kind not in found:
                found += [kind, *(one for one in _inner(kind) if one not in found)]
    return found
