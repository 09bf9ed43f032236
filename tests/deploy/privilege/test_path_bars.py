"""The paths of a plan that root's programs open: accepted in their places, refused elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from prodgen.deploy.privilege import path_bars
from prodgen.deploy.privilege.path_bars import Change, is_plain, path_breaches
from prodgen.diagnostics import Diagnostic
from prodgen.inputs.core.source import Source
from prodgen.plan.core.model import Plan
from prodgen.plan.services import web_address
from prodgen.provenance import Sourced
from prodgen.targets.core.file_set import Placed
from prodgen.targets.systemd import paths
from tests.support.accounts import ALICE, BOB, PRIVATE, invent, needs_root
from tests.support.plans import bench_files, make_plan

pytestmark = needs_root
PROCFILE = "web: bench serve\nworker: bench worker\nsocketio: node apps/frappe/socketio.js\n"
USUAL = PurePosixPath("/var/log/frappe-bench")
ALL = ("supervisor", "systemd", "nginx")


@pytest.fixture
def host(ground: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host's folders below a folder of the test's; `frappe` is alice."""
    users = {"root": (0, 0), "frappe": (ALICE, PRIVATE), "bob": (BOB, BOB)}
    invent(monkeypatch, users=users, groups={"frappe": (PRIVATE, []), "bob": (BOB, [])})
    for folder in ("var/log/nginx", "etc/nginx", "etc/ssl", "run"):
        (ground / folder).mkdir(parents=True)
    places = {"LOGS": "var/log", "NGINX_LOGS": "var/log/nginx", "NGINX_FOLDER": "etc/nginx"}
    for name, folder in {**places, "RUN": "run"}.items():
        monkeypatch.setattr(path_bars, name, PurePosixPath(ground / folder))
    monkeypatch.setattr(path_bars, "RUNS", (PurePosixPath(ground / "run"),))
    monkeypatch.setattr(web_address, "ANYBODYS", ())  # where the test's own folder is
    monkeypatch.setattr(paths, "TEMPORARY", ())
    return ground


def plan_with(
    settings: str = "", common: Mapping[str, object] | None = None, **site: object
) -> Plan:
    files = bench_files(PROCFILE, common or {}, sites={"one.test": site})
    if settings:
        files = files._replace(settings=Source("prodgen.yaml", f"version: 1\n{settings}\n"))
    return make_plan(files)


def refused(plan: Plan, *targets: str, old: str = "") -> list[tuple[str, str, str]]:
    """What, way out and place of each objection."""
    if plan.log_folder.value == USUAL:
        here = Sourced(path_bars.LOGS / USUAL.name, plan.log_folder.origin)
        plan = plan._replace(log_folder=here)
    installed = {PurePosixPath("/etc/x.conf"): Placed(old, "supervisor")} if old else {}
    found = path_breaches(Change(plan, targets or ALL, installed))
    return [shown(one) for one in found]


def shown(one: Diagnostic) -> tuple[str, str, str]:
    return one.message, one.help, str(one.location or "")


def own(path: Path, uid: int, mode: int = 0o755) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, uid, uid)
    path.chmod(mode)
    return path


def _give_second_name(path: Path) -> None:
    path.with_name("y").touch()
    os.link(path.with_name("y"), path)


def user_file(path: Path, uid: int = ALICE, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("A=1\n")
    os.chown(path, uid, uid)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("/var/log/x", True),
        ("/var/log/../x", False),
        ("/var//log", False),
        ("//var/log", False),
        ("/var/./log", False),
        ("/var/log/", False),
        ("var/log", False),
        ("/var/log/..x", True),
    ],
)
def test_plain_paths(text: str, plain: bool) -> None:
    assert is_plain(text) is plain


# --- logging.folder


def logs_at(folder: Path | str, mode: str = "files") -> Plan:
    return plan_with(f"logging: {{folder: {folder}, mode: {mode}}}")


@pytest.mark.parametrize("kind", ["absent", "empty", "ours", "rotated", "nested"])
def test_a_log_folder_of_the_benchs(kind: str, host: Path) -> None:
    folder = host / "var/log/erp" / ("deep" if kind == "nested" else "")
    if kind != "absent":
        folder.mkdir(parents=True)
    if kind in {"ours", "rotated"}:
        for name in ("web-0.log", "web.error.log", "short-worker.log", "long-worker-2.error.log"):
            (folder / f"{name}{'.1.gz' if kind == 'rotated' else ''}").touch()
    assert refused(logs_at(folder)) == []


def test_the_usual_log_folder(host: Path) -> None:
    plan = plan_with()
    usual = Sourced(PurePosixPath(host / "var/log/frappe-bench"), plan.log_folder.origin)
    assert refused(plan._replace(log_folder=usual)) == []


