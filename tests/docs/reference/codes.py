"""diagnostics.md: every code, as `prodgen explain CODE` tells it."""

from __future__ import annotations

from collections.abc import Iterator

from prodgen.codes import CODES, members
from tests.docs.reference.markdown import head, plain

GROUPS = {
    "PG0": "Reading files",
    "PG1": "Bench and Procfile",
    "PG2": "common_site_config.json",
    "PG3": "Sites",
    "PG4": "prodgen.yaml",
    "PG5": "The host",
    "PG6": "The plan",
    "PG7": "Artifacts",
    "PG8": "Changing a host",
    "PG9": "Managers, Redis and the host's state",
}


def diagnostics() -> Iterator[str]:
    """The page's lines; a heading a code, which is its anchor: #pg610."""
    yield from head(
        "Diagnostics",
        "What prodgen reports has a code, a severity, the place in your file, and a way out. "
        "`prodgen explain CODE` prints the same text as this page. An error means that nothing is "
        "written or changed; a warning lets a run go on, but for `--strict`.",
    )
    group = ""
    for code, entry in sorted(CODES.items()):
        if code[:3] != group:
            group = code[:3]
            yield ""
            yield f"## {GROUPS[group]}"
        yield ""
        yield f"### {code}"
        yield ""
        family = f", one of {entry.family}" if entry.family else ""
        yield f"**{plain(entry.title)}** ({entry.severity}{family})"
        yield ""
        yield plain(entry.text)
        if kinds := members(code):
            yield ""
            yield f"Its codes: {', '.join(kinds)}."
