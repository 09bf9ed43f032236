"""`prodgen diff`: each kind of comparison that docs/apply.md names, in every format."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from prodgen.cli.group import prodgen as command
from prodgen.deploy.apply.apply import End, Job, apply
from prodgen.deploy.output.rendered import read_rendered
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.review.report.markdown import MARK
from tests.support.command import Done, copy_bench, prodgen
from tests.support.outputs import parse
from tests.support.plans import fixture_plan

SETTINGS = """\
version: 1
host: {path: /home/frappe/frappe-bench, home: /home/frappe, node: /usr/bin/node,
  redis_server: /usr/bin/redis-server, memory: 8GB, nginx: 1.22.1, openssl: 3.0.11}
environments:
  staging: {web: {workers: 2}}
  production: {web: {workers: 8}}
"""
NEWER = f"{SETTINGS}web: {{workers: 6}}\n"
STATE = "var/lib/prodgen/frappe-bench"
GUNICORN = "/etc/prodgen/frappe-bench/gunicorn.conf.py"
SECRET = "hunter2hunter2"
ANNOTATION = re.compile(r"::(notice|warning) (\w+=[^,:\n]+)(,\w+=[^,:\n]+)*::[^\n]+")
ROW = re.compile(r"\| [^|]+ \| \*\*[a-z ]+\*\*(<br>[^|]+)? \|[^|]*\|")


class Stand(NamedTuple):
    """A bench that has moved on, what was rendered before and after, and a host with the former."""

    folder: Path
    bench: Path

    def path(self, word: str) -> str:
        """A word of a command line, in which OLD, NEW, HOST, EMPTY and BENCH stand for paths."""
        return re.sub(r"^[A-Z]+\b", lambda found: str(self.folder / found[0].lower()), word)

    def diff(self, *words: str) -> Done:
        """`prodgen diff` in a folder that is no bench."""
        return prodgen("diff", "-q", *map(self.path, words), cwd=self.folder / "empty")

    def diff_here(self, *words: str) -> Done:
        """The same within this process, which takes a tenth of the time."""
        arguments = ["diff", "-q", *map(self.path, words)]
        before = Path.cwd()
        os.chdir(self.folder / "empty")
        try:
            done = CliRunner().invoke(
                command, arguments, standalone_mode=False, catch_exceptions=False
            )
        finally:
            os.chdir(before)
        return Done(int(done.return_value), done.stdout, done.stderr)


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Stand:
    folder = tmp_path_factory.mktemp("diff")
    (folder / "empty").mkdir()
    bench = copy_bench(folder / "bench")
    for name, settings in (("old", SETTINGS), ("new", NEWER)):
        (bench / "prodgen.yaml").write_text(settings)
        for output in (name, f"{name}.tar", f"{name}.tar.gz"):
            assert prodgen("render", "-q", "-o", folder / output, cwd=bench).code == 0
    install(folder / "old", folder / "host")
    return Stand(folder, bench)


def install(rendered: Path, root: Path) -> None:
    """What was rendered, as an apply leaves it below another root."""
    root.mkdir()
    made = read_rendered(rendered).artifacts
    subject = BenchContext(fixture_plan("frappe-16"))
    job = Job(subject, made, root / STATE, lambda _: None, root=root, activates=False)
    assert apply(job).end is End.DONE


HOST = ("--root", "HOST")
BENCH = ("-C", "BENCH")
CHANGED = {
    "bench and host": (*BENCH, *HOST),
    "folder and host": ("NEW", *HOST),
    "archive and host": ("NEW.tar", *HOST),
    "packed archive and host": ("NEW.tar.gz", *HOST),
    "bench and folder": (*BENCH, "--against", "OLD"),
    "bench and archive": (*BENCH, "--against", "OLD.tar.gz"),
    "two folders": ("NEW", "--against", "OLD"),
    "two archives": ("NEW.tar", "--against", "OLD.tar.gz"),
    "two environments": (*BENCH, "--env", "staging", "--env", "production"),
    "environment and folder": (*BENCH, "--env", "production", "--against", "OLD"),
}
SAME = {
    "folder and host": ("OLD", *HOST),
    "archive and host": ("OLD.tar.gz", *HOST),
    "bench and folder": (*BENCH, "--against", "NEW"),
    "folder and archive": ("NEW", "--against", "NEW.tar.gz"),
    "two environments": (*BENCH, "--env", "staging", "--env", "staging"),
}
WORKERS = {
    "two environments": ("1", "4"),
    "environment and folder": ("5", "4"),
    **{name: ("5", "3") for name in CHANGED if "environment" not in name},
}


def json_of(done: Done, code: int = 0) -> Any:
    assert (done.code, done.err) == (code, "")
    return parse("diff", done.out)


@pytest.mark.parametrize("kind", CHANGED)
def test_one_setting_that_differs(kind: str, stand: Stand) -> None:
    found = json_of(stand.diff_here(*CHANGED[kind], "--format", "json", "--detailed-exitcode"), 2)
    [file] = found["files"]
    [step] = found["steps"]
    [setting] = step["settings"]
    assert (file["path"], file["fate"], found["drift"]) == (GUNICORN, "changed", [])
    assert (step["action"], len(step["subjects"])) == ("rolling restart", 2)
    old, new = WORKERS[kind]
    assert (setting["key"], setting["old"], setting["new"]) == ("workers", old, new)
    assert f"\n-workers = {old}\n+workers = {new}\n" in file["diff"]
    knows_why = "-C" in CHANGED[kind]
    assert (setting["why"] is not None) == knows_why
    assert not knows_why or re.match(r"prodgen\.yaml:\d+:\d+$", setting["why"]["place"])


@pytest.mark.parametrize("kind", SAME)
def test_nothing_that_differs(kind: str, stand: Stand) -> None:
    found = json_of(stand.diff_here(*SAME[kind], "--format", "json", "--detailed-exitcode"))
    assert (found["changed"], found["files"], found["steps"]) == (False, [], [])


@pytest.mark.parametrize("kind", CHANGED)
def test_each_kind_as_annotations(kind: str, stand: Stand) -> None:
    done = stand.diff_here(*CHANGED[kind], "--format", "github")
    assert (done.code, done.err) == (0, "")
    step, summary = done.out.splitlines()
    assert all(ANNOTATION.fullmatch(line) for line in (step, summary)), done.out
    place = f"file=../bench/prodgen.yaml,line={7 if '--env' not in CHANGED[kind] else 6},"
    assert (place in step) == ("-C" in CHANGED[kind]), step


@pytest.mark.parametrize("kind", CHANGED)
def test_each_kind_as_a_comment(kind: str, stand: Stand) -> None:
    done = stand.diff_here(*CHANGED[kind], "--format", "markdown")
    assert (done.code, done.err) == (0, "")
    mark, title, *rest = done.out.splitlines()
    assert mark == MARK
    names = " staging to production" if kind == "two environments" else ""
    assert title == f"### frappe-bench{':' if names else ''}{names}"
    rows = rest[rest.index("|---|---|---|") + 1 : rest.index("", 4)]
    assert len(rows) == 1
    assert ROW.fullmatch(rows[0]), rows
    folded = 2 if "-C" in CHANGED[kind] else 1  # only a bench has a plan to draw
    assert done.out.count("<details>") == done.out.count("</details>") == folded
    assert sum(line.startswith("```") for line in rest) == 2 * folded


def test_a_host_with_nothing_on_it(stand: Stand) -> None:
    """Everything is new, and the bench is not needed to say so."""
    words = ("--root", "EMPTY", "--format", "json")
    [by_path, by_bench] = [json_of(stand.diff(*one, *words)) for one in (("NEW",), BENCH)]
    assert {one["fate"] for one in by_path["files"]} == {"added"}
    assert {one["action"] for one in by_path["steps"]} == {"start", "reload"}
    assert by_path["files"] == by_bench["files"]


def test_an_edit_below_another_root(stand: Stand, tmp_path: Path) -> None:
    install(stand.folder / "old", tmp_path / "host")
    with (tmp_path / f"host{GUNICORN}").open("a") as file:
        file.write(f'db_password = "{SECRET}"\n')
    for words in (("OLD",), ("NEW.tar.gz",), BENCH):
        done = stand.diff(*words, "--root", str(tmp_path / "host"), "--format", "json")
        found = json_of(done)
        [drift] = found["drift"]
        assert drift == {"path": GUNICORN, "what": "was edited since prodgen wrote it"}
        assert "-db_password" in found["files"][0]["diff"]
        assert SECRET not in done.out


def test_other_targets_only(stand: Stand) -> None:
    done = stand.diff(*BENCH, "-t", "nginx", "--root", "EMPTY", "--format", "json")
    assert {one["target"] for one in json_of(done)["files"]} == {"nginx"}


def test_the_bench_as_it_was_rendered_needs_no_root(stand: Stand) -> None:
    """What CI does: two checkouts of one bench, and nothing of this machine."""
    text = stand.diff("NEW", "--against", "OLD").out
    assert text.endswith("files: 1 changed; roll 2\n")
    assert "     workers: 5 -> 3\n" in text


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--env", "a", "--env", "b", "--env", "c"), "--env takes two names at most"),
        (("--env", "a", "--env", "b", "--against", "OLD"), "compared with each other"),
        (("NEW", "--env", "staging"), "is rendered already"),
        (("NEW", "--against", "OLD", *HOST), "--root"),
        ((*BENCH, "--env", "staging", "--env", "production", *HOST), "--root"),
        (("NEW", "-t", "nginx"), "--target goes with a bench"),
        (("NEW", "--root", "NOWHERE"), "does not exist"),
    ],
)
def test_what_does_not_go_together(words: Sequence[str], reason: str, stand: Stand) -> None:
    done = stand.diff(*words)
    assert (done.code, done.out) == (64, "")
    assert reason in done.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("NOWHERE",), "PG001"),
        (("NEW", "--against", "NOWHERE.tar.gz"), "PG001"),
        (("EMPTY",), "PG804"),
        (("NEW", "--against", "BENCH/Procfile"), "PG804"),
        (("-C", "EMPTY"), "PG100"),
        ((*BENCH, "--env", "nosuch"), "PG"),
    ],
)
def test_what_cannot_be_compared(words: Sequence[str], code: str, stand: Stand) -> None:
    done = stand.diff(*words)
    assert (done.code, done.out) == (1, "")
    assert f"error[{code}" in done.err