@pytest.mark.parametrize("outside", ["srv/log", "var/log", "var/logs/x"])
def test_a_log_folder_outside(outside: str, host: Path) -> None:
    assert refused(logs_at(host / outside)) == [
        (
            f"the logs would go to {host / outside}, which is not below {host}/var/log",
            f"choose a folder below {host}/var/log",
            "prodgen.yaml:2:19",
        )
    ]


def test_a_log_folder_that_climbs_out(host: Path) -> None:
    """The schema has refused it already; a plan from elsewhere is refused here."""
    folder = PurePosixPath(f"{host}/var/log/../../etc/logrotate.d")
    plan = logs_at(host / "var/log/x")
    climbing = plan._replace(log_folder=Sourced(folder, plan.log_folder.origin))
    ((what, _, _),) = refused(climbing)
    assert what == f"the logs would go to {folder}, which is not below {host}/var/log"


def test_a_log_that_climbs_out_of_its_folder(host: Path) -> None:
    plan = logs_at(host / "var/log/x")
    first, *others = plan.services
    stem = Sourced("../../etc/logrotate.d/x", first.log.origin)
    ((what, _, _),) = refused(plan._replace(services=(first._replace(log=stem), *others)))
    assert what == f"the log `../../etc/logrotate.d/x` would be outside {host}/var/log/x"


WAY = (
    "set `logging: {{folder: {}/var/log/frappe-bench}}` in prodgen.yaml, "
    "or another folder that is new"
)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: own(path, ALICE), "frappe can change {}"),
        (lambda path: own(path, BOB), "bob can change {}"),
        (lambda path: own(path, 0, 0o777), "everyone can change {}"),
        (lambda path: own(path, 0, 0o1777), "everyone can change {}"),
        (lambda path: path.symlink_to("nginx"), "{} is a symbolic link"),
        (lambda path: path.touch(), "{} is no folder"),
    ],
    ids=["the user's", "another's", "everyone's", "sticky", "a link", "a file"],
)
@pytest.mark.parametrize("below", ["", "/deep/er"])
def test_a_log_folder_that_is_not_roots(host: Path, spoil: object, said: str, below: str) -> None:
    folder = host / "var/log/x"
    spoil(folder)  # type: ignore[operator]
    given = f"{folder}{below}"
    what = f"root opens the logs in {given}, and {said.format(folder)}"
    assert refused(logs_at(given)) == [(what, WAY.format(host), "prodgen.yaml:2:19")]


@pytest.mark.parametrize("name", ["access.log", "error.log.1", "journal", "web.txt"])
def test_a_log_folder_of_another_program(host: Path, name: str) -> None:
    folder = host / "var/log/nginx"
    (folder / name).touch()
    what = f"{folder} is another program's: {name} in it is no log of this bench"
    assert refused(logs_at(folder)) == [(what, WAY.format(host), "prodgen.yaml:2:19")]
    assert refused(logs_at(folder), old=f"stdout_logfile={folder}/web.log") == []
    assert refused(logs_at(folder), old=f"stdout_logfile={folder}2/web.log") != []


def test_the_usual_folder_of_a_bench_that_is_called_like_a_program(host: Path) -> None:
    plan = plan_with("bench_name: nginx")
    (host / "var/log/nginx/access.log").touch()
    usual = Sourced(PurePosixPath(host / "var/log/nginx"), plan.log_folder.origin)
    ((what, way_out, _),) = refused(plan._replace(log_folder=usual))
    assert "is another program's" in what
    assert f"{{folder: {host}/var/log/nginx-logs}}" in way_out


def test_where_systemd_writes_to_its_journal_no_folder_is_opened(host: Path) -> None:
    own(host / "var/log/x", ALICE)
    settings = f"manager: systemd\nlogging: {{folder: {host}/var/log/x, mode: %s}}"
    assert refused(plan_with(settings % "journal")) == []
    assert len(refused(plan_with(settings % "files"))) == 1


# --- nginx.access_log


def access(host: Path, path: Path | str) -> list[tuple[str, str, str]]:
    folder = host / "var/log/frappe-bench"
    settings = f"logging: {{folder: {folder}}}\nnginx: {{access_log: '{path}'}}"
    return refused(plan_with(settings), "nginx")


def test_an_access_log_in_its_place(host: Path) -> None:
    for path in ("", "off", host / "var/log/nginx/erp.log"):
        assert access(host, path) == []
    (host / "var/log/nginx/erp.log").touch()
    os.chown(host / "var/log/nginx/erp.log", 33, 4)  # nginx gives it to its workers
    assert access(host, host / "var/log/nginx/erp.log") == []
    assert access(host, host / "var/log/frappe-bench/access.log") == []
    assert refused(plan_with("nginx: {access_log: /root/x.log}"), "supervisor") == []


