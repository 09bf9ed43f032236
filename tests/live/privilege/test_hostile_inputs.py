"""Every command, run by root on a bench whose user is hostile, in that bench's own folder.

He plants links to files of root's, names of other users, programs and modules under the names of
those that prodgen starts and imports, and pipes. Nothing of root's comes to light, nothing of his
is run by anybody but himself, and nothing hangs.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from prodgen.cli.command_list import COMMANDS
from tests.support.live.applying import Host, host
from tests.support.live.systemd_bench import HOME, PATH, USER
from tests.support.plans import ROOT

OTHER = "boss"
"""An account of the group sudo."""
WORD = "t0psecret"
SECRET = "/srv/foreign/secret"
"""A file that only root may read."""
RAN = "/srv/ran"
"""Where each hostile program writes the uid that ran it, and its name."""
WALK: dict[str, list[list[str]]] = {
    "": [[]],
    "render": [
        ["-t", "supervisor"],
        ["-t", "systemd"],
        ["-o", "/root/made"],
        ["-o", "made"],
    ],
    "diff": [[], ["made"], ["-o", "review.json"]],
    "apply": [["-n"], ["--yes"], ["made", "--yes"], ["--rollback", "-n"]],
    "adopt": [["-n"], ["--yes"]],
    "plan": [[]],
    "validate": [[]],
    "restart": [[], ["--migrate"], ["--now"]],
    "status": [[]],
    "logs": [[]],
    "doctor": [[]],
    "explain": [["PG610"], ["frappe-web.workers"]],
    "schema": [["plan"]],
    "targets": [[]],
    "templates": [["list"], ["copy", "own"], ["diff", "own"]],
    "verify": [["made"]],
    "completion": [["bash"]],
    "init": [[], ["--overwrite"]],  # the last: it writes a plain prodgen.yaml
}
"""The arguments that each command is walked with; `made` and `own` are folders in the bench."""
PROGRAMS = """
nginx systemctl systemd-analyze supervisord supervisorctl python python3 unshare sh openssl node
nodejs journalctl test sudo sudo-rs visudo visudo-rs getsebool redis-server cat true mount bench
"""
MODULES = """
supervisor sitecustomize usercustomize redis frappe prodgen click jinja2 yaml jsonschema json socket
encodings
"""
PLACES = [
    ("prodgen.yaml",),
    ("Procfile",),
    ("sites/common_site_config.json", "made", "own/nginx/nginx.conf"),
    (
        "config/redis_queue.conf",
        "sites/one.test/site_config.json",
        "sites/apps.json",
        "apps/frappe/frappe/__init__.py",
        "logs/web.log",
        ".env",
        "made/manifest.json",
        "review.json",
    ),
]
"""What he replaces, together."""
ALONE = ("", "schema", "targets", "templates", "verify", "completion")
"""Commands without a bench."""
LOOKING = ("plan", "validate", "diff", "render", "explain", "status", "logs", "doctor")


@pytest.fixture(
    scope="module", params=["supervisor", pytest.param("systemd", marks=pytest.mark.matrix)]
)
def made(request: pytest.FixtureRequest) -> Iterator[Host]:
    by_supervisor = request.param == "supervisor"
    with host(request.param, supervisor=by_supervisor, quick=by_supervisor) as machine:
        machine.machine.add_user(OTHER, 1002, f"/home/{OTHER}")
        machine.shell(f"usermod -aG sudo {OTHER}; mkdir -m 700 /srv/foreign")
        machine.machine.put(SECRET, f'{WORD}: "\n{WORD}\n', 0o600)
        machine.apply()
        yield machine


@pytest.fixture
def run(made: Host) -> Iterator[Host]:
    made.shell(f"rm -rf /root/kept; cp -a {PATH} /root/kept; : >{RAN}; chmod 666 {RAN}")
    yield made
    made.shell(f"rm -rf /root/made; find {PATH} -mindepth 1 -delete; cp -a /root/kept/. {PATH}")


def test_the_walk_goes_to_every_command() -> None:
    assert set(WALK) == {*COMMANDS, ""}


def walk(run: Host, *, changes: bool = True, way: str = "") -> dict[str, str]:
    """What each command says, run by root in the bench's folder; none is ended by a signal.

    Without `changes`, what would change the running bench is left out. `way` is a path to the
    bench for the commands that take one.
    """
    asked = [
        [*([name] if name else []), *words, *(["-C", way] if way and name not in ALONE else [])]
        for name, lines in WALK.items()
        for words in lines
        if changes or (name != "restart" and "--yes" not in words)
    ]
    path = f"{HOME}/.local/bin:{PATH}/env/bin:{PATH}:/usr/sbin:/usr/bin:/sbin:/bin"
    python = [sys.executable, "-c", _LAUNCH, str(PATH)]
    argv = run.machine.argv(
        ["env", "-i", "-C", str(ROOT), f"PATH={path}", f"HOME={HOME}", "LANG=C.UTF-8", *python]
    )
    done = subprocess.run(
        argv, input=json.dumps(asked), capture_output=True, text=True, timeout=540, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    said = {
        shlex.join(words): f"exit {row[0]}\n{row[1]}"
        for words, row in zip(asked, rows, strict=True)
    }
    for command, text in said.items():
        assert text.startswith(("exit 0", "exit 1\n", "exit 4\n", "exit 2")), (command, text)
        if command != "logs":  # which shows those of the services
            assert "Traceback" not in text, (command, text)
    return said


_LAUNCH = f"""
import os, sys
sys.path[0] = {str(ROOT)!r}
from tests.support.live import walking
os.chdir(sys.argv[1])
walking.main()
"""


def nothing_came_to_light(run: Host, said: dict[str, str]) -> None:
    """No word of root's file on the screen, nor in any file that others may read."""
    for command, text in said.items():
        assert WORD not in text, (command, text)
    places = f"/etc /var/log /var/lib/prodgen /root/made {PATH} {HOME} /tmp"
    told = f"find {places} -type f -perm /044 -exec grep -l {WORD} {{}} + 2>/dev/null"
    assert run.shell(told, check=False) == ""


