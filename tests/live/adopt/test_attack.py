"""`prodgen adopt` of config that the bench's user can write: root opens nothing of his with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live.adopting import PLACES, set_up
from tests.support.live.applying import Host, host
from tests.support.live.systemd_bench import NAME, PATH, USER
from tests.support.plans import ROOT

THEIRS = ROOT / "tests/review/adopt/adopted/by-hand"
CONF = PATH / "config/nginx.conf"
MINE = f"{PATH}/config/mine.conf"
LINES = f"""listen 80;
    include {MINE};
    access_log {PATH}/logs/mine.log;
    error_log /etc/profile.d/mine.sh;
"""
PROGRAMS = f"""
[program:as-root]
command={PATH}/config/mine.sh

[program:logs-at-will]
command=/bin/sleep infinity
user={USER}
stdout_logfile=/etc/cron.d/mine
"""
SECRET = "/root/of-root"  # a file's path


@pytest.fixture(scope="module")
def run() -> Iterator[Host]:
    with host("supervisor", supervisor=False, quick=True) as made:
        nginx = (THEIRS / "nginx.conf").read_text()
        made.machine.put(MINE, "", owner=USER)
        made.machine.put(f"{PATH}/config/mine.sh", "#!/bin/sh\nsleep 1000\n", 0o755, owner=USER)
        made.shell(f"install -d -o {USER} {PATH}/logs")
        programs = (THEIRS / "supervisor.conf").read_text() + PROGRAMS
        set_up(made, nginx.replace("listen 80;", LINES, 1), programs)
        yield made


def line_of(made: Host, path: Path, text: str) -> int:
    """The number of the first line with this text."""
    lines = made.machine.real(path).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_a_link_to_a_file_of_roots_is_not_read(run: Host) -> None:
    run.machine.put(SECRET, "password-of-root\n", 0o600)
    place = PLACES["nginx"] / f"{NAME}.conf"
    run.shell(f"mv {CONF} {CONF}.kept; ln -s {SECRET} {CONF}")
    try:
        for words in (("adopt", "-n", "-v"), ("adopt", "--yes", "--leave-out"), ("diff",)):
            ended = run.prodgen(*words)
            assert ended.code == 1, ended
            assert str(place) in ended.err
            assert "password-of-root" not in f"{ended.out}{ended.err}"
    finally:
        run.shell(f"mv {CONF}.kept {CONF}")
    found = run.shell("grep -rl password-of-root /etc /var/lib/prodgen", check=False)
    assert not found


def test_a_pipe_in_the_place_of_a_file_hangs_nobody(run: Host) -> None:
    run.shell(f"mv {CONF} {CONF}.kept; mkfifo {CONF}")
    try:
        for words in (("adopt", "-n"), ("diff",)):
            assert run.prodgen(*words, timeout=60).code in (0, 1)
    finally:
        run.shell(f"mv {CONF}.kept {CONF}")


def test_what_its_user_can_change_is_listed_and_left_behind(run: Host) -> None:
    refused = run.prodgen("adopt", "--yes")
    assert refused.code == 1, refused
    place, said = PLACES["nginx"] / f"{NAME}.conf", " ".join(refused.err.split())
    for text in (f"include {MINE}", "access_log", "error_log"):
        assert f"{place}:{line_of(run, CONF, text)}: {USER} can change /home/{USER}" in said
    place = PLACES["supervisor"] / f"{NAME}.conf"
    for text in ("[program:as-root]", "stdout_logfile=/etc/cron.d/mine"):
        number = line_of(run, PATH / "config/supervisor.conf", text)
        assert f"{place}:{number}: {USER} can change" in said

    ended = run.prodgen("adopt", "--yes", "--leave-out")
    assert ended.code == 0, ended
    run.machine.put(MINE, "location = /taken-over { return 200 taken; }\n", owner=USER)
    run.shell("nginx -s reload; supervisorctl update; sleep 1")
    loaded = run.shell("nginx -T 2>/dev/null; cat /etc/supervisor/conf.d/*")
    for text in ("taken-over", MINE, "/etc/profile.d", "/etc/cron.d", "as-root", "mine.log"):
        assert text not in loaded
    assert "robots-of-mine.txt" in loaded
    assert "logs-at-will" in run.shell("supervisorctl status", check=False)
    assert "taken" not in run.shell("curl -s -H 'Host: one.test' localhost/taken-over")


def test_the_way_out_leads_on(run: Host) -> None:
    """A copy of root's, named in the user's file, is kept."""
    assert run.prodgen("apply", "--rollback", "--yes").code == 0
    copy = f"/etc/nginx/{NAME}/mine.conf"
    run.shell(f"install -D -m 644 {MINE} {copy}")
    file = PLACES["nginx"] / f"{NAME}.conf"
    text = run.machine.real(file).read_text().replace(MINE, copy)
    run.machine.real(file).unlink()
    run.machine.put(CONF, text, owner=USER)
    run.shell(f"ln -s {CONF} {file}; nginx -s reload")
    said = run.prodgen("adopt", "-n").err
    kept = said.partition("Kept, in a file of your own:")[2].partition("Ours has")[0]
    assert f"include {copy}" in kept
