"""Paths in prodgen.yaml that root's programs would open: rows 6 and 7 of the attack, as typed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.live.applying import Host, host
from tests.support.live.systemd_bench import HOME, USER

FOLDERS = {
    "/var/log/../../etc/logrotate.d": "PG404",
    "/var/log/nginx": "/var/log/nginx is another program's",
    "/var/log/theirs": f"{USER} can change /var/log/theirs",
    "/var/log/linked": "/var/log/linked is a symbolic link",
}
ACCESS_LOGS = ("/root/.profile", "/etc/cron.d/x", f"{HOME}/x.log", "/var/log/auth.log")


@pytest.fixture(scope="module", params=["supervisor", "systemd"])
def run(request: pytest.FixtureRequest) -> Iterator[Host]:
    with host(request.param, quick=True) as made:
        made.shell(
            f"install -d -o {USER} /var/log/theirs; ln -s /etc/cron.d /var/log/linked; "
            "touch /var/log/nginx/access.log"
        )
        yield made


def files_of_root(run: Host) -> str:
    return run.shell("find /etc /root /var/log -type f -printf '%p %u %m %s %T@\\n' | sort")


def test_log_folders(run: Host) -> None:
    before = files_of_root(run)
    for folder, said in FOLDERS.items():
        run.set(logging={"folder": folder, "mode": "files"}, nginx=None)
        ended = run.prodgen("apply", "--yes")
        assert ended.code == 1, (folder, ended)
        assert said in " ".join((ended.out + ended.err).split()), (folder, ended)
        assert "prodgen.yaml:1:" in ended.out + ended.err
    assert files_of_root(run) == before


def test_access_logs(run: Host) -> None:
    before = files_of_root(run)
    for path in ACCESS_LOGS:
        run.set(logging=None, nginx={"access_log": path})
        ended = run.prodgen("apply", "--yes")
        assert ended.code == 1, (path, ended)
        text = " ".join((ended.out + ended.err).split())
        assert f"nginx would write {path} as root" in text, ended
        assert "prodgen.yaml:1:" in text
    assert files_of_root(run) == before


def test_a_queue_that_climbs_out(run: Host) -> None:
    """common_site_config.json, which the web worker may write too."""
    before = files_of_root(run)
    run.set(logging={"mode": "files"}, nginx=None)
    queue = "../../../etc/logrotate.d/x"
    run.configure(workers={queue: {"timeout": 300}})
    ended = run.prodgen("apply", "--yes")
    run.configure(workers={})
    assert ended.code == 1
    assert "PG619" in ended.err
    assert files_of_root(run) == before


def test_the_way_out_works(run: Host) -> None:
    run.set(
        logging={"folder": "/var/log/frappe-bench-logs", "mode": "files"},
        nginx={"access_log": "/var/log/nginx/frappe-bench.log"},
    )
    run.apply()
    run.set(workers={"stop_cap": 30})
    run.apply()  # over its own logs
    assert run.shell("stat -c %U:%a /var/log/frappe-bench-logs").strip() == "root:755"
