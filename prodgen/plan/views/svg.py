"""A picture as SVG 1.1: columns of boxes, curves between them, no script, no font of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from prodgen.plan.views.diagram import Box, Picture

CHARACTER, BOLD = 7.6, 8.6
"""Width of an average character of 13 px, as wide as fonts come."""
LINE = 18
PADDING = 12
GAP = 18
BETWEEN = 70
MARGIN = 24
TITLE = 34
LEAST = 110
"""Width of a box with little text."""
FONT = "font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif\" font-size=\"13\""
FILLS = {
    "sites": "#f1f5f9",
    "nginx": "#dcfce7",
    "web": "#dbeafe",
    "realtime": "#e0e7ff",
    "cache": "#fee2e2",
    "queue": "#fee2e2",
    "scheduler": "#fef9c3",
    "worker": "#fef9c3",
}
OTHER = "#f1f5f9"
INK, LESS, EDGE, CHANGED = "#0f172a", "#475569", "#94a3b8", "#c2410c"


class Frame(NamedTuple):
    """Where a box stands, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Half its height down."""
        return self.y + self.height / 2


def as_svg(picture: Picture) -> str:
    """The picture as one document."""
    frames = _layout(picture)
    width = max(frame.x + frame.width for frame in frames.values()) + MARGIN
    width = max(width, MARGIN * 2 + len(picture.title) * BOLD * 1.3)
    height = max(frame.y + frame.height for frame in frames.values()) + MARGIN
    return "".join(f"{line}\n" for line in _document(picture, frames, round(width), round(height)))


def _document(picture: Picture, frames: dict[str, Frame], width: int, height: int) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" {FONT}>'
    )
    yield f"<title>{_escaped(picture.title)}</title>"
    yield (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        f'markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="{EDGE}"/></marker></defs>'
    )
    yield f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>'
    yield _words(MARGIN, MARGIN + 8, picture.title, INK, 'font-size="16" font-weight="600"')
    for source, target in picture.arrows:
        yield _arrow(frames[source], frames[target])
    for box in picture.boxes:
        yield from _drawn(box, frames[box.key])
    yield "</svg>"


def _layout(picture: Picture) -> dict[str, Frame]:
    """A place for each box: a column is as wide as its widest, and centred in height."""
    columns: dict[int, list[Box]] = {}
    for box in picture.boxes:
        columns.setdefault(box.column, []).append(box)
    tallest = max((_stack(boxes) for boxes in columns.values()), default=0)
    frames = {}
    x = float(MARGIN)
    for _, boxes in sorted(columns.items()):
        width = max(map(_width, boxes))
        y = MARGIN + TITLE + (tallest - _stack(boxes)) / 2
        for box in boxes:
            frames[box.key] = Frame(x, y, width, _height(box))
            y += _height(box) + GAP
        x += width + BETWEEN
    return frames


def _stack(boxes: list[Box]) -> float:
    return sum(map(_height, boxes)) + GAP * (len(boxes) - 1)


def _height(box: Box) -> float:
    return PADDING * 2 + LINE * (len(_texts(box)) - 1) + 13


def _width(box: Box) -> float:
    bold = max(map(_columns, (box.head, box.mark))) * BOLD
    return max(LEAST, PADDING * 2 + max(bold, *(_columns(one) * CHARACTER for one in box.lines)))


def _columns(text: str) -> int:
    """How much room the text takes; characters beyond Latin count for two."""
    return sum(1 if char < "\u1100" else 2 for char in text)


def _texts(box: Box) -> list[str]:
    return [box.head, *box.lines, *([box.mark] if box.mark else [])]


def _drawn(box: Box, frame: Frame) -> Iterator[str]:
    edge = f'stroke="{CHANGED}" stroke-width="3"' if box.mark else f'stroke="{EDGE}"'
    yield (
        f'<rect x="{frame.x:g}" y="{frame.y:g}" width="{frame.width:g}" '
        f'height="{frame.height:g}" rx="6" fill="{FILLS.get(box.kind, OTHER)}" {edge}/>'
    )
    x, y = frame.x + PADDING, frame.y + PADDING + 11
    yield _words(x, y, box.head, INK, 'font-weight="600"')
    for number, line in enumerate(box.lines, 1):
        yield _words(x, y + number * LINE, line, LESS, "")
    if box.mark:
        yield _words(x, y + (len(box.lines) + 1) * LINE, box.mark, CHANGED, 'font-weight="600"')


def _words(x: float, y: float, text: str, color: str, style: str) -> str:
    given = f" {style}" if style else ""
    return f'<text x="{x:g}" y="{y:g}" fill="{color}"{given}>{_escaped(text)}</text>'


def _arrow(source: Frame, target: Frame) -> str:
    """A curve from side to side: rightward, or back to a column on the left."""
    forward = target.x >= source.x
    start = source.x + (source.width if forward else 0)
    end = target.x + (0 if forward else target.width)
    bend = (BETWEEN if forward else -BETWEEN) * 0.6
    return (
        f'<path d="M{start:g} {source.middle:g}C{start + bend:g} {source.middle:g} '
        f'{end - bend:g} {target.middle:g} {end:g} {target.middle:g}" fill="none" '
        f'stroke="{EDGE}" stroke-width="1.5" marker-end="url(#tip)"/>'
    )


def _escaped(text: str) -> str:
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(char, entity)
    return text
