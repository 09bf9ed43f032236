"""Shell words against the shell: what a plain command gives its program, sh gives it too."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodgen.inputs.procfile.shell_command import (
    Command,
    Redirect,
    UnbalancedQuote,
    parse_command,
    tokenize,
)

PRINTER = """#!/bin/sh
printf '%s\\0' "$@" >&3
printf '\\0' >&4
for name in A B _x; do
    eval "value=\\${$name-unset}"
    printf '%s=%s\\0' "$name" "$value" >&4
done
printf one
printf two >&2
"""
"""Writes its arguments to descriptor 3, three variables to 4, and a word to both outputs."""
VARIABLES = ("A", "B", "_x")
BASH = shutil.which("bash")
SHELLS = [["/bin/sh"], *([[BASH, "--posix"]] if BASH else [])]


@dataclass(frozen=True)
class Ran:
    """What a shell gave the printer."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    out: str
    err: str
    files: dict[str, str]


@pytest.fixture(scope="module")
def printer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose only program is `p`, the printer."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "p").write_text(PRINTER)
    (folder / "p").chmod(0o755)
    return folder


def run(shell: list[str], line: str, printer: Path, folder: Path) -> Ran | None:
    """What the shell makes of the line. It finds no program but the printer; None: it failed."""
    for old in folder.iterdir():
        old.unlink()
    argv, variables = folder.parent / "argv", folder.parent / "variables"
    done = subprocess.run(
        [*shell, "-c", 'exec 3> "$ARGV" 4> "$VARIABLES"; eval "$LINE"'],
        cwd=folder,
        env={"PATH": str(printer), "LINE": line, "ARGV": str(argv), "VARIABLES": str(variables)},
        capture_output=True,
        check=False,
        timeout=20,
    )
    words, values = argv.read_bytes(), variables.read_bytes()
    if done.returncode or not values:
        return None
    return Ran(
        tuple(os.fsdecode(word) for word in words.split(b"\0")[:-1]),
        dict(os.fsdecode(one).split("=", 1) for one in values.split(b"\0")[1:-1]),
        done.stdout.decode(),
        done.stderr.decode(),
        {entry.name: entry.read_text() for entry in folder.iterdir()},
    )


def assert_same(shell: list[str], command: Command, ran: Ran | None) -> None:
    """That the program would get from us what it got from the shell."""
    assert ran is not None, f"{shell} refuses {command.text!r}"
    wanted = command.argv[1:] or ("",)  # printf prints one empty string for no argument
    assert ran.argv == wanted, command.text
    given = dict(command.environment)
    assert ran.environment == {name: given.get(name, "unset") for name in VARIABLES}
    assert set(ran.files) == {redirect.target for redirect in command.redirects}
    last = {redirect.descriptor: redirect for redirect in command.redirects}
    for descriptor, word, direct in ((1, "one", ran.out), (2, "two", ran.err)):
        if descriptor not in last:
            assert direct == word
            continue
        assert direct == ""
        targets = [redirect.target for redirect in last.values()]
        if len(set(targets)) == len(targets):
            assert ran.files[last[descriptor].target] == word
        elif last[descriptor].operator == ">>":
            assert word in ran.files[last[descriptor].target]


WORDS = st.lists(
    st.sampled_from(
        [
            *list("abf12 =#~$*?[]{}!%^,;&|()'\"\\"),
            " ",
            " ",
            "'a b'",
            '"a b"',
            "\\ ",
            "\\\\",
            '"\\$a"',
            "\\'",
            "é",
            "\xa0",
            "\x0b",
            "\r",
        ]
    ),
    max_size=12,
).map("".join)
ASSIGNMENTS = st.sampled_from(["", "A=1 ", "B='x y' A=2 ", "_x=* ", 'A="" ', "A=b=c "])
REDIRECTIONS = st.sampled_from(
    [
        "",
        " > f",
        " >> f",
        " 1>>f",
        " 2>> g",
        " 2>g 1>f",
        " >|f",
        " >> f 2>&1",
        " 1 >> f",
        " 3> f",
        " 2>&1 >> f",
        " >f 2> f",
        " 12>f",
        " 2>&-",
        " < f",
        " >&f",
        " &> f",
        " >'f g'",
        " >$A",
    ]
)


@pytest.mark.process
@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
@settings(max_examples=500)
@given(ASSIGNMENTS, st.sampled_from(["p", "'p'", "\\p", '"p"']), WORDS, REDIRECTIONS, st.booleans())
def test_plain_commands_are_what_the_shell_runs(
    shell: list[str],
    printer: Path,
    tmp_path_factory: pytest.TempPathFactory,
    assignments: str,
    program: str,
    words: str,
    redirections: str,
    first: bool,
) -> None:
    line = f"{assignments}{redirections if first else ''} {program} {words}"
    line += "" if first else redirections
    command = parse_command(line)
    if command.needs_shell or (first and redirections == " 1 >> f"):
        return
    assert command.argv[0] == "p"
    folder = Path(printer.parent, "work", "cwd")
    folder.mkdir(parents=True, exist_ok=True)
    assert_same(shell, command, run(shell, line, printer, folder))