def who_ran(run: Host) -> set[str]:
    """The uids that ran anything hostile."""
    return {line.split()[0] for line in run.shell(f"cat {RAN}").splitlines()}


@pytest.mark.parametrize("names", PLACES)
def test_links_to_a_file_of_roots(run: Host, names: tuple[str, ...]) -> None:
    before = run.shell(f"sha256sum {SECRET}; stat -c '%U %a' {SECRET}")
    for name in names:
        run.shell(f"cd {PATH}; rm -rf {name}; mkdir -p $(dirname {name}); ln -s {SECRET} {name}")
    run.shell(f"chown -hR {USER}: {PATH}")
    nothing_came_to_light(run, walk(run, changes="config/redis_queue.conf" not in names))
    assert run.shell(f"sha256sum {SECRET}; stat -c '%U %a' {SECRET}") == before


def hostile(run: Host, path: str) -> None:
    """A program that notes who runs it; it may be run by the bench's user only."""
    text = f'#!/bin/sh\n/usr/bin/echo "$(/usr/bin/id -u) {path}" >>{RAN}\nexit 0\n'
    run.shell(f"rm -rf {path}")  # it may be a link to a program of the system's
    run.machine.put(path, text, 0o755)


@pytest.mark.parametrize("by", ["prodgen.yaml", "common_site_config.json"])
def test_another_user_s_name(run: Host, by: str) -> None:
    """`user:` names somebody of the group sudo; python and node of the bench are scripts."""
    hostile(run, f"{PATH}/env/bin/python")
    hostile(run, f"{PATH}/evil-node")
    settings: dict[str, object] = {
        "version": 1,
        "manager": run.settings["manager"],
        "host": {"node": f"{PATH}/evil-node"},
    }
    if by == "prodgen.yaml":
        settings["user"] = OTHER
    else:
        run.configure(frappe_user=OTHER)
    run.machine.put(f"{PATH}/prodgen.yaml", json.dumps(settings))
    said = walk(run)
    assert who_ran(run) <= {"1001"}
    for words in ("restart", "restart --migrate", "apply --yes", "adopt --yes"):
        assert said[words].startswith("exit 1\nerror[PG822]"), said[words]


