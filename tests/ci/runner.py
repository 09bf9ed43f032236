"""Does with the action's steps what GitHub's runner does."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.ci.checkout import Checkout, put_prodgen
from tests.support.command import Done
from tests.support.plans import ROOT

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]


class Runner:
    """The steps of a composite action, for one pull request."""

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
