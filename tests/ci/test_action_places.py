"""The GitHub Action: benches and checkouts of any place and name, and a user's own templates."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.ci.checkout import COMMON, Checkout, put_prodgen
from tests.ci.runner import Runner
from tests.ci.test_action import FEW, MANY, with_more_workers
from tests.support.command import copy_bench, prodgen


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.mark.parametrize("bench", ["my benches/b ench", "-bench", "a&b;$(c)"])
def test_a_bench_may_have_any_name(bench: str, tmp_path: Path) -> None:
    runner = Runner(with_more_workers(Checkout(tmp_path, bench)))
    done = runner.run()
    assert done.code == 0, done.err
    [comment] = runner.comments
    assert comment.splitlines()[1] == f"<!-- {bench}  -->"
    assert "-workers = 5\n+workers = 6\n" in comment


@pytest.mark.parametrize("bench", ["checkout/deploy/bench", "{folder}/deploy/bench"])
def test_the_checkout_may_be_below_the_workspace(bench: str, tmp_path: Path) -> None:
    checkout = with_more_workers(Checkout(tmp_path, "deploy/bench"))
    checkout.workspace = tmp_path
    runner = Runner(checkout, bench=bench.format(folder=checkout.folder))
    done = runner.run()
    assert done.code == 0, done.err
    assert "-workers = 5\n+workers = 6\n" in runner.comments[0]


def test_two_benches_have_two_comments(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path, "one")
    copy_bench(checkout.origin / "two")
    shutil.copy(checkout.origin / "one/prodgen.yaml", checkout.origin / "two")
    checkout.base = checkout.commit()
    checkout.edit(COMMON, FEW, MANY)
    checkout.bench = "two"
    checkout.edit(COMMON, FEW, '"gunicorn_workers": 15')
    checkout.check_out()
    runner = Runner(checkout)
    for bench in ("one", "two"):
        runner.context["inputs.bench"] = bench
        assert runner.run().code == 0
        shutil.rmtree(runner.work)
        put_prodgen(runner.work / "venv/bin")
    assert ["+workers = 6" in one for one in runner.comments] == [True, False]
    assert [one.splitlines()[1] for one in runner.comments] == ["<!-- one  -->", "<!-- two  -->"]


def test_own_templates_are_rendered_and_compared(checkout: Checkout) -> None:
    """The base has none yet; then it has them too, and nothing changes."""
    own = checkout.origin / "-my templates"
    assert prodgen("templates", "copy", "-t", "supervisor", "--", own).code == 0
    conf = own / "supervisor/bench.conf"
    conf.write_text(conf.read_text().replace("[group:", "; ours\n[group:", 1))
    checkout.check_out()
    runner = Runner(checkout, templates=own.name)
    done = runner.run()
    assert done.code == 0, done.err
    assert "+; ours" in runner.comments[0]
    runner.context["github.event.pull_request.base.sha"] = checkout.git("rev-parse", "HEAD")
    assert runner.run().code == 0
    assert runner.output("compare", "changed") == "false"


def test_templates_of_another_repository_are_those_of_both_sides(checkout: Checkout) -> None:
    own = checkout.temporary / "own"
    assert prodgen("templates", "copy", "-t", "supervisor", own).code == 0
    conf = own / "supervisor/bench.conf"
    conf.write_text(conf.read_text().replace("[group:", "; ours\n[group:", 1))
    checkout.check_out()
    runner = Runner(checkout, templates=str(own))
    done = runner.run()
    assert done.code == 0, done.err
    assert runner.output("compare", "changed") == "false"


def test_a_fault_in_a_template_is_annotated(checkout: Checkout) -> None:
    conf = checkout.origin / "own/supervisor/bench.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text("{% if %}\n")
    checkout.check_out()
    done = Runner(checkout, templates="own").run()
    assert done.code == 1
    assert re.search(r"^::error .*,file=own/supervisor/bench.conf,line=1,", done.out, re.MULTILINE)


def test_a_base_that_cannot_be_fetched_is_said(checkout: Checkout) -> None:
    checkout.check_out()
    checkout.origin.rename(checkout.origin.with_name("gone"))
    done = Runner(checkout).run()
    assert done.code == 1
    assert "::error::the base branch cannot be fetched" in done.out