def test_programs_and_modules_of_the_user(run: Host) -> None:
    """Under the names of those that prodgen starts and imports, in bench, home and PATH."""
    for folder in (f"{HOME}/.local/bin", str(PATH), f"{PATH}/bin"):
        for name in PROGRAMS.split():
            hostile(run, f"{folder}/{name}")
    note = f"import os; open({RAN!r}, 'a').write(f'{{os.geteuid()}} {{__file__}}\\n')\n"
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    packages = f"{HOME}/.local/lib/{version}/site-packages"
    for folder in (str(PATH), str(HOME), packages):  # services import from sites/
        for name in MODULES.split():
            run.machine.put(f"{folder}/{name}.py", note)
            run.machine.put(f"{folder}/{name}/__init__.py", note)
    run.machine.put(f"{packages}/evil.pth", f"import os; open({RAN!r}, 'a').write('pth')\n")
    config = "[supervisorctl]\n[ctlplugin:x]\nsupervisor.ctl_factory = supervisor:x\n"
    for name in ("supervisord.conf", "etc/supervisord.conf"):
        run.machine.put(f"{PATH}/{name}", config)
    run.shell(f"chown -R {USER}: {HOME}; runuser -u {USER} -- {PATH}/nginx")
    assert who_ran(run) == {"1001"}, "they do note who runs them"
    said = walk(run)
    assert who_ran(run) <= {"1001"}, run.shell(f"cat {RAN}")
    assert said["apply --yes"].startswith("exit 0"), said["apply --yes"]


@pytest.mark.parametrize("names", PLACES)
def test_pipes_hang_nobody(run: Host, names: tuple[str, ...]) -> None:
    for name in names:
        run.shell(f"cd {PATH}; rm -rf {name}; mkdir -p $(dirname {name}); mkfifo {name}")
    run.shell(f"chown -R {USER}: {PATH}")
    walk(run, changes="config/redis_queue.conf" not in names)


def test_a_pipe_in_the_place_of_a_certificate(run: Host) -> None:
    run.shell(f"mkfifo {HOME}/chain.pem {HOME}/key.pem; chown {USER}: {HOME}/*.pem")
    site = json.loads(run.shell(f"cat {PATH}/sites/one.test/site_config.json"))
    site |= {"ssl_certificate": f"{HOME}/chain.pem", "ssl_certificate_key": f"{HOME}/key.pem"}
    run.machine.put(f"{PATH}/sites/one.test/site_config.json", json.dumps(site))
    walk(run)


def test_a_way_that_another_user_can_swap(run: Host) -> None:
    """The bench by a link in another user's folder: commands that look go on, with a warning."""
    way = f"/home/{OTHER}/way"
    run.shell(f"ln -s {PATH} {way}; chown -h {OTHER}: {way}")
    before = run.installed()
    said = walk(run, way=way)
    for command in ("plan", "validate", "diff", "render"):
        ended = run.prodgen_alone(command, "-C", way)
        assert ended.code == 0, ended
        assert way not in ended.out
    run.shell(f"rm {way}")
    assert run.installed() == before
    for command, text in said.items():
        if command.startswith("restart") or "--yes" in command:
            assert text.startswith(f"exit 1\nerror[PG820]: {OTHER} can change /home/{OTHER}"), text
        elif command.split(" ")[0] in LOOKING and not re.search("PG610| made ", command):
            assert f"warning[PG820]: {OTHER} can change /home/{OTHER}" in text, (command, text)


def test_a_folder_above_that_others_can_change(run: Host) -> None:
    """DeployError with the command that corrects it, and no more once that was run."""
    run.shell(f"groupadd -f devs; usermod -aG devs {OTHER}; chgrp devs {HOME}; chmod g+w {HOME}")
    for command in ("apply --yes", "restart"):
        ended = run.prodgen(*command.split())
        assert ended.code == 1, ended
        assert f"the group devs ({OTHER}) can change {HOME}" in ended.err
        assert f"help: chmod g-w {HOME}" in ended.err
    run.shell(f"chmod g-w {HOME}")
    ended = run.prodgen("apply", "--yes")
    run.shell(f"chgrp {USER} {HOME}")
    assert ended.code == 0, ended