@pytest.mark.parametrize(
    "path",
    [
        "/root/.profile",
        "/etc/cron.d/x",
        "/home/frappe/x.log",
        "{host}/var/log/auth.log",
        "{host}/var/log/nginx/error.log",
        "{host}/var/log/nginx/x",
        "{host}/var/log/nginx//x.log",
        "{host}/var/log/nginx/deep/x.log",
        "{host}/var/log/other-bench/x.log",
    ],
)
def test_an_access_log_elsewhere(host: Path, path: str) -> None:
    """Row 7 of the attack: nginx's master appends to it as root what a client has sent."""
    path = path.format(host=host)
    assert access(host, path) == [
        (
            (
                f"nginx would write {PurePosixPath(path)} as root: its logs are .log files "
                f"in {host}/var/log/nginx or in {host}/var/log/frappe-bench"
            ),
            f"set `nginx: {{access_log: {host}/var/log/nginx/frappe-bench.log}}`, or leave it out",
            "prodgen.yaml:3:21",
        )
    ]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.symlink_to("/etc/passwd"), "it is a link"),
        (os.mkfifo, "it is no ordinary file"),
        (lambda path: path.mkdir(), "it is no ordinary file"),
        (
            _give_second_name,
            "it has another name elsewhere (a hard link)",
        ),
        (lambda path: own(path.parent, ALICE), "frappe can change {}"),
    ],
    ids=["link", "pipe", "folder", "hard link", "the user's folder"],
)
def test_what_is_no_log_to_append_to(host: Path, spoil: object, said: str) -> None:
    path = host / "var/log/nginx/x.log"
    spoil(path)  # type: ignore[operator]
    ((what, _, _),) = access(host, path)
    assert what == f"nginx would write {path} as root, and {said.format(path.parent)}"


# --- certificates


def certified(chain: Path | str, key: Path | str) -> Plan:
    return plan_with(ssl_certificate=str(chain), ssl_certificate_key=str(key))


def test_certificates_that_only_root_can_change(host: Path) -> None:
    """As certbot lays them out: links of root's in folders of root's."""
    archive = own(host / "etc/letsencrypt/archive", 0, 0o700)
    live = own(host / "etc/letsencrypt/live", 0, 0o700)
    for name in ("chain.pem", "key.pem"):
        (archive / name).touch()
        (live / name).symlink_to(f"../archive/{name}")
    assert refused(certified(live / "chain.pem", live / "key.pem"), "nginx") == []
    (host / "etc/nginx/own.pem").touch()
    assert refused(certified("own.pem", live / "key.pem"), "nginx") == []


@pytest.mark.parametrize("which", ["chain", "key"])
@pytest.mark.parametrize("how", ["file", "folder", "link"])
def test_certificates_that_a_user_can_swap(host: Path, which: str, how: str) -> None:
    good = host / "etc/ssl/good.pem"
    good.touch()
    home = own(host / "home", ALICE)
    if how == "link":  # of root's, to where the user can put a pipe
        bad, at = host / "etc/ssl/bad.pem", home
        bad.symlink_to(home / "x.pem")
    elif how == "folder":
        bad, at = home / "x.pem", home
    else:
        bad = at = user_file(host / "etc/ssl/bad.pem")
    pair = (bad, good) if which == "chain" else (good, bad)
    assert refused(certified(*pair), "nginx") == [
        (
            f"nginx opens {bad} as root, and frappe can change {at}",
            (
                "put chain and key into a folder of root's, such as /etc/ssl/frappe-bench, "
                "and name them there"
            ),
            "sites/one.test/site_config.json:2:21",
        )
    ]
    assert refused(certified(*pair), "supervisor") == []


# --- sockets


def bound(path: Path | str) -> Plan:
    return plan_with(f"web: {{bind: 'unix:{path}'}}")


def test_a_socket_below_run(host: Path) -> None:
    assert refused(bound(host / "run/erp.sock"), "systemd") == []
    (host / "run/erp.sock").touch()
    old = f"ListenStream={host}/run/erp.sock\n"
    assert refused(bound(host / "run/erp.sock"), "systemd", old=old) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/etc/cron.d/x", "it is not below {}/run"),
        ("{}/run/docker.sock", "something of others is there"),
        ("{}/run/user/x.sock", "frappe can change {}/run/user"),
    ],
)
def test_a_socket_elsewhere(host: Path, path: str, said: str) -> None:
    (host / "run/docker.sock").touch()
    own(host / "run/user", ALICE)
    path = path.format(host)
    assert refused(bound(path), "systemd") == [
        (
            f"root would make the socket {path}, and {said.format(host)}",
            "set `web: {bind: unix:/run/frappe-bench-web.sock}`",
            "prodgen.yaml:2:13",
        )
    ]


