"""What root's apply leaves can be read by those who need it, whatever root's umask is."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest

from tests.support.live.applying import SITE, STATE, Host, host
from tests.support.live.restarting import COMMAND, ENVIRONMENT, Ended, plain_command
from tests.support.live.systemd_bench import NAME, PATH, USER
from tests.support.rig.client import fetch


@pytest.fixture(scope="module")
def run() -> Iterator[Host]:
    """A bench that root, with a umask that lets nobody read, has applied."""
    with host("systemd", supervisor=False) as made:
        ended = prodgen(made, "root", "apply", "--yes", before="umask 077")
        assert ended.code == 0, ended
        yield made


def prodgen(run: Host, user: str, *words: str, before: str = "true") -> Ended:
    variables = [f"{key}={value}" for key, value in ENVIRONMENT.items()]
    program = COMMAND if user == "root" else plain_command()
    command = shlex.join([*program, *words, "-C", str(PATH)])
    argv = ["env", "-i", *variables, "sh", "-c", f"{before} && exec {command}"]
    done = run.machine.run(argv, check=False, user=user, timeout=180)
    return Ended(done.returncode, done.stdout, done.stderr)


def test_the_services_read_their_config(run: Host) -> None:
    answer = fetch(("127.0.0.1", 80), "/api/method/ping", host=SITE, place=run.machine)
    assert answer.status == 200


def test_the_bench_s_user_may_compare(run: Host) -> None:
    same = prodgen(run, USER, "diff", "--detailed-exitcode")
    assert (same.code, same.out) == (0, "no change\n"), same
    path = f"/etc/prodgen/{NAME}/gunicorn.conf.py"
    run.shell(f"sed -i 's/^timeout = .*/timeout = 999/' {path}")
    edited = prodgen(run, USER, "diff")
    assert edited.code == 0, edited
    assert f"{path} was edited" in edited.out + edited.err
    assert "-timeout = 999" in edited.out


def test_what_was_there_before_stays_root_s(run: Host) -> None:
    replaced = run.shell(f"find {STATE} -name replaced -printf '%m %U\\n'").split("\n")
    assert set(replaced) == {"700 0", ""}
