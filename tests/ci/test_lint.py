"""What runs elsewhere is at least well-formed: the action, the workflows, the templates."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.ci.runner import STEPS
from tests.ci.test_gitlab import JOB
from tests.support.plans import ROOT
from tests.support.rig.tools import missing, need

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FILES = {
    "github-actions": [ROOT / "action.yml"],
    "github-workflows": WORKFLOWS,
    "gitlab-ci": [ROOT / "ci/gitlab.yml"],
}
SCRIPTS = {step["name"]: step["run"] for step in STEPS if "run" in step} | {
    "GitLab's job": "\n".join([*JOB["before_script"], *JOB["script"]])
}


def tool(name: str) -> Path:
    """A program beside this Python, of the dependency group `lint`."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        missing(f"{name} is not installed (dependency group lint)")
    return path


def run(*command: str | Path, text: str = "") -> str:
    """What the command says, all of it; nothing where it found nothing."""
    done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.parametrize("schema", FILES)
def test_files_are_as_their_schema_wants(schema: str) -> None:
    checker = tool("check-jsonschema")
    assert run(checker, "--builtin-schema", f"vendor.{schema}", *FILES[schema]) == ""


def test_nothing_is_open_to_an_attacker() -> None:
    checked = ["action.yml", ".github/workflows"]
    options = ["--offline", "--no-progress", "--min-severity=medium"]
    assert run(tool("zizmor"), *options, *checked) == ""


@pytest.mark.parametrize("name", SCRIPTS)
def test_shell_steps_are_sound(name: str) -> None:
    text = f"#!/bin/bash\nset -eo pipefail\n{SCRIPTS[name]}\n"
    assert run(need("shellcheck"), "--shell=bash", "-", text=text) == ""


@pytest.mark.parametrize("name", SCRIPTS)
def test_python_imports_nothing_from_the_checkout(name: str) -> None:
    assert re.findall(r"python3?\"? (?!-I ).*", SCRIPTS[name]) == []


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda path: path.name)
def test_foreign_actions_are_pinned_to_a_commit(path: Path) -> None:
    used = re.findall(r"uses: (?!\./)(.*)", path.read_text("utf-8"))
    assert used
    assert [one for one in used if not re.fullmatch(r"\S+@[0-9a-f]{40} # v[\d.]+", one)] == []


def test_only_the_job_that_publishes_may_do_so() -> None:
    release = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))
    permissions = {name: job.get("permissions") for name, job in release["jobs"].items()}
    assert permissions == {"test": None, "build": None, "publish": {"id-token": "write"}}
    assert release["permissions"] == {"contents": "read"}
    assert release["jobs"]["publish"]["environment"] == "release"
    assert not any("run" in step for step in release["jobs"]["publish"]["steps"])
