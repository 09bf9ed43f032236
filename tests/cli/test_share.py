"""What is installed below share/: man pages and completion, as they are generated, in use."""

from __future__ import annotations

import re
import resource
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from prodgen.cli.command_list import COMMANDS
from prodgen.cli.commands.completion import SHELLS, script
from prodgen.cli.group import prodgen as program
from prodgen.cli.manpages import _page, pages
from tests.ci.checkout import put_prodgen
from tests.support.command import PLAIN_ENVIRONMENT, Done, copy_bench, prodgen
from tests.support.plans import ROOT
from tests.support.rig.tools import missing

SHARE = ROOT / "share"
SCRIPTS = {
    "bash": "bash-completion/completions/prodgen",
    "zsh": "zsh/site-functions/_prodgen",
    "fish": "fish/vendor_completions.d/prodgen.fish",
}
MAN = "man/man1"


def generated() -> dict[str, str]:
    """The text of every file below share/."""
    scripts = {SCRIPTS[shell]: script(program, shell) for shell in SHELLS}
    return scripts | {f"{MAN}/{name}": text for name, text in pages().items()}


def test_what_is_shipped_is_up_to_date(request: pytest.FixtureRequest) -> None:
    wanted = generated()
    if request.config.getoption("--update-golden"):
        shutil.rmtree(SHARE, ignore_errors=True)
        for name, text in wanted.items():
            (SHARE / name).parent.mkdir(parents=True, exist_ok=True)
            (SHARE / name).write_text(text, "utf-8")
    there = {
        str(path.relative_to(SHARE)): path.read_text("utf-8")
        for path in SHARE.rglob("*")
        if path.is_file()
    }
    assert sorted(there) == sorted(wanted), "make golden"
    pages_only = [name for name in wanted if name.startswith(MAN)]  # click's scripts are its own
    assert [name for name in pages_only if there[name] != wanted[name]] == [], "make golden"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_prints_what_the_shell_reads(shell: str, tmp_path: Path) -> None:
    assert prodgen("completion", shell, cwd=tmp_path).out == generated()[SCRIPTS[shell]]


