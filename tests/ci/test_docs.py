"""docs/ci.md is true: its inputs are the action's, its commands work."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from prodgen.review.report.markdown import MARK
from tests.ci.checkout import COMMON, Checkout, put_prodgen
from tests.ci.runner import ACTION
from tests.ci.test_gitlab import JOB
from tests.support.plans import ROOT

TEXT = (ROOT / "docs/ci.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_the_inputs_and_outputs_are_those_of_the_action() -> None:
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE) == list(ACTION["inputs"])
    assert all(f"`{name}`" in TEXT for name in ACTION["outputs"])


def test_the_examples_set_what_there_is() -> None:
    action, gitlab, hook = (yaml.safe_load(text) for name, text in BLOCKS if name == "yaml")
    steps = action["jobs"]["prodgen"]["steps"]
    assert set(steps[1]["with"]) <= set(ACTION["inputs"])
    assert action["permissions"]["pull-requests"] == "write"
    assert set(gitlab["prodgen"]["variables"]) <= set(JOB["variables"])
    [there] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert [one["id"] for one in hook["repos"][0]["hooks"]] == [there["id"]]


def test_the_commands_work(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.edit(COMMON, '"gunicorn_workers": 9', '"gunicorn_workers": 12')
    checkout.check_out()
    checkout.git("fetch", "-q", "--unshallow", folder=checkout.folder)
    [commands] = [text for name, text in BLOCKS if name == "sh"]
    here = commands.replace("origin/main", checkout.base)
    assert here != commands
    done = checkout.run(here, {}, put_prodgen(checkout.temporary / "bin"))
    assert done.code == 0, done.err
    comment = (checkout.folder / "comment.md").read_text("utf-8")
    assert comment.startswith(MARK)
    assert "+workers = 6" in comment
