"""A host on which the bench's user attacks prodgen: sudo lets it run prodgen's restart, no more.

In `VAULT`, which only root may enter, lie files that are everyone's to read by their modes. The
attacks are the scripts in `attacks/`. `root-does` stands for root at its work: it runs prodgen in a
folder of the vault, in a terminal if asked, and shows nobody but root what prodgen said.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.live.applying import Host, host
from tests.support.live.restarting import ENVIRONMENT
from tests.support.live.systemd_bench import HOME, NAME, PATH, USER
from tests.support.plans import ROOT
from tests.support.rig.process import PLAIN_ENVIRONMENT

ATTACKS = ROOT / "tests/live/privilege/attacks"
WORD = "t0psecret"
VAULT = "/srv/vault"
LOOT = f"{HOME}/loot"
RUNS = "/srv/runs"
"""What prodgen said and how it ended, for root alone."""
SINCE = "/srv/since"
"""As old as the attack."""
PRODGEN = "/usr/local/bin/prodgen"
LAUNCH = f'import sys; sys.path.insert(0, "{ROOT}"); from {{module}} import main; sys.exit(main())'
WRAPPER = """\
#!/bin/sh
{python} -I -B -c '{launch}' "$@"
code=$?
echo "$code $*" >>{runs}/codes
exit $code
"""
ROOT_DOES = f"""\
#!/bin/sh
cd {VAULT}/open
exec </dev/null >>{RUNS}/said 2>&1
case $1 in
link) exec ln "$2" "$3" ;;
terminal) # root's login: after prodgen its shell runs what was typed
    shift
    login='for n in $(seq 20); do read -rt 0.2 line && bash -c "$line"; done'
    SHELL=/bin/bash exec script -qec "tty; {PRODGEN} $*; $login" /dev/null ;;
python) shift; exec unshare --pid --fork --mount-proc {sys.executable} -B "$@" ;;
esac
exec {PRODGEN} "$@"
"""
SUDOERS = f"""\
{USER} ALL=(root) NOPASSWD: {PRODGEN} restart -C {PATH}
{USER} ALL=(root) NOPASSWD: {PRODGEN} restart --migrate -C {PATH}
{USER} ALL=(root) NOPASSWD: /usr/local/sbin/root-does
"""
UNCHANGED = "/etc /root/.profile /srv/vault /usr/local/bin /usr/local/sbin /var/spool/cron"
OURS = r"frappe-bench|prodgen|/etc/supervisor/conf.d$|multi-user.target.wants$|/etc/systemd/system$"


class Attacked(NamedTuple):
    """What came of an attack."""

    ran_as: str
    """Who ran its payload, as `id -u` has it; the last line that the script printed."""
    said: str
    seconds: float


@contextmanager
def battlefield(manager: str) -> Iterator[Host]:
    """The host, with the bench up and installed."""
    with host(manager, quick=manager == "supervisor") as made:
        made.shell(f"cp -a {PATH}/sites/one.test {PATH}/sites/two.test")
        made.shell("rm -f /usr/local/bin/prodgen")
        module = "tests.support.live.settling" if made.quick else "prodgen.cli.main"
        launch = LAUNCH.format(module=module)
        wrapper = WRAPPER.format(python=sys.executable, launch=launch, runs=RUNS)
        made.machine.put(PRODGEN, wrapper, 0o755)
        made.machine.put("/usr/local/sbin/root-does", ROOT_DOES, 0o755)
        made.machine.put("/etc/sudoers.d/attack", SUDOERS, 0o440)
        made.shell(
            f"mkdir -m 700 {VAULT} {RUNS}; mkdir {VAULT}/open {VAULT}/logs; "
            f"echo 'web: sleep {WORD}' >{VAULT}/open/key; "
            f'echo \'{{"db_name": "{WORD}"}}\' >{VAULT}/open/site_config.json; '
            f"cp {VAULT}/open/key {VAULT}/open/prodgen.yaml; echo '{{}}' >{VAULT}/open/plain.json; "
            f"echo {WORD} >{VAULT}/secret; chmod 600 {VAULT}/secret; "
            "sysctl -q fs.protected_symlinks=1"
        )
        _start_victim(made, manager)
        made.apply()
        made.shell(f"chown -R {USER}: {PATH}; rm -rf /root/kept; cp -a {PATH} /root/kept")
        yield made


def _start_victim(made: Host, manager: str) -> None:
    """Another user's bench, with a web process by the names that prodgen gives."""
    made.machine.add_user("victim", 1002, "/home/victim")
    if manager == "systemd":
        unit = "[Service]\nUser=victim\nExecStart=/bin/sleep 100000\n"
        made.machine.put("/etc/systemd/system/victim-bench-frappe-web@.service", unit)
        made.shell(
            "systemctl daemon-reload; "
            "systemctl start victim-bench-frappe-web@1 victim-bench-frappe-web@2"
        )
        return
    program = "[fcgi-program:victim-bench-web]\nsocket=tcp://127.0.0.1:8999\n"
    program += "command=/bin/sleep 100000\nuser=victim\nnumprocs=2\n"
    program += "process_name=victim-bench-frappe-web-%(process_num)d\n"
    made.machine.put("/etc/supervisor/conf.d/victim.conf", program)
    made.shell("supervisorctl -c /etc/supervisor/supervisord.conf update")


