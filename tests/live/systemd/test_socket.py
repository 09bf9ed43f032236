"""The web tier on a unix socket that systemd holds, behind nginx."""

from __future__ import annotations

from tests.live.systemd.test_web import answer_more, clients, is_closed
from tests.support.live.systemd_bench import TARGET, Figure, booted
from tests.support.rig.waiting import wait_for

PATH = "/run/frappe-bench/web.sock"
SETTINGS = f"web: {{bind: 'unix:{PATH}', socket_group: www-data}}\n"


def test_no_request_fails_and_a_stop_takes_the_socket_away(figure: Figure) -> None:
    with booted(nginx=True, settings=SETTINGS, config={"gunicorn_workers": 4}) as run:
        said = run.machine.run(["stat", "-c", "%U %G %a", PATH]).stdout
        assert said == "frappe www-data 660\n"
        with clients(run) as load:
            for version in ("2", "3"):
                run.bench.set_version(version)
                run.roll()
                answer_more(load, 1000)
        figure(f"2 rolling restarts, {load.result}")
        assert load.result.failed == 0
        assert "3" in load.result.versions
        other = ["python3", "-c", f"import socket; socket.socket(socket.AF_UNIX).connect('{PATH}')"]
        refused = run.machine.run(other, check=False, user="nobody")
        assert "PermissionError" in refused.stderr
        run.systemctl("stop", TARGET)
        wait_for(lambda: is_closed(run), 20, "the socket to close")
        assert run.machine.run(["test", "-e", PATH], check=False).returncode == 1
        run.start()
        assert run.ask(port=80).status == 200
