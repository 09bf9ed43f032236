"""doctor's lines, read by sudo of Debian 12 or this host's, of Debian 13, and by sudo-rs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from prodgen.deploy.privilege.sudo import (
    Grant,
    install_command,
    lets_run,
    parse_list,
    restart_words,
    sudoers_lines,
)
from prodgen.host.run_as import Identity
from tests.support.rig.sudo_roots import SUDO_RS, run_in, trixie
from tests.support.rig.tools import need

FRAPPE = Identity(1777, 1777, (1777,), "frappe", "/home/frappe")
PROGRAM = "/usr/local/bin/prodgen"
ODD = Path("/home/frappe/a,b:c=d#e/é@%+~'(1)-x")
BENCH = Path("/home/frappe/frappe-bench")
FILE = "/etc/sudoers.d/prodgen_frappe_frappe-bench"
STUB = r"""#!/bin/sh
printf 'RAN %s:%s in %s with %s%s%s' \
    "$(id -u)" "$(id -g)" "$PWD" "$PYTHONPATH" "$LD_PRELOAD" "$PRODGEN_X"
for word; do printf ' [%s]' "$word"; done
"""
SET_UP = f"""\
set -e
groupadd -g 1777 frappe; useradd -u 1777 -g 1777 -m frappe
echo "127.0.0.1 localhost $(cat /proc/sys/kernel/hostname)" >/etc/hosts
rm -rf /opt/prodgen {PROGRAM}; mkdir -p /opt/prodgen/bin
cat >/opt/prodgen/bin/prodgen <<'END'
{STUB}END
chmod 755 /opt/prodgen/bin/prodgen; cp /opt/prodgen/bin/prodgen /home/frappe/prodgen
ln -s /opt/prodgen/bin/prodgen {PROGRAM}
"""
AS_FRAPPE = "setpriv --reuid=frappe --regid=frappe --init-groups -- env -C /home/frappe"
EXACT = shlex.join(restart_words([PROGRAM], BENCH))
ALLOWED = [
    (f"sudo -n {EXACT}", f"[restart] [-C] [{BENCH}]"),
    (f"sudo -n prodgen restart -C {BENCH}", f"[restart] [-C] [{BENCH}]"),
    (f"sudo -n {PROGRAM} restart --migrate -C {BENCH}", f"[restart] [--migrate] [-C] [{BENCH}]"),
    (
        f"env PYTHONPATH=/x LD_PRELOAD= PRODGEN_X=1 PATH=/home/frappe:$PATH sudo -n {EXACT}",
        f"[restart] [-C] [{BENCH}]",
    ),
]
REFUSED = [
    f"sudo -n {EXACT} web",
    f"sudo -n {EXACT} --config /home/frappe/prodgen.yaml",
    f"sudo -n {EXACT} --supervisor-config /home/frappe/supervisord.conf",
    f"sudo -n {EXACT} -C /home/other/bench",
    f"sudo -n {EXACT} ''",
    f"sudo -n {PROGRAM} restart -C /home/other/bench",
    f"sudo -n {PROGRAM} restart -C {BENCH}/../other",
    f"sudo -n {PROGRAM} restart --now -C {BENCH}",
    f"sudo -n {PROGRAM} -C {BENCH} restart",
    f"sudo -n {PROGRAM} apply -C {BENCH}",
    f"sudo -n {PROGRAM} restart",
    f"sudo -n {PROGRAM}",
    f"sudo -n /home/frappe/prodgen restart -C {BENCH}",
    f"sudo -n -u nobody {EXACT}",
    f"sudo -n -g sudo {EXACT}",
    f"sudo -n -D /tmp {EXACT}",
    f"sudo -n -R /home/frappe {EXACT}",
    f"sudo -n PYTHONPATH=/home/frappe {EXACT}",
    f"sudo -n LD_PRELOAD=/home/frappe/x.so {EXACT}",
    f"sudo -n -e {PROGRAM}",
    f"sudoedit -n {PROGRAM}",
    "sudo -n -s id",
    "sudo -n -i id",
    "sudo -n supervisorctl status",
]
GLUED = f'sudo -n {PROGRAM} restart "-C {BENCH}"'
"""sudo compares the arguments joined; prodgen refuses this (tests/cli)."""


@pytest.fixture(params=["this host's sudo", "Debian 13's sudo", "sudo-rs"])
def system(request: pytest.FixtureRequest) -> tuple[Path, str]:
    """A root folder, and the folder of its sudo."""
    need("sudo", "visudo")
    if request.param == "this host's sudo":
        return Path("/"), ""
    if not trixie().is_dir():
        pytest.skip("`make sudo-versions` makes the system with this sudo")
    return trixie(), SUDO_RS if request.param == "sudo-rs" else ""


def answers(
    system: tuple[Path, str],
    ground: Path,
    lines: Sequence[str],
    cases: Sequence[str],
    more: str = "",
) -> list[str]:
    """What each case prints with these lines installed, as root was told to."""
    script = f"{SET_UP}{more}\n{install_command(lines, FILE)}\nset +e\n"
    for case in cases:
        script += f"echo '<<'; {AS_FRAPPE} bash -c {shlex.quote(case)} 2>&1 </dev/null; echo\n"
    root, first = system
    said = run_in(root, script, ground, first=first)
    return [one.strip() for one in said.split("<<\n")[1:]]


def test_one_command_and_nothing_else(system: tuple[Path, str], ground: Path) -> None:
    lines = sudoers_lines(FRAPPE, [PROGRAM], BENCH)
    cases = [*(case for case, _ in ALLOWED), *REFUSED]
    # sudo-rs knows no such default; with sudo it would let the user set any variable.
    more = "" if system[1] else "echo 'Defaults setenv' >/etc/sudoers.d/a"
    found = answers(system, ground, lines, cases, more)
    assert len(found) == len(cases)
    for (case, words), said in zip(ALLOWED, found, strict=False):
        assert said.endswith(f"RAN 0:0 in /home/frappe with  {words}"), (case, said)
    for case, said in zip(REFUSED, found[len(ALLOWED) :], strict=True):
        assert "RAN" not in said, (case, said)
        assert "uid=0" not in said, (case, said)
        assert said, case


def test_arguments_that_are_glued_together_give_no_third_command(
    system: tuple[Path, str], ground: Path
) -> None:
    [said] = answers(system, ground, sudoers_lines(FRAPPE, [PROGRAM], BENCH), [GLUED])
    assert "RAN" not in said or said.endswith(f"[restart] [-C {BENCH}]"), said


def test_odd_names(system: tuple[Path, str], ground: Path) -> None:
    who = FRAPPE._replace(name="ALL")  # written as its uid
    exact = shlex.join(restart_words([PROGRAM], ODD))
    other = shlex.join(restart_words([PROGRAM], Path(str(ODD).replace("(1)", "(2)"))))
    cases = [f"sudo -n {exact}", f"sudo -n {other}", "sudo -n -l"]
    ran, refused, listed = answers(system, ground, sudoers_lines(who, [PROGRAM], ODD), cases)
    assert ran.endswith(f"[restart] [-C] [{ODD}]"), ran
    assert "RAN" not in refused, refused
    grants = list(parse_list(listed))
    assert lets_run(grants, restart_words([PROGRAM], ODD)), listed
    assert not lets_run(grants, restart_words([PROGRAM], BENCH))


def test_a_file_that_is_broken_never_gets_live(system: tuple[Path, str], ground: Path) -> None:
    good = sudoers_lines(FRAPPE, [PROGRAM], BENCH)
    broken = f"({install_command(['frappe ALL=(root'], FILE)}) && echo LIVE"
    case = f"sudo -n {EXACT}"
    more = f"set +e; {broken}; ls /etc/sudoers.d >/home/frappe/there; set -e"
    there, said = answers(system, ground, good, ["cat there", case], more)
    assert "LIVE" not in said
    assert FILE.rpartition("/")[2] not in there.split()
    assert "RAN 0:0" in said


def test_the_list_is_read_as_each_sudo_prints_it(system: tuple[Path, str], ground: Path) -> None:
    lines = [
        *sudoers_lines(FRAPPE, [PROGRAM], BENCH),
        "frappe ALL=(root) NOPASSWD: /usr/bin/supervisorctl restart frappe-bench-web\\:",
    ]
    [listed] = answers(system, ground, lines, ["sudo -n -l"])
    grants = list(parse_list(listed))
    assert grants[-1] == Grant("/usr/bin/supervisorctl restart frappe-bench-web:")
    assert lets_run(grants, restart_words([PROGRAM], BENCH)), listed
    assert lets_run(grants, restart_words([PROGRAM], BENCH, "--migrate"))
