"""`prodgen apply` on a real host: the least that is needed, or nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.live.applying import STATE, Host, host
from tests.support.live.systemd_bench import NAME, PATH
from tests.support.rig.waiting import wait_for

Figure = Callable[[str], None]
OTHER = {"supervisor": "systemd", "systemd": "supervisor"}
ROUNDS = {"few": 4, "many": 10}
PAUSE = 0.01
"""Seconds of each client between two requests: without one all of both CPUs goes into them."""
SEED = 20


@pytest.fixture(scope="module", params=["supervisor", "systemd"])
def made(request: pytest.FixtureRequest) -> Iterator[Host]:
    with host(request.param, quick=True) as machine:
        machine.apply()
        yield machine


@pytest.fixture
def run(made: Host) -> Host:
    """Each test begins with the bench as it is installed, whatever its settings are by then."""
    made.bench.file("logs/jobs.log").unlink(missing_ok=True)
    made.restore()
    return made


def other_workers(run: Host) -> tuple[int, int]:
    """Two numbers of workers that the bench does not have now."""
    now = run.bench.config().get("gunicorn_workers")
    one, two, *_ = (number for number in (4, 6, 8) if number != now)
    return one, two


def test_the_first_apply_has_everything_up(run: Host) -> None:
    status = run.status()
    assert {one["state"] for service in status["services"] for one in service["processes"]} == {
        "up"
    }
    answer = run.shell("curl -s -o /dev/null -w '%{http_code}' -H 'Host: one.test' localhost/")
    assert answer == "200"


@pytest.mark.pitfall("D-PR1")
def test_a_second_apply_touches_nothing(run: Host) -> None:
    others = "-path '/etc/prodgen/pg-*' -prune -o"  # of tests that run on the host itself
    stat = f"find {STATE} /etc {others} -newer /proc/1 -type f -printf '%p %C@\\n' | sort"
    before, pids = run.shell(stat), run.pids()
    ended = run.apply()
    assert ended.err.splitlines()[-1] == "no change"
    assert run.shell(stat) == before
    assert run.pids() == pids
    assert run.prodgen("diff", "--detailed-exitcode").code == 0


@pytest.mark.matrix_cases("supervisor")
def test_only_what_has_to_restarts(run: Host) -> None:
    before = run.pids()
    run.configure(gunicorn_workers=other_workers(run)[0])
    assert run.prodgen("diff", "--detailed-exitcode").code == 2
    run.apply()
    after = run.pids()
    moved = {name for name in before if before[name] != after.get(name)}
    assert moved == {name for name in before if "frappe-web" in name}


def test_production_flags_are_set_and_undone(run: Host) -> None:
    path = run.bench.file("sites/common_site_config.json")
    assert f'"restart_{run.settings["manager"]}_on_update": true' in path.read_text()


@pytest.mark.matrix_cases("systemd")
def test_a_rollback_goes_back(run: Host) -> None:
    before = run.installed()
    run.configure(gunicorn_workers=other_workers(run)[0], http_timeout=240)
    run.apply()
    assert run.installed() != before
    run.apply("--rollback")
    assert run.installed() == before


@pytest.mark.matrix_cases("supervisor")
def test_an_edit_by_hand_is_shown_and_refused(run: Host) -> None:
    path = f"/etc/prodgen/{NAME}/gunicorn.conf.py"
    run.shell(f"echo 'workers = 9' >> {path}")
    shown = run.prodgen("diff")
    assert f"{path} was edited since prodgen wrote it" in shown.out
    assert "+workers = 9" in shown.out
    refused = run.prodgen("apply", "--yes")
    assert refused.code == 1
    assert "was edited since prodgen wrote it" in refused.err
    run.apply("--overwrite")
    assert run.prodgen("diff", "--detailed-exitcode").code == 0


@pytest.mark.matrix_cases("supervisor")
def test_a_review_is_applied_only_as_it_was_read(run: Host) -> None:
    reviewed, other = other_workers(run)
    run.configure(gunicorn_workers=reviewed)
    assert run.prodgen("diff", "-o", "/root/review.json").code == 0
    run.configure(gunicorn_workers=other)
    stale = run.prodgen("apply", "--yes", "--reviewed", "/root/review.json")
    assert stale.code == 1
    assert "has changed since /root/review.json was written" in stale.err
    run.configure(gunicorn_workers=reviewed)
    run.apply("--reviewed", "/root/review.json")


@pytest.mark.matrix_cases("systemd-")
@pytest.mark.pitfall("14")
@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        (
            "/etc/nginx/conf.d/zz.conf",
            "server { listen 80; server_name ;; }",
            "nginx does not take",
        ),
        ("/etc/supervisor/conf.d/zz.conf", "[program:zz]\n", "supervisord does not take"),
    ],
)
def test_a_host_that_would_not_load_it_is_left_alone(
    run: Host, path: str, text: str, words: str
) -> None:
    run.machine.put(path, text)
    before, pids = run.installed(), run.pids()
    run.configure(
        gunicorn_workers=other_workers(run)[0], max_file_size=99_000_000, http_timeout=400
    )
    ended = run.prodgen("apply", "--yes")
    run.shell(f"rm {path}")
    if run.settings["manager"] == "systemd" and "supervisor" in path:
        assert ended.code == 0, ended
        return
    assert ended.code == 1, ended
    assert words in ended.err
    assert run.installed() == before
    assert run.pids() == pids


@pytest.mark.matrix_cases("many", "systemd")
@pytest.mark.parametrize("rounds", ROUNDS)
def test_nobody_notices_rounds_of_changes(run: Host, rounds: str, figure: Figure) -> None:
    """Settings that need no closing of the socket, there and back, under load."""
    dice = random.Random(SEED)
    count = ROUNDS[rounds]
    changes: list[dict[str, object]] = [
        {"gunicorn_workers": 6},
        {"http_timeout": 150},
        {"max_file_size": 80_000_000},
        {"workers": {"reports": {"timeout": 9, "background_workers": 2}}},
    ]
    began = time.monotonic()
    with run.load(pause=PAUSE) as load:
        for number in range(count):
            run.bench.enqueue("short", 0.05, f"round-{number}", count=5)
            run.bench.enqueue("reports", 0.2, f"report-{number}", count=5)
            if dice.random() < 0.3 and number:
                run.apply("--rollback")
            else:
                run.configure(**dice.choice(changes))
                run.apply()
    wait_for(lambda: len(run.bench.counts()) == 10 * count, 60, "all jobs")
    took = time.monotonic() - began
    figure(f"{count} rounds of apply and rollback in {took:.0f} s, {load.result}")
    assert load.result.failed == 0
    assert set(run.bench.counts().values()) == {1}


@pytest.mark.matrix_cases("systemd")
def test_switching_the_manager_and_back(run: Host, figure: Figure) -> None:
    mine = str(run.settings["manager"])
    before = run.installed()
    run.bench.enqueue("short", 0.2, "switched", count=20)
    began = time.monotonic()
    run.set(manager=OTHER[mine])
    run.apply()
    figure(f"{mine} to {OTHER[mine]} in {time.monotonic() - began:.1f} s")
    assert_runs_by(run, OTHER[mine])
    wait_for(lambda: len(run.bench.counts()) == 20, 60, "the jobs")
    run.set(manager=mine)
    run.apply()
    assert_runs_by(run, mine)
    assert run.installed() == before
    assert set(run.bench.counts("start").values()) == {1}


def assert_runs_by(run: Host, manager: str) -> None:
    """One of the two runs the bench, and the other has nothing of it."""
    units = run.shell(f"systemctl list-units --plain --no-legend '{NAME}-*.service' --state=active")
    programs = run.shell("supervisorctl status 2>/dev/null", check=False)
    assert bool(units) == (manager == "systemd"), units
    assert (NAME in programs) == (manager == "supervisor"), programs
    assert run.prodgen("status").code == 0


@pytest.mark.matrix_cases("systemd")
def test_the_lesser_user_gains_nothing(run: Host) -> None:
    """Root reads files that the bench's user writes: none of them may make him more."""
    before, pids = run.installed(), run.pids()
    for settings in (
        {"user": "root"},
        {"user": "www-data"},
        {"logging": {"mode": "files", "folder": "/etc/cron.d"}},
    ):
        kept = dict(run.settings)
        run.set(**settings)
        ended = run.prodgen("apply", "--yes")
        run.settings = {}
        run.set(**kept)
        assert ended.code == 1, (settings, ended)
        assert run.installed() == before
        assert run.pids() == pids


