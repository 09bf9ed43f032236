"""doctor's lines for sudo, with real sudo: the way to them, and that bench restarts all along."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.docs.stage import BENCH, USER
from tests.support.live.doctoring import only
from tests.support.live.sudoing import (
    FORMER,
    HOOK,
    LINES,
    PRODGEN,
    RESTART,
    Rights,
    add_bench,
    without_rights,
)
from tests.support.rig.tools import need

Figure = Callable[[str], None]
UPDATE = ("update", "--patch", "--no-backup", "--restart-supervisor")
CLIENT = "/usr/bin/supervisorctl"
OWN_PATH = "/usr/local/lib/prodgen/bin/prodgen"


@pytest.fixture(scope="module")
def rights() -> Iterator[Rights]:
    need("sudo", "visudo", "supervisorctl", "git")
    with without_rights() as made:
        add_bench(made)
        yield made


def steps_of(fix: str) -> list[str]:
    """The commands one after the other; those that install a file are one."""
    found: list[str] = []
    for one in fix.split(" && "):
        if one.startswith(("visudo -cf ", "mv -f ")):
            found[-1] += f" && {one}"
        else:
            found.append(one)
    return found


def test_a_new_host(rights: Rights) -> None:
    rights.forget()
    assert rights.bench("restart").returncode != 0
    one = only(rights.doctor(), "rights", "warning")
    assert only(rights.doctor(USER), "rights", "warning") == one
    install, hook = steps_of(one["fix"])
    rights.typed(install)
    assert rights.root(f"stat -c '%a %U' {LINES}") == "440 root\n"
    assert rights.root("ls /etc/sudoers.d").split() == ["README", LINES.rpartition("/")[2]]
    rights.root("visudo -c")
    assert only(rights.doctor(), "rights", "good")["text"].endswith("with sudo")
    assert only(rights.doctor(), "rights", "warning")["fix"] == hook
    rights.typed(hook)
    assert rights.hook() == HOOK
    assert [one["grade"] for one in rights.doctor()["rights"]] == ["good"]
    assert [one["grade"] for one in rights.doctor(USER)["rights"]] == ["good"]
    done = rights.restarts_all("restart")
    assert f"$ {HOOK}" in done.stdout
    assert "supervisorctl restart" not in done.stdout


def old_lines(program: str) -> str:
    """What doctor once had written into sudo's files."""
    commands = [
        f"{program} restart -C {BENCH}",
        f"{program} restart --migrate -C {BENCH}",
        f"{CLIENT} status",
        f"{CLIENT} restart frappe-bench-web\\:",
        f"{CLIENT} restart frappe-bench-workers\\:",
    ]
    return "".join(f"{USER} ALL=(root) NOPASSWD: {one}\n" for one in commands)


@pytest.mark.parametrize(
    ("program", "order", "commands"),
    [
        (PRODGEN, [PRODGEN, "printf", "rm"], [("restart",), UPDATE]),
        # It gives another path than the hook's, which must not come first then.
        (OWN_PATH, ["printf", PRODGEN, "rm"], [("restart",)]),
    ],
)
def test_an_old_host(
    rights: Rights,
    program: str,
    order: list[str],
    commands: list[tuple[str, ...]],
    figure: Figure,
) -> None:
    rights.forget()
    rights.machine.put(FORMER, old_lines(program), 0o440)
    one = only(rights.doctor(), "rights", "bad")
    assert f"`{CLIENT} status`" in one["text"]
    assert "as root" in only(rights.doctor(USER), "rights", "bad")["fix"]
    assert becomes_root(rights)
    steps = steps_of(one["fix"])
    assert [step.split()[0] for step in steps] == order
    for step in ["true", *steps]:
        rights.typed(step)
        for words in commands:
            done = rights.restarts_all(*words)
            assert (f"$ {HOOK}" in done.stdout) == bool(rights.hook())
    assert rights.hook() == HOOK
    assert not becomes_root(rights)
    assert [one["grade"] for one in rights.doctor()["rights"]] == ["good"]
    names = " and ".join(f"`bench {words[0]}`" for words in commands)
    figure(f"{names} passed after each of {len(steps)} steps")