def realtime(path: str) -> Plan:
    return plan_with(common={"socketio_uds": path})


def test_the_folder_of_the_realtime_socket(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(realtime("/run/frappe-bench/rt.sock"), "systemd") == []
    assert refused(realtime("/run/frappe-bench-rt/rt.sock"), "systemd") == []
    own(host / "run/frappe-bench", ALICE)
    assert refused(realtime("/run/frappe-bench/rt.sock"), "systemd") == []
    own(host / "run/frappe-bench", BOB)
    assert len(refused(realtime("/run/frappe-bench/rt.sock"), "systemd")) == 1
    assert refused(realtime("/run/dbus/rt.sock"), "supervisor") == []  # node makes it as its user


@pytest.mark.parametrize("name", ["dbus", "frappe-benches", "systemd"])
def test_a_folder_of_others_for_the_realtime_socket(host: Path, name: str) -> None:
    """systemd would give it to the user, and remove it when the service stops."""
    assert refused(realtime(f"/run/{name}/rt.sock"), "systemd") == [
        (
            f"systemd would give the folder {host}/run/{name} to frappe",
            f"set `socketio_uds` to {host}/run/frappe-bench/realtime.sock",
            "sites/common_site_config.json:2:18",
        )
    ]


# --- env_file, and what the sandbox shows


def secret(path: Path) -> Plan:
    return plan_with(f"manager: systemd\nenv_file: {path}")


def test_a_file_of_secrets_that_the_user_may_read(host: Path) -> None:
    assert refused(secret(user_file(host / "etc/frappe/secrets.env")), "systemd") == []
    assert refused(secret(host / "etc/frappe/absent.env"), "systemd") == []
    plan = secret(user_file(host / "etc/prodgen/frappe-bench/secrets.env", 0))
    mine = Sourced(PurePosixPath(host / "etc/prodgen/frappe-bench"), plan.config_folder.origin)
    assert refused(plan._replace(config_folder=mine), "systemd") == []
    assert refused(secret(Path("/home/frappe/frappe-bench/.env")), "systemd") == []


@pytest.mark.parametrize("how", ["root's", "link", "folder"])
def test_a_file_of_secrets_of_roots(host: Path, how: str) -> None:
    """PID 1 would hand its lines to the user's services."""
    of_root = user_file(host / "etc/mysql.cnf", 0)
    path, said = of_root, "frappe may not read it"
    if how == "link":
        path = host / "etc/link.env"
        path.symlink_to(of_root)
    if how == "folder":
        path = user_file(own(host / "srv", ALICE) / "x.env")
        said = f"frappe can change {host}/srv"
    assert refused(secret(path), "systemd") == [
        (
            f"systemd reads {path} as root for frappe, and {said}",
            (
                "give it to frappe with mode 0600 in a folder of root's, "
                "or put it into /etc/prodgen/frappe-bench"
            ),
            "prodgen.yaml:3:11",
        )
    ]
    assert refused(secret(path), "supervisor") == []  # there the service reads it itself


def test_a_file_of_secrets_in_a_home_by_a_link_of_roots(host: Path) -> None:
    """Its user could put a link to any file of root's there."""
    path = host / "etc/prodgen/frappe-bench/secrets.env"
    path.parent.mkdir(parents=True)
    path.symlink_to(user_file(own(host / "home", ALICE) / "x.env"))
    plan = secret(path)
    mine = Sourced(PurePosixPath(path.parent), plan.config_folder.origin)
    ((what, *_),) = refused(plan._replace(config_folder=mine), "systemd")
    assert what == (f"systemd reads {path} as root for frappe, and frappe can change {host}/home")


@pytest.mark.parametrize("name", ["read_only_paths", "read_write_paths"])
def test_folders_that_the_sandbox_shows(host: Path, name: str) -> None:
    """A mount would get the user past the modes of the folders above."""
    inner = own(own(host / "home/bob", BOB, 0o700) / "public", BOB)
    shared = own(host / "srv/files", BOB)

    def asked(path: Path) -> list[tuple[str, str, str]]:
        return refused(plan_with(f"systemd: {{{name}: [{path}]}}"), "systemd")

    assert asked(shared) == []
    assert asked(host / "absent") == []
    ((what, way_out, place),) = asked(inner)
    assert what == f"systemd would show {inner} to frappe, who cannot get there"
    assert way_out == f"take it out of `systemd: {{{name}: ...}}`, or let frappe in"
    assert place.startswith("prodgen.yaml:2:")
