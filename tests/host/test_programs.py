"""Programs that prodgen starts: where, as whom, with what environment, and for how long."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from prodgen.host import programs
from prodgen.host.programs import MOST_OUTPUT, environment, run
from prodgen.host.run_as import Identity, acting_as
from prodgen.host.system_path import SYSTEM_PATH, find_program
from tests.support.accounts import ALICE, PRIVATE, STAFF, needs_root
from tests.support.rig.waiting import wait_for

pytestmark = pytest.mark.process

WHO = Identity(ALICE, PRIVATE, (PRIVATE, STAFF), "alice", "/home/alice")
HOSTILE = {
    "PATH": "/tmp/evil",
    "PYTHONPATH": "/tmp/evil",
    "PYTHONSTARTUP": "/tmp/evil.py",
    "LD_PRELOAD": "/tmp/evil.so",
    "LD_LIBRARY_PATH": "/tmp/evil",
    "BASH_ENV": "/tmp/evil",
    "OPENSSL_CONF": "/tmp/evil",
    "SYSTEMD_PAGER": "/tmp/evil",
    "HOME": "/home/evil",
    "LOGNAME": "evil",
    "USER": "evil",
    "XDG_RUNTIME_DIR": "/tmp/evil",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/tmp/evil",
}


def shell(script: str, *, timeout: float = 20, who: Identity | None = None) -> programs.Done:
    return run(["sh", "-c", script], timeout=timeout, who=who)


def test_what_a_program_prints_and_how_it_ends() -> None:
    done = shell("echo out; echo err >&2; exit 3")
    assert (done.code, done.out, done.err, done.reason) == (3, "out\n", "err\n", "err")
    assert shell("exit 3").reason == "sh ended with 3"
    assert shell("kill -9 $$").code == -signal.SIGKILL
    assert shell("printf 'a\\377b'").out == "a\N{REPLACEMENT CHARACTER}b"


def test_a_program_starts_in_the_root_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shell("pwd").out == "/\n"
    assert run(["pwd"], folder=tmp_path).out == f"{tmp_path}\n"


@needs_root
def test_nothing_of_the_environment_reaches_a_program_of_roots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    assert run(["env"]).out.split() == [
        f"PATH={SYSTEM_PATH}",
        "LANG=C.UTF-8",
        "HOME=/root",
        "LOGNAME=root",
        "USER=root",
    ]
    assert run(["env"], who=WHO).out.split()[2:] == [
        "HOME=/home/alice",
        "LOGNAME=alice",
        "USER=alice",
    ]
    given = run(["env"], variables={"FRAPPE_BENCH": "x"}).out.split()
    assert "FRAPPE_BENCH=x" in given


def test_a_user_passes_on_what_its_own_systemd_is_found_by(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "geteuid", lambda: ALICE)
    passed = {name: HOSTILE[name] for name in programs.PASSED_ON}
    assert environment() == {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", **passed}


def test_programs_are_the_systems_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = tmp_path / "id"
    twin.write_text("#!/bin/sh\necho evil\n")
    twin.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert run(["id", "-u"]).out == f"{os.geteuid()}\n"
    assert find_program("id") in {f"{folder}/id" for folder in SYSTEM_PATH.split(":")}
    absent = run(["no-such-program"])
    assert (absent.code, absent.err) == (127, "no-such-program: it is not installed")


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run([str(tmp_path / "file")])
    assert (done.code, "ermission denied" in done.err) == (127, True)
    assert run([f"{tmp_path}/absent"]).code == 127
    assert run(["echo", "a\0b"]).code == 127
    assert run(["true"], folder=tmp_path / "absent").code == 127


def test_a_program_has_a_session_of_its_own_and_no_terminal() -> None:
    """Else it could type into the terminal of whoever runs prodgen."""
    said = shell("ps -o sid=,pid=,tty= -p $$; cat; (exec </dev/tty) || echo none").out.split()
    assert said[0] == said[1] != str(os.getsid(0))
    assert said[2:] == ["?", "none"]


def test_a_program_reads_nothing_of_ours() -> None:
    """`sudo prodgen apply <answers` must not feed a program of the bench's."""
    kept, (reading, writing) = os.dup(0), os.pipe()
    try:
        os.dup2(reading, 0)
        assert run(["readlink", "/proc/self/fd/0"]).out == "/dev/null\n"
    finally:
        os.dup2(kept, 0)
        for descriptor in (kept, reading, writing):
            os.close(descriptor)


