"""A picture in Mermaid's flowchart language (mermaid.js.org, "Flowcharts")."""

from __future__ import annotations

from collections.abc import Iterator

from prodgen.plan.views.diagram import Picture

SPECIAL = "#&<>\"'`\\{}[]()|;*_~%$@"
"""Characters that Mermaid, or the Markdown in its labels, would take for its own."""
CHANGED = "classDef changed stroke:#c2410c,stroke-width:3px"


def as_mermaid(picture: Picture) -> str:
    """The picture as a flowchart from left to right."""
    return "".join(f"{line}\n" for line in _lines(picture))


def _lines(picture: Picture) -> Iterator[str]:
    yield "flowchart LR"
    names = {box.key: f"n{number}" for number, box in enumerate(picture.boxes)}
    for box in picture.boxes:
        mark = (f"<i>{_escaped(box.mark)}</i>",) if box.mark else ()
        text = "<br>".join((f"<b>{_escaped(box.head)}</b>", *map(_escaped, box.lines), *mark))
        yield f'  {names[box.key]}["{text}"]'
    for source, target in picture.arrows:
        yield f"  {names[source]} --> {names[target]}"
    changed = ",".join(names[box.key] for box in picture.boxes if box.mark)
    if changed:
        yield f"  {CHANGED}"
        yield f"  class {changed} changed"


def _escaped(text: str) -> str:
    """The text with entity codes, as Mermaid writes them: a number between # and ;."""
    return "".join(f"#{ord(char)};" if char in SPECIAL else char for char in text)
