"""`prodgen apply PATH`: what was rendered before, with a user's own templates too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.live.applying import STATE, Host, host
from tests.support.live.systemd_bench import HOME, NAME, USER

OWN = "# a line of our own"
TEMPLATES = HOME / "own"
SITE_TEMPLATE = TEMPLATES / "nginx/bench.conf"
SERVED = f"/etc/nginx/conf.d/{NAME}.conf"
PACKED = ("x", "x.tar", "x.tar.gz")


@pytest.fixture(scope="module")
def made() -> Iterator[Host]:
    """A bench that is installed, and templates of its user's."""
    with host("systemd") as machine:
        machine.apply()
        copied = machine.prodgen_alone("templates", "copy", str(TEMPLATES), "-t", "nginx")
        assert copied.code == 0, copied
        machine.shell(f"echo '{OWN}' >> {SITE_TEMPLATE}; chown -R {USER}: {TEMPLATES}")
        for name in PACKED:
            render(machine, f"/root/{name}", "--templates", str(TEMPLATES))
            render(machine, f"{HOME}/{name}", "--templates", str(TEMPLATES))
        machine.shell(f"chown -R {USER}: {HOME}/x*")
        yield machine


@pytest.fixture
def run(made: Host) -> Host:
    """Each test begins with prodgen's own templates."""
    made.apply()
    return made


def render(run: Host, path: str, *words: str) -> None:
    ended = run.prodgen("render", "-q", "-o", path, *words)
    assert ended.code == 0, ended


@pytest.mark.matrix_cases("x]", "x.tar]")
@pytest.mark.parametrize("name", PACKED)
def test_it_is_installed_looked_at_and_taken_back(run: Host, name: str) -> None:
    path, before, pids = f"/root/{name}", run.installed(), run.pids()
    shown = run.prodgen("diff", path, "--detailed-exitcode")
    assert (shown.code, f"\n+{OWN}\n" in shown.out) == (2, True), shown
    run.apply(path)
    assert run.shell(f"tail -1 {SERVED}") == f"{OWN}\n"
    assert run.pids() == pids, "a comment restarts nothing"
    assert run.prodgen("diff", path, "--detailed-exitcode").code == 0
    assert run.apply(path).err.splitlines()[-1] == "no change"
    assert "edited" not in run.prodgen("diff").out, "it is prodgen's own"
    assert f"\n-{OWN}\n" in run.prodgen("diff").out
    run.apply("--rollback")
    assert run.installed() == before


def test_what_it_lists_no_longer_goes_with_the_next(run: Host) -> None:
    """What was installed from PATH is owned like anything else that prodgen has installed."""
    run.apply("/root/x.tar.gz")
    manifest = run.shell(f"tar -xzO -f /root/x.tar.gz manifest.json | cmp - {STATE}/manifest.json")
    assert manifest == ""
    render(run, "/root/less", "-t", "systemd")
    run.apply("/root/less")
    assert SERVED not in run.installed()
    assert run.prodgen("status").code == 0


@pytest.mark.parametrize("name", PACKED)
def test_nobody_else_may_be_able_to_change_it(run: Host, name: str) -> None:
    before = run.installed()
    for path in (f"{HOME}/{name}", f"/srv/link/{name}"):
        run.shell(f"ln -sfn {HOME} /srv/link")
        refused = run.prodgen("apply", "--yes", path)
        assert refused.code == 1, refused
        assert f"{USER} can change " in refused.err
        assert run.prodgen("diff", path).code == 0, "looking is free"
    assert run.installed() == before


def test_roots_own_in_a_folder_of_the_users_is_not_his_alone(run: Host) -> None:
    """The user can put something else in its place, also behind a link of root's."""
    before = run.installed()
    run.shell(f"mkdir {HOME}/in; chown {USER}: {HOME}/in; ln -sfn {HOME}/in /root/in")
    render(run, f"{HOME}/in/x")
    for path in (f"{HOME}/in/x", "/root/in/x"):
        refused = run.prodgen("apply", "--yes", path)
        assert refused.code == 1, refused
        assert f"{USER} can change {HOME}" in refused.err
    assert run.installed() == before


def test_one_of_another_bench(run: Host) -> None:
    run.set(bench_name="another")
    render(run, "/root/another")
    run.set(bench_name=None)
    refused = run.prodgen("apply", "--yes", "/root/another")
    assert refused.code == 1, refused
    assert "it was rendered for the bench another" in refused.err
