"""What `systemd-analyze` says of the units, and what each level of hardening closes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from prodgen.targets.systemd.hardening import LEFT_OUT, RULES, SINCE, Profile
from tests.support.rig.tools import missing, need
from tests.support.systemd_plans import make_plan, units_of, with_options

OFFLINE = 250
"""The first systemd-analyze that rates a file (`security --offline=`)."""
BOUNDS = {"redis": 1.0, "node-socketio": 1.4, "frappe-": 1.6, "web-wait": 1.0}


@pytest.fixture(scope="module")
def analyze() -> str:
    program = need("systemd-analyze")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.findall(r"\d+", said)[0]) < OFFLINE:
        missing(f"systemd-analyze is older than {OFFLINE}")
    return program


def ask(analyze: str, *words: str, folder: Path) -> str:
    """What systemd-analyze prints."""
    done = subprocess.run(
        [analyze, *words], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.process
@pytest.mark.parametrize("level", ["standard", "strict"])
def test_the_exposure_is_low(analyze: str, tmp_path: Path, level: str) -> None:
    seen = 0
    for name, text in units_of(with_options(make_plan(), hardening=level)).items():
        found = [bound for part, bound in BOUNDS.items() if part in name.removeprefix("frappe-b")]
        if not name.endswith(".service") or not found:
            continue
        tmp_path.joinpath(name).write_text(text)
        said = ask(analyze, "security", "--offline=yes", f"./{name}", folder=tmp_path)
        rating = re.search(r"Overall exposure level for \S+: (\d+\.\d)", said)
        assert rating, said
        assert float(rating[1]) <= found[0], said
        seen += 1
    assert seen == 9


@pytest.mark.process
@pytest.mark.parametrize("level", ["off", "standard", "strict"])
def test_verify_is_silent(analyze: str, tmp_path: Path, level: str) -> None:
    bench = tmp_path / "my-bench"
    programs = ["env/bin/gunicorn", "env/bin/python", "apps/bot/run", "node", "redis-server"]
    for program in programs:
        file = bench / program
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
    plan = make_plan(
        str(bench),
        node=PurePosixPath(bench / "node"),
        redis_server=PurePosixPath(bench / "redis-server"),
    )
    folder = tmp_path / "units"
    folder.mkdir()
    for name, text in units_of(with_options(plan, hardening=level)).items():
        folder.joinpath(name).write_text(text)
    names = sorted(path.name.replace("@.", "@1.") for path in folder.iterdir())
    words = ["verify", "--man=no", "--recursive-errors=no", *(f"./{name}" for name in names)]
    said = ask(analyze, *words, folder=folder)
    assert said == ""
    broken = folder / "my-bench-bot.service"
    broken.write_text(broken.read_text().replace("Restart=always", "Restart=often"))
    assert "often" in ask(analyze, *words, folder=folder)


@pytest.mark.pitfall("D-SD12")
def test_what_is_looser_has_its_reason_in_the_unit() -> None:
    text = units_of(make_plan())["frappe-bench-frappe-web@.service"]
    for _, name, reason in LEFT_OUT[:1]:
        assert f"# No {name}: {reason}." in text
    for rule in RULES:
        if Profile.APP in rule.profiles and rule.why:
            reason = "".join(f"# {line}\n" for line in f"{rule.why}.".splitlines())
            assert f"{reason}{rule.directive}={rule.value}\n" in text


def test_an_old_systemd_gets_nothing_that_it_does_not_know() -> None:
    for text in units_of(make_plan(systemd=None)).values():
        keys = {line.partition("=")[0] for line in text.splitlines()}
        assert not keys & set(SINCE)


def test_off_closes_nothing() -> None:
    for text in units_of(with_options(make_plan(), hardening="off")).values():
        assert "Protect" not in text
        assert "NoNewPrivileges" not in text


def test_unknown_programs_keep_their_freedom() -> None:
    text = units_of(make_plan())["frappe-bench-bot.service"]
    for key in ("SystemCallFilter", "PrivateTmp", "ReadWritePaths", "KillMode", "UMask"):
        assert f"\n{key}=" not in text


def test_a_bench_in_tmp_is_not_hidden_from_itself() -> None:
    text = units_of(make_plan("/tmp/bench"))["bench-frappe-web@.service"]
    assert "\nPrivateTmp=" not in text
    assert "# No PrivateTmp: the bench lies in the folder that it would hide." in text


def test_strict_shows_only_the_bench_of_all_homes() -> None:
    plan = with_options(
        make_plan(node=PurePosixPath("/home/frappe/.nvm/v20/bin/node")),
        hardening="strict",
        read_only_paths=("/home/frappe/.local/share/uv",),
        read_write_paths=("/mnt/files",),
    )
    units = units_of(plan)
    web = units["frappe-bench-frappe-web@.service"].splitlines()
    bench = "/home/frappe/frappe-bench"
    assert "ProtectHome=tmpfs" in web
    assert f"BindReadOnlyPaths=-{bench} -/home/frappe/.local/share/uv" in web
    writable = f"-{bench}/sites -{bench}/logs -{bench}/config -/home/frappe/.cache"
    assert f"BindPaths={writable}" in web
    assert f"NoExecPaths={writable} -/mnt/files -/tmp -/var/tmp -/dev/shm" in web
    node = units["frappe-bench-node-socketio.service"]
    assert "-/home/frappe/.nvm/v20\n" in node
