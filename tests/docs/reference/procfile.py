"""procfile.md: the table by which Procfile lines are classified."""

from __future__ import annotations

from collections.abc import Iterator

from prodgen.codes import CODES
from prodgen.plan.core.bench_lines import BENCH_LINES
from prodgen.plan.core.line_table import BACKGROUND, FORMS, NAMES, OTHER
from tests.docs.reference.markdown import code, head, plain, table


def procfile() -> Iterator[str]:
    """The page's lines: the forms in the order in which they are tried."""
    yield from head(
        "Lines of a Procfile",
        "What `prodgen` makes of each form of a line. The first row that matches counts. Programs "
        "that only run another one (`env`, `nice`, `exec`, `timeout`, a debugger, `bundle exec`, "
        "`sh -c`), commands that only prepare (`cd`, `source`, `export`), and options between "
        "`bench` and its command make no difference; nor does `python -m "
        "frappe.utils.bench_helper frappe` in place of `bench`.",
        "Every line is exactly one of: kept, replaced, left out, refused. `prodgen plan --format "
        "json` (`lines`) and `prodgen explain NAME` say which and why. What prodgen does not "
        "know, changes, or leaves out draws a warning with its place. An entry under `processes:` "
        "in prodgen.yaml, an empty one too, ends the warnings about its line; a `command` there "
        "is run even if its form would be left out.",
    )
    yield ""
    yield "## Forms"
    yield ""
    rows = [*FORMS, *dict.fromkeys(NAMES.values()), BACKGROUND, OTHER]
    yield from table(
        ("Lines like", "What it is", "Becomes", "Production runs", "Said"),
        (
            (
                ", ".join(map(_example, form.examples)),
                plain(form.kind.value),
                form.disposition.value,
                plain(form.production),
                _said(form.code),
            )
            for form in rows
        ),
    )
    yield ""
    yield "## Lines that bench writes itself"
    yield ""
    yield (
        "These draw no warning. They are those of bench's own template since April 2016; a path "
        "before the program, and another name of the process, make no difference."
    )
    yield ""
    yield from table(
        ("Process", "Command, as a regular expression"),
        ((code(name), code(pattern)) for name, pattern in BENCH_LINES),
    )


def _said(code_of_form: str) -> str:
    title = plain(CODES[code_of_form].title)
    return f"[{code_of_form}](diagnostics.md#{code_of_form.lower()}): {title}"


def _example(text: str) -> str:
    return plain(text) if text.startswith("any ") else code(text)
