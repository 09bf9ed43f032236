"""`prodgen adopt` of config with paths in places that the bench's user can write, both managers.

What names such a place is not kept, and said with the place. A setting of prodgen.yaml's that
names one is refused before anything changes. The rules are in prodgen/deploy/privilege/places.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.adopt import test_systemd
from tests.live.adopt.test_attack import THEIRS, line_of
from tests.support.live.adopting import PLACES, set_up
from tests.support.live.applying import Host, host
from tests.support.live.systemd_bench import HOME, NAME, PATH, USER

CONF = PATH / "config/nginx.conf"
MINE = f"{PATH}/config/mine.conf"
LINES = {
    "access_log /var/log/theirs/access.log": f"{USER} can change /var/log/theirs",
    "error_log /var/log/linked/error.log": f"{USER} can change /home/{USER}",
    f"include {MINE}": f"{USER} can change /home/{USER}",
}
"""Directives of the server, and who has a hand in what they name."""
PROGRAM = f"""
[program:mine]
command=/bin/sleep infinity
user={USER}
stdout_logfile=/var/log/theirs/mine.log
"""
UNIT = test_systemd.LISTENER
FORBIDDEN = {
    "access_log": ("/root/.profile", "nginx would write /root/.profile as root"),
    "folder": ("/var/log/theirs", f"{USER} can change /var/log/theirs"),
}


@pytest.fixture(
    scope="module", params=["supervisor", pytest.param("systemd", marks=pytest.mark.matrix)]
)
def run(request: pytest.FixtureRequest) -> Iterator[Host]:
    with host(request.param, supervisor=False, quick=True) as made:
        made.shell(
            f"install -d -o {USER} /var/log/theirs {HOME}/linked {PATH}/config; "
            "ln -s /home/frappe/linked /var/log/linked"
        )
        made.machine.put(MINE, "", owner=USER)
        added = "".join(f"{line};\n" for line in LINES)
        nginx = (THEIRS / "nginx.conf").read_text().replace("listen 80;", f"listen 80;\n{added}", 1)
        if request.param == "supervisor":
            set_up(made, nginx, (THEIRS / "supervisor.conf").read_text() + PROGRAM)
        else:
            test_systemd.set_up(made)
            made.machine.put(CONF, nginx, owner=USER)
            unit, source = f"{test_systemd.PLACE}/{UNIT}", f"{PATH}/config/systemd/{UNIT}"
            made.shell(f"mv {unit} {source}; chown {USER} {source}; ln -s {source} {unit}")
            made.shell("systemctl daemon-reload; nginx -s reload")
        yield made


def of_root(run: Host) -> str:
    """Root's files with their times, and the names of all logs: those grow by themselves.

    A folder that is made for a trial and goes again may have a new time.
    """
    return run.shell(
        "for top in '/etc' '/root -maxdepth 1'; do find $top "
        "\\( -type d -printf '%p %u %m\\n' \\) -o -printf '%p %u %m %s %T@ %l\\n'; done | sort; "
        "find /var/log -printf '%p %u %m\\n' | grep -v /journal/ | sort"
    )


def test_a_setting_with_a_forbidden_place_is_refused_first(run: Host) -> None:
    before = of_root(run)
    for setting, (value, said) in FORBIDDEN.items():
        if setting == "folder":
            run.set(logging={"folder": value, "mode": "files"}, nginx=None)
        else:
            run.set(logging=None, nginx={setting: value})
        ended = run.prodgen("adopt", "--yes", "--leave-out")
        assert ended.code == 1, (setting, ended)
        assert said in " ".join((ended.out + ended.err).split()), (setting, ended)
        assert "prodgen.yaml:1:" in ended.err
    run.set(logging=None, nginx=None)
    assert of_root(run) == before


def test_what_names_a_place_of_the_user_s_is_not_kept(run: Host) -> None:
    before = of_root(run)
    refused = run.prodgen("adopt", "--yes")
    assert refused.code == 1, refused
    assert of_root(run) == before
    said, place = " ".join(refused.err.split()), PLACES["nginx"] / f"{NAME}.conf"
    for line, who in LINES.items():
        assert f"{place}:{line_of(run, CONF, line)}: {who}" in said, (line, said)
    if run.settings["manager"] == "supervisor":
        place, text = PLACES["supervisor"] / f"{NAME}.conf", "stdout_logfile=/var/log/theirs"
        number = line_of(run, PATH / "config/supervisor.conf", text)
        assert f"{place}:{number}: {USER} can change /var/log/theirs" in said, said
    else:
        assert f"{USER} can change /home/{USER}, and systemd does as root what it says" in said
        assert f"install -m 644 {PATH}/config/systemd/{UNIT} {test_systemd.PLACE}/{UNIT}" in said


def test_without_it_nothing_of_root_s_leads_there(run: Host) -> None:
    ended = run.prodgen("adopt", "--yes", "--leave-out")
    assert ended.code == 0, ended
    own = f"{test_systemd.PLACE}/{UNIT}"  # it stays, as was said
    loaded = run.shell(
        "nginx -T 2>/dev/null; cat /etc/supervisor/conf.d/* 2>/dev/null; "
        f"find /etc/systemd/system -name '{NAME}*' -type f -exec cat {{}} +; "
        f"find /etc/nginx /etc/supervisor /etc/systemd -lname '{HOME}/*' -not -path {own}",
        check=False,
    )
    assert "robots-of-mine.txt" in loaded
    for text in ("/var/log/theirs", "/var/log/linked", MINE, f"{HOME}/frappe-bench/config/nginx"):
        assert text not in loaded, text