def test_a_link_in_place_of_the_config_is_not_followed_as_root(run: Host) -> None:
    """common_site_config.json is written as its user, who cannot write where it leads."""
    path = PATH / "sites/common_site_config.json"
    run.shell("cp /etc/hostname /root/precious; chmod 600 /root/precious")
    run.shell(f"mv {path} {path}.kept; ln -s /root/precious {path}")
    ended = run.prodgen("apply", "--yes")
    precious = run.shell("cat /root/precious; cat /etc/hostname")
    run.shell(f"mv {path}.kept {path}")
    assert ended.code == 1, ended
    assert len(set(precious.split())) == 1


def changed(run: Host, share: float) -> int:
    """Changes the bench, but not what is installed; at which call of its apply a `share` of what
    it writes is written."""
    if not run.counted:
        change(run)
        run.counted = run.calls()
    change(run)
    return int(run.counted * share)


def change(run: Host) -> None:
    """Other workers and another time-out: files of Gunicorn, of nginx and of the manager."""
    timeout = 120 if run.bench.config().get("http_timeout") == 200 else 200
    run.configure(gunicorn_workers=other_workers(run)[0], http_timeout=timeout)


@pytest.mark.matrix_cases("-0.3", "-0.95", "systemd-0.5", "supervisor-0.7")
@pytest.mark.pitfall("2")
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.95])
def test_a_power_cut_leaves_the_old_or_the_new(run: Host, share: float, figure: Figure) -> None:
    run.machine.run(["systemctl", "enable", "nginx", "supervisor"], check=False)
    number = changed(run, share)
    old = run.installed()
    run.die_at(number)
    run.machine.power_cut()
    run.machine.boot()
    found = {path: one for path, one in run.installed().items() if "prodgen-" not in path}
    wait_for(lambda: run.prodgen("status").code == 0, 60, "everything to be up")
    run.apply()
    new = run.installed()
    figure(f"power cut at call {number}: the {'old' if found == old else 'new'} config")
    assert old != new
    assert found in (old, new)
    assert not any("prodgen-" in path for path in new), "left behind"


@pytest.mark.matrix_cases("supervisor")
def test_a_killed_apply_is_ended_by_the_next(run: Host) -> None:
    """Files are new already, and what runs has not been told: a change of one file at that."""
    run.configure(gunicorn_workers=other_workers(run)[0])
    before = run.pids()
    run.die_before_activation()
    assert "activating" in run.shell(f"cat {STATE}/pending/journal.json")
    assert run.pids() == before
    run.apply()
    after = run.pids()
    moved = {name for name in before if before[name] != after.get(name)}
    assert moved == {name for name in before if "frappe-web" in name}
    assert run.prodgen("diff", "--detailed-exitcode").code == 0
