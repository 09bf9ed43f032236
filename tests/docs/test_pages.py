"""Every command that a page shows is run, and shows what the page says it does."""

from __future__ import annotations

import doctest

import pytest

from tests.docs.pages import (
    SHELL,
    Command,
    Excerpt,
    File,
    NotRun,
    Page,
    Unseen,
    is_in_order,
    read_page,
)
from tests.docs.stage import Stage, stage
from tests.support.plans import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
GENERATED = "reference/"
CHECKER = doctest.OutputChecker()


def page(name: str) -> Page:
    return read_page((DOCS / name).read_text("utf-8"))


SHORT = ("tutorial.md", "how-to/zero-downtime-deploy.md", "how-to/systemd-user-units.md")
"""Pages that `make test` plays too."""
PLAYED = [
    pytest.param(name, marks=() if name in SHORT else pytest.mark.matrix)
    for name in PAGES
    if page(name).stage
]


@pytest.mark.live
@pytest.mark.parametrize("name", PLAYED)
def test_a_page_does_what_it_shows(name: str, request: pytest.FixtureRequest) -> None:
    path = DOCS / name
    text = path.read_text("utf-8")
    found = read_page(text)
    wrong, new = [], []
    with stage(found.stage) as played:
        for step in found.steps:
            if isinstance(step, Command):
                code, shown = played.type(step.text, step.typed)
                if code != step.code:
                    wrong.append(f"{name}:{step.line + 1}: exit code {code}\n{shown}")
                if step.shown is not None and not is_as_shown(step.shown, shown):
                    new.append((step, merged(step.shown, shown)))
            elif missing := play(played, step):
                wrong.append(f"{name}:{step.line + 1}: {missing}")
    if request.config.getoption("--update-golden"):
        path.write_text(renewed(text, new), "utf-8")
    else:
        wrong += [f"{name}:{step.line + 1}: $ {step.text}\n{shown}" for step, shown in new]
    assert not wrong, "\n".join(wrong)


def play(played: Stage, step: Unseen | File | Excerpt | NotRun) -> str:
    """What is wrong with a step that is no command; empty where nothing is."""
    match step:
        case Unseen():
            played.run(step.text)
        case File():
            played.write(step.path, step.text)
        case Excerpt():
            lines = [line.strip() for line in step.text.splitlines()]
            text = "\n".join(line.strip() for line in played.read(step.path).splitlines())
            return "" if is_in_order(lines, text) else f"not in {step.path}:\n{step.text}"
        case NotRun():
            pass
    return ""


def merged(wanted: str, got: str) -> str:
    """What a command shows now, left out where the page leaves something out."""
    kept, rest = [], got.splitlines()
    skipping = False
    for line in wanted.splitlines():
        if line == "...":
            skipping = True
            continue
        at = next((at for at, now in enumerate(rest) if is_as_shown(line, now)), None)
        if at is not None:
            kept += ["..."] if skipping and at else rest[:at]
            kept.append(line)
            rest, skipping = rest[at + 1 :], False
    kept += ["..."] if skipping and rest else rest
    return "".join(f"{line}\n" for line in kept)


def renewed(text: str, outputs: list[tuple[Command, str]]) -> str:
    """The page with other outputs."""
    lines = text.splitlines(keepends=True)
    for step, shown in reversed(outputs):
        begin, end = step.output
        lines[begin:end] = [shown]
    return "".join(lines)


def is_as_shown(wanted: str, got: str) -> bool:
    """Whether a page shows this output; `...` stands for anything."""
    return CHECKER.check_output(wanted, got, doctest.ELLIPSIS)


@pytest.mark.parametrize("name", [name for name in PAGES if not name.startswith(GENERATED)])
def test_no_command_stands_on_a_page_that_is_not_played(name: str) -> None:
    found = page(name)
    commands = [step for step in found.steps if isinstance(step, Command)]
    assert bool(commands) == bool(found.stage), f"{name} names a stage, and runs commands there"


def test_a_reason_is_given_for_each_block_that_is_not_run() -> None:
    left = [step for name in PAGES for step in page(name).steps if isinstance(step, NotRun)]
    assert all(len(step.reason.split()) >= 3 for step in left), left


def test_a_block_of_commands_is_read() -> None:
    text = (
        "<!-- stage: supervisor -->\n\n"
        "<!-- exit: 1 -->\n<!-- type: y -->\n"
        "```console\n$ one \\\n  two\nshown\n...\n$ three\n```\n\n"
        "<!-- file: a.yaml -->\n```yaml\na: 1\n```\n\n"
        "<!-- run: true -->\n\n```sh\nfour\n# no\n```\n"
    )
    assert read_page(text) == Page(
        "supervisor",
        [
            Command("one \\\n  two", 5, "shown\n...\n", (7, 9)),
            Command("three", 9, "", (10, 10), 1, "y"),
            File("a.yaml", "a: 1\n", 13),
            Unseen("true", 17),
            Command("four\n", 20),
        ],
    )
    assert "console" in SHELL


@pytest.mark.parametrize(
    ("wanted", "got", "same"),
    [
        ("up 3 s\n", "up 3 s\n", True),
        ("up 3 s\n", "up 4 s\n", False),
        ("up ... s\n", "up 4 s\n", True),
        ("one\n...\nfour\n", "one\ntwo\nthree\nfour\n", True),
        ("one\n", "one\ntwo\n", False),
        ("", "one\n", False),
    ],
)
def test_output_is_compared(wanted: str, got: str, same: bool) -> None:
    assert is_as_shown(wanted, got) == same


@pytest.mark.parametrize(
    ("wanted", "got", "new"),
    [
        ("one\n...\nend ...\n", "one\ntwo\nend 3 s\nmore\n", "one\n...\nend ...\nmore\n"),
        ("one\ntwo\n", "one\n2\n", "one\n2\n"),
        ("...\ngone\n...\n", "a\nb\n", "...\n"),
        ("...\nb\n", "b\nc\n", "b\nc\n"),
        ("", "a\n", "a\n"),
    ],
)
def test_an_update_keeps_what_is_left_out(wanted: str, got: str, new: str) -> None:
    assert merged(wanted, got) == new
