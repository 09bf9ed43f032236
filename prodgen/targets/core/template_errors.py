"""Why a user's template failed: the line, what of it is meant, and the values at hand there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType

from prodgen.diagnostics import Diagnostic, error
from prodgen.inputs.core.source import Source
from prodgen.inputs.core.suggest import nearest
from prodgen.inputs.redact.patterns import mask

QUOTED = re.compile(r"[`']([^`']+)[`']")
TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
NAME = re.compile(r"""(?<![\w."'|])[A-Za-z]\w*(?:\.[A-Za-z]\w*)*""")
MOST_VALUES = 3
LONGEST_VALUE = 60
"""Characters of one value."""


def explain(failure: Exception, template: str, sources: Mapping[str, Source]) -> Diagnostic:
    """The error for what Jinja2 or a template's own code raised while `template` was rendered.

    A syntax error knows its line and file; for any other the traceback does, since Jinja2
    rewrites it to lines of templates.
    """
    name, line = template, getattr(failure, "lineno", None) or 0
    values: Mapping[str, object] = {}
    if line:
        name = getattr(failure, "name", None) or template
    else:
        for found in _template_frames(failure.__traceback__, sources):
            name, line, values = found
    source = sources.get(name, Source(name, ""))
    text = source.line_text(line) if 0 < line <= len(source.line_starts) else ""
    message = _message(failure, sources)
    start, length = _span(text, message)
    place = source.locate(source.line_starts[line - 1] + start, length) if text else source.whole
    return error("PG740", message, place, _help(text, values))


def no_such_name(name: object, holder: object) -> str:
    """What to say where a template asks for a name that is not there."""
    known = fields(holder)
    if not known:
        return f"there is no `{name}`; what prodgen knows is in `it`"
    near = nearest(str(name), known)
    others = f"did you mean `{near}`?" if near else f"there are {', '.join(known)}"
    return f"there is no `{name}` here; {others}"


def fields(holder: object) -> list[str]:
    """The names of a context's values, in their order; none where it is no context."""
    return names_of(type(holder))


def names_of(kind: type) -> list[str]:
    """The names that a class of contexts has; none where it is no such class."""
    known: Iterable[str] = getattr(kind, "_fields", ()) or getattr(kind, "__dataclass_fields__", ())
    return list(known)


def _template_frames(
    trace: TracebackType | None, sources: Iterable[str]
) -> Iterator[tuple[str, int, Mapping[str, object]]]:
    """Template, line and values of each frame that is a template's, the innermost last."""
    known = set(sources)
    while trace:
        file = trace.tb_frame.f_code.co_filename
        if file in known:
            yield file, trace.tb_lineno, trace.tb_frame.f_locals
        trace = trace.tb_next


def _message(failure: Exception, sources: Iterable[str]) -> str:
    kind = type(failure).__name__
    if kind in ("TemplateNotFound", "TemplatesNotFound"):
        missing = str(getattr(failure, "name", ""))
        near = nearest(missing, sources)
        guess = f"; did you mean `{near}`?" if near else ""
        return f"there is no template `{missing}`{guess}"
    if isinstance(failure, RecursionError):
        return "the template includes itself without end"
    text = str(getattr(failure, "message", None) or failure).strip().rstrip(".") or kind
    if kind.startswith(("Template", "Undefined", "Security")):
        return text[0].lower() + text[1:]
    return f"{kind}: {text}"


def _span(line: str, message: str) -> tuple[int, int]:
    """Where in the line what is meant stands: a word that the message quotes, a tag, or all."""
    for word in reversed(QUOTED.findall(message.partition(";")[0])):
        found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", line)
        if found:
            return found.start(), len(word)
    tag = TAG.search(line)
    if tag:
        return tag.start(), len(tag[0])
    return len(line) - len(line.lstrip()), max(1, len(line.strip()))


def _help(line: str, values: Mapping[str, object]) -> str:
    shown = dict(list(_at_hand(line, values))[:MOST_VALUES])
    at_hand = ", ".join(f"{name} is {value}" for name, value in shown.items())
    way_out = "`prodgen templates diff` shows what the template was"
    return f"here {at_hand}; {way_out}" if at_hand else way_out


def _at_hand(line: str, values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The values that the line names, as far as they are plain."""
    for tag in TAG.findall(line):
        for name in NAME.findall(tag):
            known, value = _resolve(name.split("."), values)
            if isinstance(value, list):
                yield known, f"a list of {len(value)}"
            elif isinstance(value, (str, int)):
                yield known, _shortened(mask(repr(value)))


def _resolve(parts: list[str], values: Mapping[str, object]) -> tuple[str, object]:
    """The value of a dotted name; where there is none, the name of what should have it."""
    way, value = parts[:1], values.get(parts[0])
    for part in parts[1:]:
        known = fields(value)
        if part not in known and "name" in known:
            return ".".join([*way, "name"]), getattr(value, "name", None)
        way, value = [*way, part], getattr(value, part, None) if part in known else None
    return ".".join(way), value


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