@given(st.lists(st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"]))))
def test_quoted_words_are_plain(words: list[str]) -> None:
    argv = ("p", *words)
    assert parse_command(shlex.join(argv)) == Command(shlex.join(argv), argv)


@given(st.text(st.sampled_from("ab1 \t\n'\"\\$`~*?[{}!|&;<>()=#é")))
def test_every_text_has_tokens_or_an_open_quote(text: str) -> None:
    tokens, bad = [], None
    try:
        tokens = tokenize(text)
    except UnbalancedQuote as unbalanced:
        bad = unbalanced
    if bad:
        assert text[bad.start] == bad.quote
        assert parse_command(text).needs_shell
        return
    starts = [token.start for token in tokens]
    assert starts == sorted(set(starts))
    assert all(start < len(text) for start in starts)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bench serve --port 8000", Command("", ("bench", "serve", "--port", "8000"))),
        (
            "A=1 NO_PROXY=* bench worker 1>> logs/w.log 2>> logs/w.error.log",
            Command(
                "",
                ("bench", "worker"),
                (("A", "1"), ("NO_PROXY", "*")),
                (Redirect(1, ">>", "logs/w.log"), Redirect(2, ">>", "logs/w.error.log")),
            ),
        ),
        (
            "bench worker >> logs/w.log 2>&1",
            Command(
                "",
                ("bench", "worker"),
                (),
                (Redirect(1, ">>", "logs/w.log"), Redirect(2, ">>", "logs/w.log")),
            ),
        ),
        ("> f p 2>f", Command("", ("p",), (), (Redirect(1, ">", "f"), Redirect(2, ">", "f")))),
        ("p 1 >> f", Command("", ("p", "1"), (), (Redirect(1, ">>", "f"),))),
        ("p a1>> f", Command("", ("p", "a1"), (), (Redirect(1, ">>", "f"),))),
        ("bench serve #--port 8000", Command("", ("bench", "serve"))),
        ("p a#b", Command("", ("p", "a#b"))),
        ('p \'a b\' "c\\"d" e\\ f', Command("", ("p", "a b", 'c"d', "e f"))),
        ("p a=b A=1", Command("", ("p", "a=b", "A=1"))),
        ("'if' x", Command("", ("if", "x"))),
        ("p a\\", Command("", ("p", "a\\"))),
        ('p "a\\\\b" "\\$c" "\\d"', Command("", ("p", "a\\b", "$c", "\\d"))),
        ("A=' b' p ''", Command("", ("p", ""), (("A", " b"),))),
    ],
)
def test_plain(line: str, expected: Command) -> None:
    found = parse_command(line)
    assert (found.argv, found.environment, found.redirects, found.needs_shell) == (
        expected.argv,
        expected.environment,
        expected.redirects,
        "",
    )
    assert found.text == line


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("bench serve --port $PORT", "`$PORT` is for a shell to expand"),
        ("a `b`", "``b`` is for a shell to expand"),
        ("ls *.log", "`*.log` is for a shell to expand"),
        ("ls [ab]", "`[ab]` is for a shell to expand"),
        ("ls a?", "`a?` is for a shell to expand"),
        ("ls a{b,c}", "`a{b,c}` is for a shell to expand"),
        ("~/bin/x", "`~/bin/x` is for a shell to expand"),
        ("a && b", "`&&` is an operator of the shell"),
        ("a | b", "`|` is an operator of the shell"),
        ("a; b", "`;` is an operator of the shell"),
        ("a &> f", "`&` is an operator of the shell"),
        ("a < f", "`<` is an operator of the shell"),
        ("cd sites && x", "`cd` is a word of the shell"),
        ("exec x", "`exec` is a word of the shell"),
        ("if a; then b; fi", "`if` is a word of the shell"),
        ("a 3> f", "it redirects descriptor 3"),
        ("a 2>&1", "it joins descriptor 2 to `1`"),
        ("a 2>&1 >> f", "it joins descriptor 2 to `1`"),
        ("a 2>&-", "it joins descriptor 2 to `-`"),
        ("a >", "`>` lacks its file"),
        ("a > > b", "`>` lacks its file"),
        ("a > $f", "`$f` is for a shell to expand"),
        ("A=$B c", "`A=$B` is for a shell to expand"),
        ("A=1", "it names no program"),
        ("# nothing", "it names no program"),
        ("", "it names no program"),
        ("a 'b", "it has an unclosed '"),
        ('a "b', 'it has an unclosed "'),
        (f"a {'9' * 5000}> f", f"it redirects descriptor {'9' * 5000}"),
    ],
)
def test_for_a_shell(line: str, reason: str) -> None:
    assert parse_command(line) == Command(line, needs_shell=reason)
