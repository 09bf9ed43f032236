"""`prodgen adopt` on a bench that runs as `bench setup production` leaves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.live.applying import Host, host
from tests.support.live.systemd_bench import NAME, PATH, USER
from tests.support.plans import ROOT
from tests.support.rig.waiting import wait_for

Figure = Callable[[str], None]
THEIRS = ROOT / "tests/review/adopt/adopted/by-hand"
BENCH = f"""#!/bin/sh
# What the bench command turns itself into.
case $1 in socketio) exec /usr/bin/node {PATH}/apps/frappe/socketio.js;; esac
cd {PATH}/sites && exec {PATH}/env/bin/python -m frappe.utils.bench_helper frappe "$@"
"""
SERVER = "/etc/nginx/sites-enabled/erp"
"""Named as somebody has done by hand, after nginx's own way on Debian."""
ASK = "curl -s -H 'Host: one.test' localhost"


@pytest.fixture(scope="module")
def run() -> Iterator[Host]:
    with host("supervisor", supervisor=False, quick=True) as made:
        set_up(made)
        yield made


def set_up(made: Host) -> None:
    """What `bench setup production` does: two files in the bench, and links to them."""
    made.machine.put("/usr/local/bin/bench", BENCH)
    made.shell("chmod 755 /usr/local/bin/bench")
    made.shell(f"install -d -o {USER} {PATH}/config {PATH}/logs")
    for name, place in (("supervisor", f"/etc/supervisor/conf.d/{NAME}.conf"), ("nginx", SERVER)):
        path = PATH / "config" / f"{name}.conf"
        made.machine.put(str(path), (THEIRS / path.name).read_text())
        made.shell(f"chown {USER} {path}; ln -sf {path} {place}")
    made.shell("systemctl restart supervisor; systemctl reload nginx")
    wait_for(lambda: answers(made) and len(redis_pids(made)) == 2, 60, "the bench")


def answers(made: Host) -> bool:
    """Whether the application answers through nginx."""
    asked = made.shell(f"{ASK}/api/method/ping -o /dev/null -w '%{{http_code}}'", check=False)
    return asked == "200"


def redis_pids(made: Host) -> set[int]:
    return {pid for name, pid in made.pids().items() if "redis" in name}


def test_it_takes_over_and_goes_back(run: Host, figure: Figure) -> None:
    pids = redis_pids(run)
    assert len(pids) == 2
    assert run.shell(f"{ASK}/robots-of-mine.txt") == "mine\n"

    refused = run.prodgen("adopt", "--yes")
    assert refused.code == 1, refused
    assert "would not be kept" in refused.err
    assert '"max_file_size"' in refused.err
    assert "abc%" not in refused.err
    assert redis_pids(run) == pids

    ended = run.prodgen("adopt", "--yes", "--leave-out")
    assert ended.code == 0, ended
    assert redis_pids(run) == pids
    assert run.prodgen("status").code == 0
    assert run.shell(f"{ASK}/robots-of-mine.txt") == "mine\n"
    assert run.shell(f"{ASK}/reports-of-mine -o /dev/null -w '%{{http_code}}'") == "200"
    assert run.prodgen("diff", "--detailed-exitcode").code == 0
    assert "robot-of-mine" in run.shell("supervisorctl status", check=False)
    assert "nobody else has installed" in run.prodgen("adopt", "--yes").err

    back = run.prodgen("apply", "--rollback", "--yes")
    assert run.shell(f"cat {SERVER}") == (THEIRS / "nginx.conf").read_text(), back
    there = run.shell("ls /etc/supervisor/conf.d").split()
    assert there == [f"{NAME}.conf"]
    wait_for(lambda: run.shell(f"{ASK}/robots-of-mine.txt") == "mine\n", 60, "nginx")
    wait_for(lambda: answers(run), 60, "the web")
    programs = run.shell("supervisorctl status", check=False)
    assert f"{NAME}-web:{NAME}-frappe-web" in programs
    figure(back.err.splitlines()[-1])
