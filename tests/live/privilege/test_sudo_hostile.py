"""`sudo -n prodgen restart` by a hostile user: nothing of that user's runs as root.

In the current folder, the home and the bench are twins of what prodgen loads and starts; each notes
the uid that it runs with.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.stage import BENCH, HOME, USER
from tests.support.live.doctoring import only
from tests.support.live.sudoing import HOOK, PRODGEN, Rights, without_rights
from tests.support.rig.tools import need

NOTES = "/tmp/twins"
TWIN = f"import os\nopen('{NOTES}', 'a').write(f'{{os.geteuid()}} {{__file__}}\\n')\n"
MODULES = ("sitecustomize", "usercustomize", "json", "click/__init__", "prodgen/__init__",
           "supervisor/__init__", "frappe/__init__", "redis/__init__")  # fmt: skip
PROGRAMS = ("systemctl", "supervisorctl", "python3", "python", "nginx", "node", "id", "sudo", "env")
PROGRAM = f'#!/bin/sh\necho "$(/usr/bin/id -u) $0" >>{NOTES}\n'
CONFIG = """\
[supervisorctl]
serverurl = unix:///home/frappe/evil.sock
[ctlplugin:x]
supervisor.ctl_factory = code:interact
"""
EMPTY = HOME / "hostile"
SETTINGS = {
    "PATH": f"{EMPTY}:{HOME}/bin:/usr/bin:/bin",
    "PYTHONPATH": str(EMPTY),
    "PYTHONHOME": str(EMPTY),
    "PYTHONSTARTUP": f"{EMPTY}/sitecustomize.py",
    "PYTHONUSERBASE": str(EMPTY),
    "PYTHONPYCACHEPREFIX": str(EMPTY),
    "PYTHONINSPECT": "1",
    "LD_PRELOAD": f"{EMPTY}/twin.so",
    "LD_LIBRARY_PATH": str(EMPTY),
    "PRODGEN_DEBUG": "1",
    "PRODGEN_SUPERVISOR_CONFIG": f"{EMPTY}/supervisord.conf",
    "SUPERVISOR_SERVER_URL": "unix:///home/frappe/evil.sock",
    "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/home/frappe/evil.sock",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/home/frappe/evil.sock",
    "XDG_CONFIG_HOME": str(EMPTY),
    "XDG_RUNTIME_DIR": str(EMPTY),
    "HOME": str(EMPTY),
    "TMPDIR": str(EMPTY),
    "TERM": "../../home/frappe/hostile/x",
    "NO_COLOR": "1",
    "LC_ALL": "C",
    "LANG": "C",
}
KEPT = "PATH PRODGEN_* SUPERVISOR_* DBUS_* XDG_* TMPDIR NO_COLOR PYTHONUTF8 PYTHONCOERCECLOCALE"
"""What a host may let through sudo that has `env_keep` for it."""
PRELOADED = f"""
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void note(void) {{
    int file = open("{NOTES}", O_WRONLY | O_APPEND);
    if (file >= 0) write(file, geteuid() ? "1 so\\n" : "0 so\\n", 5);
}}
"""


@pytest.fixture(scope="module", params=["supervisor", "systemd"])
def rights(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rights]:
    need("sudo", "visudo")
    with without_rights(request.param) as made:
        [one] = [each for each in made.doctor()["rights"] if each["grade"] == "warning"]
        made.typed(one["fix"])
        set_traps(made, tmp_path_factory.mktemp("so"))
        yield made


def set_traps(rights: Rights, ground: Path) -> None:
    """The twins, in every folder that the user can write and a program might look in."""
    user_site = HOME / ".local/lib/python3.11/site-packages"
    for folder in (EMPTY, HOME, HOME / "bin", BENCH, user_site):
        for module in MODULES:
            rights.machine.put(folder / f"{module}.py", TWIN)
        rights.machine.put(folder / "supervisord.conf", CONFIG)
        for name in PROGRAMS:
            if not rights.machine.real(folder / name).exists():
                rights.machine.put(folder / name, PROGRAM, 0o755)
    if compiler := shutil.which("cc"):
        (ground / "twin.c").write_text(PRELOADED)
        argv = [compiler, "-shared", "-fPIC", "-o", str(ground / "twin.so"), str(ground / "twin.c")]
        subprocess.run(argv, check=True, capture_output=True)
        rights.machine.put(EMPTY / "twin.so", (ground / "twin.so").read_bytes(), 0o755)
    rights.root(
        f"chown -R {USER}: {EMPTY} {HOME}/bin {HOME}/.local; touch {NOTES}; chmod 666 {NOTES}"
    )


def run_by_root(rights: Rights) -> list[str]:
    """The twins that root ran; forgets all."""
    noted = rights.root(f"cat {NOTES}; : >{NOTES}").splitlines()
    return [line for line in noted if line.startswith("0 ")]


def exports(more: str = "") -> str:
    """The hostile environment, for a shell that has programs of its own to call first."""
    own = "".join(f" {key}={value}" for key, value in SETTINGS.items())
    return f"/usr/bin/env{own}{more}"


def test_the_twins_bite(rights: Rights) -> None:
    """A python and a supervisorctl that take the bait do note it, so the other tests can fail."""
    rights.root(f"cd {EMPTY}; PYTHONPATH={EMPTY} /usr/bin/python3 -c ''; {EMPTY}/systemctl")
    assert len(run_by_root(rights)) >= 2


def test_folder_and_environment_have_no_say(rights: Rights) -> None:
    for folder in (EMPTY, HOME, BENCH):
        done = rights.user(f"{exports()} /usr/bin/{HOOK}", home=str(folder))
        assert done.returncode == 0, done
        assert "processes restarted" in done.stdout + done.stderr
        assert not run_by_root(rights)


def test_variables_that_a_host_lets_through_have_none(rights: Rights) -> None:
    """PYTHONUTF8=0 in the C locale has prodgen start itself anew."""
    rights.machine.put("/etc/sudoers.d/keep", f'Defaults env_keep += "{KEPT}"\n', 0o440)
    try:
        more = " PYTHONUTF8=0 PYTHONCOERCECLOCALE=0"
        done = rights.user(f"{exports(more)} /usr/bin/{HOOK}", home=str(EMPTY))
    finally:
        rights.root("rm /etc/sudoers.d/keep")
    assert done.returncode == 0, done
    assert not run_by_root(rights)


@pytest.mark.parametrize(
    "first",
    ["ulimit -f 0", "ulimit -n 8", "ulimit -n 24", "exec <&- >&- 2>&-", "umask 0"],
)
def test_limits_give_a_restart_or_one_clear_message(rights: Rights, first: str) -> None:
    done = rights.user(f"{first}; /usr/bin/{HOOK}", home=str(EMPTY))
    said = done.stdout + done.stderr
    assert done.returncode in (0, 1, 4), done
    assert "Traceback" not in said, done
    assert "internal error" not in said, done
    if done.returncode and "&-" not in first:
        assert said.strip(), done
    made = f"find {BENCH} /var/lib/prodgen /run -xdev -newer {NOTES} -perm -o+w -type f"
    assert not rights.root(made)
    assert not run_by_root(rights)
    again = rights.user(f"/usr/bin/{HOOK}", home=str(EMPTY))
    assert again.returncode == 0, again


def test_doctor_has_no_twin_run_either(rights: Rights) -> None:
    rights.root(f"cd {EMPTY} && {PRODGEN} doctor -C {BENCH}", check=False)
    assert not run_by_root(rights)
    assert only(rights.doctor(), "rights", "good")