def restore(run: Host) -> None:
    """The bench as it was, for the next attack; its folders stay, since Redis saves into one.

    Those that an attack has made go: an exchange may have left a folder under the name of a link.
    """
    start = {
        "supervisor": "supervisorctl -c /etc/supervisor/supervisord.conf start all",
        "systemd": f"systemctl reset-failed '{NAME}*'; systemctl start {NAME}.target "
        f"{NAME}-workers.target {NAME}-web.target",
    }
    run.shell(
        f"pkill -KILL -U {USER} -f attack || true; rm -rf {LOOT} {HOME}/attack* /tmp/attack*; "
        f"rm -f {RUNS}/codes {RUNS}/said; : >{RUNS}/codes; : >{RUNS}/said; touch {SINCE}; "
        f"mkdir -m 1777 /tmp/attack; find {PATH} -mindepth 1 -not -type d -delete; "
        f"for one in $(ls -A {PATH}); do [ -e /root/kept/$one ] || rm -rf {PATH}/$one; done; "
        f"cp -a /root/kept/. {PATH}; {start[run.settings['manager']]} >/dev/null || true"
    )


def roots_files(run: Host) -> str:
    """Owner, mode and content of what is root's and not prodgen's."""
    return run.shell(
        f"find {UNCHANGED} -xdev \\( -type f -o -type l \\) -printf '%p %u %m %l\\n' 2>/dev/null "
        f"| grep -Ev '{OURS}' | sort; find {UNCHANGED} -xdev -type f 2>/dev/null "
        f"| grep -Ev '{OURS}' | sort | xargs -d '\\n' sha256sum",
        check=False,
    )


def attack(run: Host, script: Path, timeout: float) -> Attacked:
    """Runs a script as the bench's user."""
    interpreter = ["/usr/bin/python3", "-I"] if script.suffix == ".py" else ["/bin/bash"]
    variables = {**PLAIN_ENVIRONMENT, "HOME": str(HOME), "CHECKOUT": str(ROOT), "USER": USER}
    pairs = [f"{key}={value}" for key, value in variables.items()]
    argv = run.machine.argv(["env", "-i", "-C", str(HOME), *pairs, *interpreter, str(script)], USER)
    began = time.monotonic()
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False
    )
    said = (done.stdout + done.stderr).decode("utf-8", "backslashreplace")
    lines = done.stdout.decode("utf-8", "backslashreplace").splitlines()
    return Attacked(lines[-1] if lines else "", said, time.monotonic() - began)


def runs_of(run: Host) -> tuple[list[str], str]:
    """The exit code and the words of each prodgen, and what root's own said."""
    return run.shell(f"cat {RUNS}/codes").splitlines(), run.shell(f"cat {RUNS}/said")


def told(run: Host) -> str:
    """Files in which the bench's user can read the word."""
    found = f"find / /home /tmp /run /var -xdev -type f -size -2000k -readable -newer {SINCE}"
    return run.shell(
        f"runuser -u {USER} -- sh -c {shlex.quote(found)} 2>/dev/null | grep -v ^/work "
        f"| xargs -r -d '\\n' grep -l {WORD} 2>/dev/null",
        check=False,
    )


__all__ = ["ATTACKS", "ENVIRONMENT", "WORD", "attack", "battlefield", "restore", "roots_files"]