PLUGIN = """\
[supervisorctl]
serverurl=unix:///run/supervisor.sock
[ctlplugin:x]
supervisor.ctl_factory = code:interact
"""


def becomes_root(rights: Rights) -> bool:
    """Whether a supervisord.conf in the current folder has sudo's supervisorctl run anything."""
    rights.user("rm -rf ~/empty; mkdir ~/empty")
    rights.machine.put("/home/frappe/empty/supervisord.conf", PLUGIN)
    code = """'import os; os.system("id -u >/tmp/gained")'"""
    rights.user(f"echo {code} | sudo -n {CLIENT} status", home="/home/frappe/empty")
    return rights.root("cat /tmp/gained; rm -f /tmp/gained", check=False) == "0\n"


def test_lines_that_somebody_put_elsewhere_are_found(rights: Rights) -> None:
    rights.forget()
    more = f"{USER} ALL=(root) NOPASSWD: /bin/true, {CLIENT} restart all\n"
    rights.machine.put("/etc/sudoers.d/own", more, 0o440)
    one = only(rights.doctor(), "rights", "bad")
    assert f"`{CLIENT} restart all`" in one["text"]
    assert steps_of(one["fix"])[-1].startswith("visudo -f the file that `grep -rl supervisorctl")
    assert (
        rights.root("grep -rl supervisorctl /etc/sudoers /etc/sudoers.d") == "/etc/sudoers.d/own\n"
    )


def test_a_user_of_the_socket_calls_prodgen_without_sudo_until_that_is_closed(
    rights: Rights,
) -> None:
    rights.forget()
    rights.root("chgrp frappe /run/supervisor.sock && chmod 0770 /run/supervisor.sock")
    rights.restarts_all("restart")
    rights.root(f"{PRODGEN} apply --yes -C {BENCH}")
    assert rights.hook() == " ".join(RESTART)
    done = rights.restarts_all("restart")
    assert f"$ {' '.join(RESTART)}" in done.stdout
    one = only(rights.doctor(), "socket", "warning")
    assert "may stop and start every program" in one["text"]
    *steps, close = steps_of(one["fix"])
    for step in (*steps, close.partition(";")[0]):
        rights.typed(step)
        rights.restarts_all("restart")
    assert rights.hook() == HOOK
    assert only(rights.doctor(), "socket", "good")


def test_no_hook_that_cannot_work(rights: Rights) -> None:
    rights.forget()
    rights.root(f"printf 'version: 1\\nsupervisor: {{groups: pool}}\\n' >{BENCH}/prodgen.yaml")
    try:
        done = rights.machine.run([PRODGEN, "apply", "--yes", "-C", BENCH], timeout=180)
        assert "`bench restart` fails" in re.sub(r"\s+", " ", done.stderr)
        assert rights.hook() == ""
        for step in steps_of(only(rights.doctor(), "rights", "warning")["fix"]):
            rights.typed(step)
        assert f"$ {HOOK}" in rights.restarts_all("restart").stdout
    finally:
        rights.root(f"rm {BENCH}/prodgen.yaml")
        rights.root(f"{PRODGEN} apply --yes -C {BENCH}")


def test_a_password_is_no_right_for_the_hook(rights: Rights) -> None:
    rights.forget()
    rights.machine.put("/etc/sudoers.d/own", f"{USER} ALL=(ALL:ALL) ALL\n", 0o440)
    rights.root(f"{PRODGEN} apply --yes -C {BENCH}")
    assert rights.hook() == ""
    rights.machine.put("/etc/sudoers.d/own", f"{USER} ALL=(ALL:ALL) NOPASSWD: ALL\n", 0o440)
    rights.root(f"{PRODGEN} apply --yes -C {BENCH}")
    assert rights.hook() == HOOK


def test_others_programs_and_odd_paths_get_no_lines(rights: Rights) -> None:
    rights.forget()
    rights.root("chgrp 1001 /usr/local/lib/prodgen && chmod g+w /usr/local/lib/prodgen")
    try:
        one = only(rights.doctor(), "rights", "warning")
    finally:
        rights.root("chgrp root /usr/local/lib/prodgen && chmod g-w /usr/local/lib/prodgen")
    assert "sudo must not run this prodgen: the group frappe" in one["text"]
    assert "sudo" not in one["fix"]