def test_a_program_inherits_no_open_file(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        held = run(["ls", "/proc/self/fd"]).out.split()
        assert str(secret.fileno()) not in held
        assert held[:3] == ["0", "1", "2"]


@needs_root
def test_a_program_of_a_users_has_the_users_rights() -> None:
    done = shell("id -u; id -g; id -G", who=WHO)
    uid, gid, groups = done.out.splitlines()
    assert (uid, gid, set(groups.split())) == (str(ALICE), str(PRIVATE), {str(PRIVATE), str(STAFF)})


@needs_root
def test_no_program_is_started_with_lent_rights() -> None:
    """It would have root's real uid, and so could take root's rights back."""
    with acting_as(WHO), pytest.raises(RuntimeError, match="id would be started with root's real"):
        run(["id"])


def took(script: str, timeout: float = 20) -> tuple[programs.Done, float]:
    begun = time.monotonic()
    return shell(script, timeout=timeout), time.monotonic() - begun


def test_a_program_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    done, seconds = took(f"sleep 60 & echo $! >{tmp_path}/pid; wait", 0.5)
    assert (done.code, done.out, done.reason) == (124, "", "sh took longer than 0.5 s")
    assert seconds < 5
    pid = int((tmp_path / "pid").read_text())
    wait_for(lambda: not alive(pid), 10, "the end of the child")


def test_a_program_that_closes_its_streams_and_stays_is_killed_too() -> None:
    done, seconds = took("exec >&- 2>&-; sleep 60", 0.5)
    assert (done.code, seconds < 5) == (124, True)


def test_a_program_that_prints_without_end_is_killed() -> None:
    for script in ("yes", "yes >&2"):
        done, seconds = took(script, 30)
        assert (done.code, done.reason) == (124, "sh printed more than 16 MB")
        assert seconds < 20
    almost = run(["head", "-c", str(MOST_OUTPUT), "/dev/zero"], timeout=30)
    assert (almost.code, len(almost.out)) == (0, MOST_OUTPUT)


def test_both_streams_are_read_at_once() -> None:
    """A full pipe of the one would block a program that writes to the other."""
    done = shell("head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero")
    assert (done.code, len(done.out), len(done.err)) == (0, 300000, 300000)


def test_a_program_left_behind_is_not_waited_for(tmp_path: Path) -> None:
    done, seconds = took(f"sleep 60 & echo $! >{tmp_path}/pid; echo done")
    assert (done.code, done.out) == (0, "done\n")
    assert seconds < 5
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_one_left_behind_that_prints_is_not_waited_for_either(tmp_path: Path) -> None:
    script = "(while :; do echo noise; sleep 0.1; done) & echo $! >{}/pid; echo done"
    done, seconds = took(script.format(tmp_path), 10)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert (done.code, done.out.splitlines()[0]) == (0, "done")
    assert seconds < 5


def alive(pid: int) -> bool:
    """Whether it runs; one that nobody has waited for yet does not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


@needs_root
def test_a_program_does_not_start_in_a_folder_that_its_user_cannot_reach(ground: Path) -> None:
    """A link of the user's, to a folder for everyone below one for root alone."""
    (ground / "root/inner").mkdir(parents=True)
    (ground / "root").chmod(0o700)
    (ground / "root/inner/key").write_text("t0psecret")
    (ground / "link").symlink_to(ground / "root/inner")
    done = run(["cat", "key"], who=WHO, folder=ground / "link")
    assert (done.code, done.out) == (127, ""), done
    assert run(["pwd"], who=WHO, folder=ground).out == f"{ground}\n"