def read_page(name: str) -> str:
    """The page as a reader sees it, 80 columns wide; what man warns of fails."""
    if not shutil.which("man"):
        missing("man")
    done = subprocess.run(
        ["man", "--warnings", "--local-file", "-"],
        input=pages()[name],
        env={**PLAIN_ENVIRONMENT, "MANWIDTH": "80", "MAN_KEEP_FORMATTING": ""},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return re.sub(".\b", "", done.stdout)


def test_no_line_of_a_help_is_a_request_of_roff() -> None:
    command = click.Command("x", help="Do it.\n\n.so /etc/passwd\n\n\b\n'br\n.PP")
    lines = "\n".join(_page(command, "x", click.Context(command))).splitlines()
    assert {"\\&.so /etc/passwd", "\\(aqbr", "\\&.PP"} <= set(lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_has_every_option(name: str) -> None:
    text = read_page(f"prodgen-{name}.1")
    assert text.startswith(f"PRODGEN-{name.upper()}(1)")
    command = program.get_command(click.Context(program), name)
    assert command is not None
    hidden = {one.name for one in command.params if getattr(one, "hidden", False)}
    for option in command.params:
        if isinstance(option, click.Option):
            for word in option.opts:
                is_there = re.search(rf"^\s+.*(?<![\w-]){re.escape(word)}\b", text, re.MULTILINE)
                assert bool(is_there) == (option.name not in hidden), word


def test_the_first_page_has_every_command_and_no_roff() -> None:
    text = read_page("prodgen.1")
    assert all(f"prodgen-{name}(1)" in text for name in COMMANDS)
    assert "prodgen - Turn a Frappe bench in development into production config" in text
    assert not re.search(r"\\[&ef(-]|\.(SH|TP|PP)", text)


ENDS_WITH_TAB = {
    "bash": """
        source {file}
        COMP_WORDS=({words}) COMP_CWORD={last} COMPREPLY=()
        compopt() {{ echo "$@"; }}  # only there while bash itself completes
        _prodgen_completion prodgen
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """,
    "zsh": """
        autoload -U compinit; compinit -D -u
        compadd() {{ print -rl -- $completions; }}
        _describe() {{ print -rl -- $completions_with_descriptions; }}
        _path_files() {{ print -r -- "$@"; }}
        compdef() {{ : }}
        words=({words}) CURRENT=$(({last} + 1))
        fpath=({folder} $fpath); autoload -Uz _prodgen; _prodgen
    """,
    "fish": """
        source {file}
        complete --do-complete "{words}"
    """,
}


SETTINGS = "version: 1\nenvironments: {staging: {}, production: {}, prelive: {user: x}}\n"
BROKEN = "version: 1\nenvironments: {staging: {}\nuser: [\n"


def complete(shell: str, words: str, folder: Path, settings: str = SETTINGS) -> str:
    """What the shell offers where Tab is pressed at the end of `words`."""
    if not shutil.which(shell):
        missing(shell)
    path = f"{put_prodgen(folder / 'bin')}:{PLAIN_ENVIRONMENT['PATH']}"
    file = SHARE / SCRIPTS[shell]
    lines = ENDS_WITH_TAB[shell].format(
        file=file, folder=file.parent, words=words, last=len(words.split()) - 1
    )
    quiet = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    bench = copy_bench(folder / "frappe-bench")
    (bench / "prodgen.yaml").write_text(settings)
    done = subprocess.run(
        [shell, *quiet, "-c", lines],
        cwd=bench,
        env={**PLAIN_ENVIRONMENT, "PATH": path, "HOME": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("prodgen rend", ["render"]),
        ("prodgen re", ["render", "restart"]),
        ("prodgen render -t s", ["supervisor", "systemd"]),
        ("prodgen render --templ", ["--templates"]),
        ("prodgen validate --format gi", ["github", "gitlab"]),
        ("prodgen templates co", ["copy"]),
        ("prodgen render --env pr", ["prelive", "production"]),
        ("prodgen diff --env staging --env s", ["staging"]),
        ("prodgen explain PG20", ["PG202", "PG203", "PG204", "PG205", "PG206"]),
        ("prodgen explain frappe-w", ["frappe-web"]),
        ("prodgen explain frappe-bench-frappe-w", ["frappe-bench-frappe-web"]),
        ("prodgen explain frappe-web.wo", ["frappe-web.workers"]),
        ("prodgen explain crm", ["crm.example.com"]),
        ("prodgen explain pl", ["plan"]),
    ],
)
def test_a_shell_completes(shell: str, words: str, offered: list[str], tmp_path: Path) -> None:
    found = re.findall(r"^[\w.-]+", complete(shell, words, tmp_path), re.MULTILINE)
    assert sorted(found) == offered


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("words", ["prodgen render --env s", "prodgen explain frappe"])
def test_a_broken_bench_completes_nothing_in_silence(
    shell: str, words: str, tmp_path: Path
) -> None:
    assert complete(shell, words, tmp_path, BROKEN).strip() in {"", "-U", "_"}


def asked(words: str, cwd: Path) -> list[str]:
    """What prodgen answers to a shell, but for the kind of each word."""
    count = str(len(shlex.split(words)) - 1)
    env = {"_PRODGEN_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": count}
    done = prodgen(env=env, cwd=cwd)
    assert (done.code, done.err) == (0, "")
    return [line.partition(",")[2] for line in done.out.splitlines() if line]


def test_words_come_from_the_bench_that_is_named(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "a b/frappe-bench")
    (bench / "prodgen.yaml").write_text(SETTINGS)
    (tmp_path / "x.yaml").write_text("environments: {other: {}}")
    assert asked(f"prodgen plan -C '{bench / 'sites'}' --env st", tmp_path) == ["staging"]
    assert asked("prodgen plan --config x.yaml --env o", tmp_path) == ["other"]
    assert asked(f"prodgen explain -C '{bench}' erp", tmp_path) == ["erp.example.com"]
    assert asked("prodgen plan --env s", tmp_path) == []
    assert asked("prodgen explain web", tmp_path) == []
    for odd in ("- 1", "environments: 3", "environments: [a]", "", "\0", "a: *b", "{{ x }}"):
        (tmp_path / "x.yaml").write_text(odd)
        assert asked("prodgen plan --config x.yaml --env a", tmp_path) == []


def test_a_completion_is_quick(tmp_path: Path) -> None:
    """300 ms, of which the best of five counts, and work alone: the machine may be busy."""
    bench = copy_bench(tmp_path / "frappe-bench")
    (bench / "prodgen.yaml").write_text(SETTINGS)
    for words in ("prodgen re", "prodgen plan --env s", "prodgen explain PG5", "prodgen explain f"):
        times = []
        for _ in range(5):
            start = spent()
            asked(words, bench)
            times.append(spent() - start)
        assert min(times) < 0.3, (words, times)


def spent() -> float:
    """Seconds of processor time that ended child processes took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_completion_ends_well() -> None:
    env = {"_PRODGEN_COMPLETE": "bash_complete", "COMP_WORDS": "prodgen ver", "COMP_CWORD": "1"}
    assert prodgen(env=env) == Done(0, "plain,verify\n", "")


@pytest.mark.parametrize(("shell", "sign"), [("bash", "-o dirnames"), ("zsh", "-/")])
def test_a_bench_is_completed_as_a_folder(shell: str, sign: str, tmp_path: Path) -> None:
    assert sign in complete(shell, "prodgen render -C si", tmp_path)
