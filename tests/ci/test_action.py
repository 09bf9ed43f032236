"""The GitHub Action: its steps, run as a runner does, on a pull request's checkout."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import pytest

from prodgen.review.report.markdown import MARK
from tests.ci.checkout import COMMON, Checkout
from tests.ci.runner import Runner
from tests.support.rig.tools import missing

FEW, MANY = '"gunicorn_workers": 9', '"gunicorn_workers": 12'


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def with_more_workers(checkout: Checkout) -> Checkout:
    checkout.edit(COMMON, FEW, MANY)
    checkout.check_out()
    return checkout


def test_a_change_is_rendered_and_commented(checkout: Checkout) -> None:
    runner = Runner(with_more_workers(checkout))
    done = runner.run()
    assert done.code == 0, done.err
    [comment] = runner.comments
    assert comment.startswith(f"{MARK}\n<!-- .  -->\n### frappe-bench\n")
    assert "-workers = 5\n+workers = 6\n" in comment
    assert "| frappe-bench-web" in comment
    assert runner.files["GITHUB_STEP_SUMMARY"].read_text() == comment
    assert runner.output("compare", "changed") == "true"
    with tarfile.open(runner.output("render", "archive")) as archive:
        assert "manifest.json" in archive.getnames()


def test_what_a_change_does_is_said_at_its_line(tmp_path: Path) -> None:
    runner = Runner(with_more_workers(Checkout(tmp_path, "deploy/bench")))
    said = runner.run().out
    [line] = [one for one in said.splitlines() if "workers: 5 -> 6" in one]
    assert f"file=deploy/bench/{COMMON},line=6," in line


def test_the_comment_is_updated_not_repeated(checkout: Checkout) -> None:
    runner = Runner(with_more_workers(checkout))
    ours = f"{MARK}\r\n<!-- .  -->\r\nold"
    others = [f"{MARK}\n<!-- other  -->\nx", "Nice!", f"see {MARK}\n<!-- .  -->\n", ours]
    runner.set_comments(*({"id": number, "body": body} for number, body in enumerate(others)))
    assert runner.run().code == 0
    assert runner.run().code == 0
    assert runner.calls == ["GET", "PATCH"] * 2
    assert runner.comments[:3] == others[:3]
    assert len(runner.comments) == 4
    assert "+workers = 6" in runner.comments[3]


def test_somebody_else_s_comment_with_our_mark_is_no_obstacle(checkout: Checkout) -> None:
    runner = Runner(with_more_workers(checkout))
    body = f"{MARK}\n<!-- .  -->\nmine"
    runner.set_comments({"id": 1, "body": body, "foreign": True})
    for _ in range(2):
        assert runner.run().code == 0
    assert runner.calls == ["GET", "PATCH", "POST", "GET", "PATCH", "PATCH"]
    assert len(runner.comments) == 2


def test_a_token_that_may_not_comment_is_a_warning(checkout: Checkout) -> None:
    runner = Runner(with_more_workers(checkout))
    runner.set_comments(forbidden=True)
    done = runner.run()
    assert done.code == 0
    assert "::warning::prodgen may not comment here" in done.out


def test_no_change_makes_no_comment_but_updates_one(checkout: Checkout) -> None:
    checkout.check_out()
    runner = Runner(checkout)
    assert runner.run().code == 0
    assert (runner.comments, runner.output("compare", "changed")) == ([], "false")
    runner.set_comments({"id": 1, "body": f"{MARK}\n<!-- .  -->\nold"})
    assert runner.run().code == 0
    assert "No change." in runner.comments[0]


def test_each_environment_has_its_comment(checkout: Checkout) -> None:
    checkout.edit("prodgen.yaml", "workers: 2", "workers: 4")
    checkout.check_out()
    runner = Runner(checkout, environment="staging")
    assert runner.run().code == 0
    [comment] = runner.comments
    assert comment.splitlines()[1] == "<!-- . staging -->"
    assert "+workers = 2" in comment


def test_a_fault_is_annotated_and_ends_the_run(checkout: Checkout) -> None:
    checkout.edit("Procfile", "bench schedule", "bench worker --queue nobodys")
    checkout.check_out()
    runner = Runner(checkout)
    done = runner.run()
    assert done.code == 1
    assert re.search(r"^::error .*file=Procfile,line=[0-9]+,", done.out, re.MULTILINE)
    assert runner.calls == []


def test_strict_takes_warnings_for_errors(checkout: Checkout) -> None:
    (checkout.origin / "apps/frappe/frappe/__init__.py").unlink()
    checkout.check_out()
    assert Runner(checkout, strict="true").run().code == 1


def test_a_base_without_a_good_bench_is_no_obstacle(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.edit("Procfile", "bench schedule", "bench worker --queue nobodys")
    checkout.base = checkout.commit()
    checkout.edit("Procfile", "bench worker --queue nobodys", "bench schedule")
    checkout.check_out()
    runner = Runner(checkout)
    assert runner.run().code == 0
    assert "The base branch has no config to compare with" in runner.comments[0]


def test_a_bench_is_checked_in_its_environment(checkout: Checkout) -> None:
    checkout.check_out()
    done = Runner(checkout, environment="stagin").run()
    assert done.code == 1
    assert re.search(r"^::error .*stagin", done.out, re.MULTILINE)


def test_a_push_compares_with_nothing(checkout: Checkout) -> None:
    checkout.check_out()
    runner = Runner(checkout)
    for name in ("number", "base.sha"):
        del runner.context[f"github.event.pull_request.{name}"]
    assert runner.run().code == 0
    assert (runner.calls, runner.output("compare", "changed")) == ([], "")


def test_it_installs_itself(checkout: Checkout) -> None:
    """And nothing that a stranger put into the checkout runs on the way."""
    for module in ("venv", "pip", "ensurepip", "json"):
        (checkout.origin / f"{module}.py").write_text("raise SystemExit('taken over')\n")
    checkout.check_out()
    runner = Runner(checkout)
    done = runner.run(install=True)
    if done.code and "No matching distribution" in done.all:
        missing("no package index: hatchling cannot be had")
    assert done.code == 0, done.err
    work = runner.output("install", "work")
    assert Path(work, "venv/bin/prodgen").is_file()
    assert runner.output("render", "archive") == f"{work}/prodgen.tar.gz"
