"""The README of an output: its commands install what the manifest says, where it says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from prodgen.plan.core.model import Manager
from prodgen.provenance import Sourced
from prodgen.review.changes.site_config_edit import production_keys
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.install_readme import make_readme
from prodgen.targets.manifest import digest
from tests.support.command import copy_bench, prodgen
from tests.support.plans import fixture_plan

pytestmark = pytest.mark.process

USER_SCOPE = """
version: 1
manager: systemd
user: frappe
systemd: {scope: user}
host: {home: /home/frappe, path: /home/frappe/frappe-bench}
"""


def rendered(folder: Path, settings: str, *targets: str) -> Path:
    """An archive's content, taken out with tar."""
    bench = copy_bench(folder / "frappe-bench")
    (bench / "prodgen.yaml").write_text(settings)
    options = [word for name in targets for word in ("-t", name)]
    done = prodgen("render", "-q", *options, "-o", folder / "x.tar.gz", cwd=bench)
    assert done.code == 0, done
    (folder / "un").mkdir()
    subprocess.run(["tar", "-xzf", "../x.tar.gz"], cwd=folder / "un", check=True)
    return folder / "un"


def commands(readme: str) -> list[list[str]]:
    lines = re.findall(r"^    (.+)$", readme, re.MULTILINE)
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize(
    ("settings", "targets"),
    [
        ("version: 1", ("supervisor", "nginx")),
        ("version: 1", ("systemd",)),
        ("version: 1\nnginx: {default_server: true}\nredis: {managed: true}", ("all",)),
        (USER_SCOPE, ("all",)),
    ],
    ids=["supervisor", "systemd", "everything", "user"],
)
def test_its_commands_install_everything(
    settings: str, targets: tuple[str, ...], tmp_path: Path
) -> None:
    folder = rendered(tmp_path, settings, *targets)
    root = tmp_path / "root"
    for words in commands((folder / "README.md").read_text("utf-8")):
        if words[0] == "install":
            *rest, place = [word for word in words if word not in ("-o", "-g", "root")]
            subprocess.run([*rest, f"{root}{place}"], cwd=folder, check=True)
    listed = json.loads((folder / "manifest.json").read_text())["files"]
    installed = {str(path): path for path in root.rglob("*") if path.is_file()}
    wanted = {f"{root}{one['destination']}": one for one in listed if one["target"] != "readme"}
    assert wanted
    assert set(installed) == set(wanted)
    for place, entry in wanted.items():
        assert digest(installed[place].read_bytes()) == entry["sha256"]
        assert f"{installed[place].stat().st_mode & 0o7777:04o}" == entry["mode"]


def test_it_has_only_what_the_output_has(tmp_path: Path) -> None:
    folder = rendered(tmp_path, "version: 1", "supervisor")
    text = (folder / "README.md").read_text("utf-8")
    assert "## supervisor" in text
    assert "systemctl" not in text
    assert "nginx" not in text
    assert ["install", "-d", "-o", "root", "-g", "root", "-m", "0755", "/var/log/frappe-bench"] in (
        commands(text)
    )


def test_a_users_own_systemd_needs_no_root(tmp_path: Path) -> None:
    folder = rendered(tmp_path, USER_SCOPE, "systemd")
    text = (folder / "README.md").read_text("utf-8")
    assert "| frappe | 0644 |" in text
    assert not [words for words in commands(text) if "root" in words]
    assert ["systemctl", "--user", "enable", "--now", "frappe-bench.target"] in commands(text)


@pytest.mark.parametrize("case", ["frappe-14", "frappe-15", "frappe-16"])
@pytest.mark.parametrize("manager", list(Manager))
def test_it_names_the_flag_that_apply_sets(case: str, manager: Manager) -> None:
    plan = fixture_plan(case)
    plan = plan._replace(manager=Sourced(manager, plan.manager.origin))
    artifact = Artifact(PurePosixPath("x"), "", PurePosixPath("/x"), manager.value)
    text = make_readme([artifact], plan, "1").text
    wanted = {key for key, value in production_keys(plan).items() if value is True}
    assert set(re.findall(r"Set `(\w+)` to true", text)) == wanted


def test_a_file_of_secrets_is_named(tmp_path: Path) -> None:
    settings = "version: 1\nenv_file: /etc/prodgen/secrets.env"
    folder = rendered(tmp_path, settings, "supervisor")
    assert (
        "secrets from `/etc/prodgen/secrets.env` on the host" in (folder / "README.md").read_text()
    )


def test_two_managers_are_an_either_or(tmp_path: Path) -> None:
    text = (rendered(tmp_path, "version: 1", "supervisor", "systemd") / "README.md").read_text()
    assert "install one of the two" in text
