"""A page of the docs as a session: what it types, what it shows, which files it writes.

Comments that no reader sees steer it. At the top:

    <!-- stage: supervisor -->     where the page is played (tests/docs/stage.py); or: systemd

Before a block:

    <!-- file: prodgen.yaml -->    the block is the content of this file
    <!-- excerpt: PATH -->         the lines of the block stand in this file on the stage
    <!-- exit: 1 -->              its last command ends with this code
    <!-- type: y -->               what is typed when a command asks
    <!-- not run: REASON -->       the block is not run
    <!-- run: COMMAND -->          what root does meanwhile; may stand anywhere

In a `console` block a command follows `$ `, and what it prints follows it; `...` stands for
anything, in a line or for lines. In an `sh` block each line is a command, and its output does not
matter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMENT = re.compile(r"<!-- (stage|file|excerpt|exit|type|not run|run): (.*?) -->", re.DOTALL)
SHELL = ("console", "sh", "bash", "shell", "fish", "zsh")
PROMPT = "$ "


class Command(NamedTuple):
    """One that is typed; its output is at these lines of the page (from 0), or not shown."""

    text: str
    line: int
    shown: str | None = None
    output: tuple[int, int] = (0, 0)
    code: int = 0
    typed: str = ""


class Unseen(NamedTuple):
    """A command that root runs meanwhile."""

    text: str
    line: int


class File(NamedTuple):
    """A file that the page has its reader write."""

    path: str
    text: str
    line: int


class Excerpt(NamedTuple):
    """Lines that stand in a file."""

    path: str
    text: str
    line: int


class NotRun(NamedTuple):
    """A block that is not run, and why."""

    reason: str
    line: int


Step = Command | Unseen | File | Excerpt | NotRun


class Page(NamedTuple):
    """A page as it is played."""

    stage: str
    steps: list[Step]


def read_page(text: str) -> Page:
    """The stage and the steps of a page; `stage` is empty where it names none."""
    stage = ""
    steps: list[Step] = []
    said: dict[str, str] = {}
    for token in MarkdownIt().parse(text):
        line = token.map[0] if token.map else 0
        if token.type == "html_block":
            for word, value in COMMENT.findall(token.content):
                if word == "stage":
                    stage = value
                elif word == "run":
                    steps.append(Unseen(value, line))
                else:
                    said[word] = value
        elif token.type == "fence":
            steps += _block(token.info.split()[0] if token.info else "", token.content, line, said)
            said = {}
    return Page(stage, steps)


def is_in_order(lines: list[str], text: str) -> bool:
    """Whether the lines all stand in the text, in their order, perhaps with others between."""
    rest = iter(text.splitlines())
    return all(line in rest for line in lines)


def _block(language: str, text: str, line: int, said: dict[str, str]) -> Iterator[Step]:
    if "not run" in said:
        yield NotRun(said["not run"], line)
    elif "file" in said:
        yield File(said["file"], text, line)
    elif "excerpt" in said:
        yield Excerpt(said["excerpt"], text, line)
    elif language in SHELL:
        parse = _console if language == "console" else _script
        commands = list(parse(text.splitlines(), line + 1))
        yield from commands[:-1]
        for last in commands[-1:]:
            yield last._replace(code=int(said.get("exit", 0)), typed=said.get("type", ""))


def _script(lines: list[str], first: int) -> Iterator[Command]:
    start, words = first, ""
    for number, line in enumerate(lines, first):
        start = start if words else number
        words += f"{line}\n"
        if not line.endswith("\\"):
            if words.strip() and not words.lstrip().startswith("#"):
                yield Command(words, start)
            words = ""


def _console(lines: list[str], first: int) -> Iterator[Command]:
    starts = [at for at, line in enumerate(lines) if line.startswith(PROMPT)]
    for at, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        last = at
        while lines[last].endswith("\\"):
            last += 1
        text = "\n".join([lines[at].removeprefix(PROMPT), *lines[at + 1 : last + 1]])
        shown = "".join(f"{line}\n" for line in lines[last + 1 : end])
        yield Command(text, first + at, shown, (first + last + 1, first + end))
