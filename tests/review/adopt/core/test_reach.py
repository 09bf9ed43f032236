"""What a lesser user can change is not kept where root's programs would open or run it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from posixpath import normpath

import pytest

from prodgen.review.adopt.core.model import Adoption, Disposition
from prodgen.review.adopt.core.reach import Opened, Reach
from prodgen.review.adopt.nginx.file import adopt_nginx, paths_in
from prodgen.review.adopt.supervisor.sections import adopt_supervisor, sections_of
from prodgen.review.adopt.supervisor.sections import paths_in as programs_paths
from prodgen.review.adopt.systemd.settings import Both
from prodgen.review.adopt.systemd.units import adopt_systemd
from prodgen.review.adopt.text import as_text
from prodgen.review.core.parse import merged
from prodgen.review.core.redact import Mask
from prodgen.targets.systemd.units import SYSTEM_FOLDER
from tests.review.adopt.nginx.test_file import UPSTREAM, kept, left_open, ours, server
from tests.review.adopt.systemd.test_units import OURS, PLAN, service, units
from tests.support.reviewed import side

HOME = "/home/frappe"
CAN = "frappe can change /home/frappe"
FILE = "/etc/nginx/conf.d/frappe-bench.conf"
PROGRAMS = "/etc/supervisor/conf.d/frappe-bench.conf"


def reach(file: str, opened: Iterable[Opened], *, writer: bool) -> Reach:
    """The facts of a host on which all below /home is frappe's, and the rest is root's."""
    dangers = {one: CAN for one in opened if f"{normpath(one.path)}/".startswith(f"{HOME}/")}
    return Reach(file, CAN if writer else "", dangers=dangers)


def adopted(text: str, *, writer: bool = False) -> Adoption:
    text = UPSTREAM + text
    return adopt_nginx(FILE, text, ours("one.test"), reach(FILE, paths_in(text), writer=writer))


READ = [
    "include /home/frappe/mine.conf;",
    "include /home/frappe/*.conf;",
    "include ../../home/frappe/mine.conf;",
    "location /mine { include /home/frappe/mine.conf; }",
    "location /mine { limit_except GET { include /home/frappe/mine.conf; } }",
    "location /mine { types { include /home/frappe/mine.types; } }",
    "access_log /home/frappe/a.log;",
    "error_log /home/frappe/e.log warn;",
    "location /mine { access_log /home/frappe/a.log combined; }",
    "client_body_temp_path /home/frappe/body 1 2;",
    "proxy_temp_path /home/frappe/temp;",
    "ssl_dhparam /home/frappe/dh.pem;",
    "ssl_trusted_certificate /home/frappe/chain.pem;",
    "ssl_client_certificate /home/frappe/ca.pem;",
    "ssl_crl /home/frappe/crl.pem;",
    "ssl_password_file /home/frappe/pass;",
    "ssl_session_ticket_key /home/frappe/ticket;",
    "proxy_ssl_certificate_key /home/frappe/key.pem;",
    "ssl_conf_command Certificate /home/frappe/x.pem;",
    "location /mine { js_content m.x; js_import m from /home/frappe/m.js; }",
    "location /mine { perl /home/frappe/x.pl; }",
    "location /mine { content_by_lua_file /home/frappe/x.lua; }",
    "lua_package_path /home/frappe/?.lua;",
    "location /mine { modsecurity_rules_file /home/frappe/r.conf; }",
    "location /mine { directive_that_nobody_knows file=/home/frappe/x; }",
]


@pytest.mark.parametrize("line", READ)
def test_what_nginx_would_open_as_root_is_listed_with_its_place(line: str) -> None:
    """Whoever can change it would have root read it, or write where he likes."""
    found = adopted(server(f"\n{line}"))
    assert not found.additions
    [note] = left_open(found).values()
    assert note.startswith(f"{FILE}:4: {CAN}, and nginx ")
    assert "as root" in note


@pytest.mark.parametrize(
    "line",
    [
        "perl_require mine.pm;",
        "perl_modules /home/frappe;",
        "proxy_cache_path /home/frappe/cache keys_zone=mine:1m;",
        "map $uri $mine { default 0; include /home/frappe/mine.map; }",
        "geo $mine { default 0; include /home/frappe/mine.geo; }",
        "js_path /home/frappe/js;",
        "server { listen unix:/home/frappe/x.sock; }",
        "server { listen 81; ssl_certificate /home/frappe/x.pem; }",
        "server { listen 81; ssl_certificate_key engine:/home/frappe/x:y; }",
        "include /home/frappe/*.d/*.conf;",
        "load_module /home/frappe/m.so;",
    ],
)
def test_beside_the_servers_too(line: str) -> None:
    found = adopted(server("") + line, writer="perl_require" in line)
    assert not found.additions
    [note] = left_open(found).values()
    assert note.startswith(f"{FILE}:6: {CAN}")


@pytest.mark.parametrize(
    "line",
    [
        "location /mine { root /home/frappe/mine; }",
        "location /mine { alias /home/frappe/mine; }",
        "location /mine { auth_basic Mine; auth_basic_user_file /home/frappe/users; }",
        "location /mine { proxy_pass http://unix:/home/frappe/x.sock; }",
        "location /mine { try_files /home/frappe/x =404; }",
        "location /home/frappe/ { return 302 /home/frappe/x; }",
        "access_log /home/frappe/$host.log;",
        "access_log syslog:server=unix:/dev/log;",
        "include /etc/nginx/mine.conf;",
        "include mine.conf;",
    ],
)
def test_what_the_workers_open_or_root_alone_can_change_is_kept(line: str) -> None:
    found = adopted(server(line), writer=True)
    assert kept(found) == {"server.d": line}
    assert not found.of(Disposition.OPEN)


@pytest.mark.parametrize(
    "line",
    [
        "access_log /etc/profile.d/x.sh;",
        "access_log /root/.profile;",
        "error_log /var/log/nginx/../../../etc/cron.d/x;",
        "error_log //etc/cron.d/x;",
        "client_body_temp_path /etc;",
        "location /mine { js_import /etc/nginx/x.js; }",
        "location /mine { perl 'sub { 1 }'; }",
        "location /mine { modsecurity_rules 'SecAuditLog /etc/cron.d/x'; }",
        "ssl_certificate_key engine:mine:x;",
    ],
)
def test_a_file_that_others_can_change_says_not_what_root_runs_or_where_it_writes(
    line: str,
) -> None:
    found = adopted(server("") + f"server {{ listen 81; {line} }}", writer=True)
    assert not found.additions
    assert [one for one in found.of(Disposition.OPEN) if CAN in one.note]
    found = adopted(server("") + f"server {{ listen 81; {line} }}")
    assert not found.of(Disposition.OPEN), "root may write what it likes"


@pytest.mark.parametrize("line", ["access_log /var/log/nginx/mine.log;", "error_log off;"])
def test_logs_in_nginx_own_folder_are_kept(line: str) -> None:
    assert kept(adopted(server(line), writer=True)) == {"server.d": line}


def test_the_way_out_names_a_copy_of_roots() -> None:
    [note] = left_open(adopted(server("include '/home/frappe/my own.conf';"))).values()
    copy = "install -D -m 644 '/home/frappe/my own.conf' '/etc/nginx/frappe-bench/my own.conf'"
    assert copy in note
    followed = "include /etc/nginx/frappe-bench/mine.conf;"
    assert kept(adopted(server(followed), writer=True)) == {"server.d": followed}


def programs(text: str, *, writer: bool = True) -> Adoption:
    facts = reach(PROGRAMS, programs_paths(PROGRAMS, text), writer=writer)
    return adopt_supervisor(PROGRAMS, text, PLAN, {}, facts)


@pytest.mark.parametrize("key", ["stdout_logfile", "stderr_logfile"])
@pytest.mark.parametrize(
    "path",
    [
        "/home/frappe/x.log",
        "/etc/cron.d/x",
        "/var/log/supervisor/../../../etc/cron.d/x",
        "%(here)s/x",
    ],
)
def test_a_program_is_kept_without_the_log_that_others_chose(key: str, path: str) -> None:
    text = f"[program:mine]\ncommand=/bin/sleep 9\n{key} = {path}\nuser=frappe\n"
    found = programs(text)
    assert sections_of(found.texts()["programs"]) == {
        "program:mine": {"command": "/bin/sleep 9", "user": "frappe"}
    }
    [entry] = found.of(Disposition.OPEN)
    assert entry.note.startswith(f"{PROGRAMS}:3: {CAN}")
    assert sum(one.settings for one in found.entries) == 4


@pytest.mark.parametrize("path", ["NONE", "AUTO", "/dev/stdout", "/var/log/supervisor/x.log"])
def test_a_log_of_roots_is_kept(path: str) -> None:
    text = f"[program:mine]\ncommand=/bin/sleep 9\nuser=frappe\nstdout_logfile={path}\n"
    assert programs(text).texts()["programs"].endswith(text)


@pytest.mark.parametrize(
    "text",
    [
        "[program:mine]\ncommand=/bin/sleep 9\n",
        "[program:mine]\ncommand=/bin/sleep 9\nuser=root\n",
        "[program:mine]\ncommand=/bin/sleep 9\nuser=0\n",
        "[eventlistener:mine]\ncommand=/bin/sleep 9\nuser=admin\n",
        "[include]\nfiles=/etc/x.conf\n",
        "[ctlplugin:mine]\nsupervisor.ctl_factory=mine:make\n",
        "[rpcinterface:mine]\nsupervisor.rpcinterface_factory=mine:make\n",
        "[unix_http_server]\nfile=/run/x.sock\nchmod=0777\n",
        "[supervisord]\nuser=frappe\n",
    ],
)
def test_a_file_of_a_lesser_user_starts_nothing_as_another(text: str) -> None:
    found = programs(text)
    assert not found.additions
    [entry] = found.of(Disposition.OPEN)
    assert entry.note.startswith(f"{PROGRAMS}:1: {CAN}")
    assert programs(text, writer=False).additions, "root may"


@pytest.mark.parametrize(
    "text",
    [
        "[program:mine]\ncommand=/home/frappe/x.sh\n",
        "[program:mine]\ncommand=sh -c 'cd /tmp; exec /home/frappe/x.sh'\n",
        "[program:mine]\ncommand=python3 x.py\ndirectory=/home/frappe/x\n",
        "[fcgi-program:mine]\ncommand=/bin/x\nuser=frappe\nsocket=unix:///home/frappe/x.sock\n",
        "[include]\nfiles=/home/frappe/*.conf\n",
    ],
)
def test_roots_own_file_runs_nothing_of_a_lesser_users(text: str) -> None:
    found = programs(text, writer=False)
    assert not found.additions
    [entry] = found.of(Disposition.OPEN)
    assert CAN in entry.note


def of_units(texts: dict[str, str], *written: str) -> dict[str, Adoption]:
    """The units, of which frappe can change those of these names."""
    found = units(texts)
    reaches = {
        SYSTEM_FOLDER / name: Reach(str(SYSTEM_FOLDER / name), CAN, f"{HOME}/{name}")
        for name in written
    }
    both = Both(PLAN, OURS, frozenset(found.known), reaches)
    return adopt_systemd(found, both)


def test_root_never_stays_the_user_and_that_is_said() -> None:
    text = f"[program:web]\ncommand={GUNICORN}\nuser=root\n"
    found = adopt_supervisor(PROGRAMS, text, PLAN, merged(side(PLAN, "supervisor"), "supervisor"))
    assert not [one for one in found.of(Disposition.OPEN) if one.text.startswith("user")]
    shown = "\n".join(as_text({PROGRAMS: found}, [PROGRAMS], Mask()))
    assert "user: root -> frappe" in shown


WEB = "frappe-bench-frappe-web.service"
GUNICORN = "/home/frappe/frappe-bench/env/bin/gunicorn -b 127.0.0.1:8000 frappe.app:application"


@pytest.mark.parametrize(
    "line",
    [
        "ExecStartPre=+/home/frappe/x.sh",
        "ExecStartPost=!/home/frappe/x.sh",
        "EnvironmentFile=/home/frappe/x.env",
        "LogsDirectory=mine",
        "StateDirectory=mine",
        "RootDirectory=/home/frappe/x",
        "BindPaths=/home/frappe/x:/etc",
        "LoadCredential=x:/home/frappe/x",
        "AmbientCapabilities=CAP_SYS_ADMIN",
        "SupplementaryGroups=sudo",
        "PAMName=login",
        "User=admin",
    ],
)
def test_nothing_of_a_unit_is_kept_by_which_root_would_act(line: str) -> None:
    found = of_units({WEB: service(GUNICORN, "User=frappe", line)})[str(SYSTEM_FOLDER / WEB)]
    assert not found.additions
    assert [one.text for one in found.of(Disposition.OPEN)] == [line]


@pytest.mark.parametrize(
    "line",
    [
        "StandardOutput=append:/etc/cron.d/x",
        "PIDFile=/home/frappe/x",
        "User=root",
        "Group=root",
    ],
)
def test_ours_has_its_own_way_for_logs_and_users_of_units(line: str) -> None:
    found = of_units({WEB: service(GUNICORN, "User=frappe", line)})[str(SYSTEM_FOLDER / WEB)]
    assert not found.additions
    assert line in [one.text for one in found.of(Disposition.DEFAULT)]


@pytest.mark.parametrize("key", ["Wants", "Requires", "BindsTo"])
def test_what_a_lesser_user_wants_started_is_not_started_by_root(key: str) -> None:
    unit = service(GUNICORN, "[Unit]", f"{key}=debug-shell.service")
    for written in (True, False):
        found = of_units({WEB: unit}, *[WEB] * written)[str(SYSTEM_FOLDER / WEB)]
        assert bool(found.of(Disposition.OPEN)) is written
        assert bool(found.additions) is not written
    target = f"[Unit]\n{key}={WEB} frappe-bench-x.service\n"
    texts = {WEB: service(GUNICORN), "frappe-bench.target": target}
    found = of_units(texts, "frappe-bench.target")[str(SYSTEM_FOLDER / "frappe-bench.target")]
    assert not found.additions
    assert CAN in found.of(Disposition.OPEN)[0].note


def test_a_unit_that_stays_and_is_a_lesser_users_to_change_is_listed() -> None:
    mine = "mine.service"
    texts = {mine: service("/home/frappe/frappe-bench/x.sh")}
    place = str(SYSTEM_FOLDER / mine)
    assert not of_units(texts)[place].of(Disposition.OPEN)
    [entry] = of_units(texts, mine)[place].of(Disposition.OPEN)
    assert entry.note.startswith(CAN)
    assert f"install -m 644 {HOME}/{mine} {place}" in entry.note


def test_a_drop_in_of_a_unit_that_stays_is_listed_too() -> None:
    mine = "mine.service"
    texts = {mine: service("/home/frappe/frappe-bench/x.sh"), f"{mine}.d/x.conf": "[Service]\n"}
    found = of_units(texts, f"{mine}.d/x.conf")
    assert found[str(PurePosixPath(SYSTEM_FOLDER, f"{mine}.d/x.conf"))].of(Disposition.OPEN)
