"""The README.md of an archive, followed to the letter on a host that has no prodgen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.live.applying import SITE, host
from tests.support.rig.waiting import wait_for

Figure = Callable[[str], None]
FOLDER = Path("/root/unpacked")
PLAIN = "env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ASK = f"curl -s -H 'Host: {SITE}' localhost/api/method/ping -o /dev/null -w '%{{http_code}}'"


def commands(readme: str) -> list[str]:
    """What the README has one type: its indented lines."""
    return [line.strip() for line in readme.splitlines() if line.startswith("    ")]


@pytest.mark.matrix_cases("supervisor")
@pytest.mark.parametrize("manager", ["supervisor", "systemd"])
def test_it_comes_up_by_the_readme_alone(manager: str, figure: Figure) -> None:
    with host(manager) as run:
        ended = run.prodgen("render", "-o", "/root/bench.tar.gz")
        assert ended.code == 0, ended
        run.shell(f"mkdir {FOLDER} && tar -xzf /root/bench.tar.gz -C {FOLDER}")
        typed = commands(run.shell(f"cat {FOLDER}/README.md"))
        assert typed
        for command in typed:
            run.machine.run(["sh", "-c", f"cd {FOLDER} && {PLAIN} {command}"], timeout=120)
        wait_for(lambda: run.shell(ASK, check=False) == "200", 60, "an answer through nginx")
        wait_for(lambda: run.prodgen("status").code == 0, 60, "every service")
        figure(f"{len(typed)} commands, {len(run.pids())} processes")
