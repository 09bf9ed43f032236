"""The GitHub Action: its steps, run as a runner does, on a pull request's checkout."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from prodgen.review.markdown import MARK
from tests.ci.checkout import COMMON, Checkout, put_prodgen
from tests.cli.command import Done
from tests.plans import ROOT
from tests.rig.tools import missing

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
FEW, MANY = '"gunicorn_workers": 9', '"gunicorn_workers": 12'


class Runner:
    """Does what GitHub's runner does with the steps of a composite action, for one pull request."""

    def __init__(self, checkout: Checkout, **inputs: str) -> None:
        self.checkout = checkout
        self.work = checkout.temporary / "work"
        put_prodgen(self.work / "venv/bin")
        self.programs = checkout.temporary / "bin"
        self.programs.mkdir()
        shutil.copy(Path(__file__).with_name("gh"), self.programs)
        self.store = checkout.temporary / "comments.json"
        self.set_comments()
        self.files = {
            name: checkout.temporary / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
        }
        defaults = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
        chosen = {**defaults, "bench": checkout.bench, "token": "a-token", **inputs}
        self.context = {
            **{f"inputs.{name}": value for name, value in chosen.items()},
            "github.repository": "acme/erp",
            "github.event.pull_request.number": "7",
            "github.event.pull_request.base.sha": checkout.base,
            "steps.install.outputs.work": str(self.work),
        }

    def set_comments(self, *comments: Mapping[str, object], forbidden: bool = False) -> None:
        state = {"comments": comments, "calls": [], "forbidden": forbidden}
        self.store.write_text(json.dumps(state))

    @property
    def comments(self) -> list[str]:
        return [one["body"] for one in json.loads(self.store.read_text())["comments"]]

    @property
    def calls(self) -> list[str]:
        found = json.loads(self.store.read_text())["calls"]
        return [call.split()[0] for call in found]

    def output(self, step: str, name: str) -> str:
        return self.context.get(f"steps.{step}.outputs.{name}", "")

    def run(self, *, install: bool = False) -> Done:
        """Runs the steps until one fails; what they all said."""
        said = Done(0, "", "")
        for step in STEPS:
            is_wanted = install or step.get("id") != "install"
            if "run" in step and is_wanted and self._holds(step.get("if", "")):
                done = self._step(step)
                said = Done(done.code, said.out + done.out, said.err + done.err)
                if done.code:
                    break
        assert not list((self.checkout.folder / ".git").glob("worktrees/*"))
        return said

    def _step(self, step: Mapping[str, Any]) -> Done:
        for file in self.files.values():
            file.touch()
        self.files["GITHUB_OUTPUT"].write_text("")
        env = {name: self._filled(value) for name, value in step.get("env", {}).items()}
        env |= {name: str(file) for name, file in self.files.items()}
        env |= {
            "RUNNER_TEMP": str(self.checkout.temporary),
            "GITHUB_ACTION_PATH": str(ROOT),
            "COMMENTS_FILE": str(self.store),
        }
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]
        done = self.checkout.run(step["run"], env, self.programs)
        for line in self.files["GITHUB_OUTPUT"].read_text().splitlines():
            name, _, value = line.partition("=")
            self.context[f"steps.{step['id']}.outputs.{name}"] = value
        return done

    def _filled(self, text: str) -> str:
        return re.sub(r"\$\{\{ (\S+) \}\}", lambda found: self.context[found[1]], text)

    def _holds(self, condition: str) -> bool:
        """Whether a condition of `==`, `!=` and `&&` is true."""
        for one in filter(None, condition.split(" && ")):
            name, sign, value = one.split()
            is_same = self.context.get(name, "") == value.strip("'")
            if is_same != (sign == "=="):
                return False
        return True


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


def test_a_push_compares_with_nothing(checkout: Checkout) -> None:
    checkout.check_out()
    runner = Runner(checkout)
    for name in ("number", "base.sha"):
        del runner.context[f"github.event.pull_request.{name}"]
    assert runner.run().code == 0
    assert (runner.calls, runner.output("compare", "changed")) == ([], "")


def test_it_installs_itself(checkout: Checkout) -> None:
    checkout.check_out()
    runner = Runner(checkout)
    done = runner.run(install=True)
    if done.code and "No matching distribution" in done.all:
        missing("no package index: hatchling cannot be had")
    assert done.code == 0, done.err
    work = runner.output("install", "work")
    assert Path(work, "venv/bin/prodgen").is_file()
    assert runner.output("render", "archive") == f"{work}/prodgen.tar.gz"
