"""`prodgen adopt` of a site that certbot has given a certificate, and somebody a few lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import pytest

from prodgen.targets.nginx.parse import parse
from tests.support.live.adopting import put_tls_files, set_up
from tests.support.live.applying import SITE, Host, host
from tests.support.live.systemd_bench import PATH
from tests.support.plans import ROOT
from tests.support.rig.client import Answer, fetch, trusting_anyone
from tests.support.rig.place import open_socket
from tests.support.rig.waiting import wait_for

THEIRS = ROOT / "tests/review/adopt/adopted/by-certbot"
PASSWORDS = "/etc/nginx/mine"
KNOWN = {"Authorization": "Basic bWluZTptaW5l"}
WEBROOT = "/var/www/mine"
CHALLENGE = "/.well-known/acme-challenge/"
FIRST = "	add_header X-Frame-Options"
MINE = f"""
	location ^~ {CHALLENGE} {{ root {WEBROOT}; default_type text/plain; }}
	location = /private-of-mine {{ auth_basic off; allow 127.0.0.2; deny all; }}
	location /reports-of-mine/ {{
		auth_basic off;
		proxy_set_header Host $host;
		proxy_set_header X-Frappe-Site-Name $host;
		proxy_pass http://frappe-bench-frappe/api/method/ping?;
	}}
	if ($http_user_agent ~ "Bad(Robot|Spider)") {{ return 403; }}
	add_header X-Of-Mine "a \\"b\\"; c" always;
"""
"""What somebody has added to the server with the certificate."""
PROGRAM = "[program:robot-of-mine]\ncommand=/bin/sleep infinity\nuser=nobody\nstartsecs=0\n"
RENEWAL = f"[renewalparams]\nauthenticator = webroot\n[[webroot_map]]\n{SITE} = {WEBROOT}\n"
OWN_PID = "supervisorctl pid robot-of-mine"
GUARD = "	location / {\n"
CLOSED = f'		auth_basic "mine";\n		auth_basic_user_file {PASSWORDS};\n'


@pytest.fixture(scope="module")
def run() -> Iterator[Host]:
    with host("supervisor", supervisor=False, quick=True, gunicorn_workers=5) as made:
        theirs = (THEIRS / "nginx.conf").read_text()
        theirs = theirs.replace(FIRST, MINE + FIRST, 1).replace(GUARD, GUARD + CLOSED)
        for one in parse(theirs):
            if one.words == ("server",):
                put_tls_files(made.machine, one)
        made.shell(f"mkdir -p {WEBROOT}{CHALLENGE}; echo old > {WEBROOT}{CHALLENGE}old")
        made.machine.put(PASSWORDS, "mine:{PLAIN}mine\n")
        made.machine.put(PATH / "sites" / SITE / "public/files/mine.txt", "public\n")
        made.machine.put(f"/etc/letsencrypt/renewal/{SITE}.conf", RENEWAL)
        set_up(made, theirs, (THEIRS / "supervisor.conf").read_text() + PROGRAM)
        yield made


def ask(
    run: Host, path: str, *, secure: bool = True, headers: Mapping[str, str] | None = None
) -> Answer:
    """One request for the site."""
    tls = trusting_anyone() if secure else None
    address = ("127.0.0.1", 443 if secure else 80)
    return fetch(address, path, host=SITE, place=run.machine, tls=tls, headers=headers)


def certificate(run: Host) -> bytes:
    """The certificate that a browser is shown."""
    link = open_socket(run.machine, ("127.0.0.1", 443), 5)
    with trusting_anyone().wrap_socket(link, server_hostname=SITE) as secure:
        return secure.getpeercert(binary_form=True) or b""


def followed(run: Host, path: str) -> str:
    """What a certificate authority gets: it begins without TLS, and follows redirects."""
    answer = ask(run, path, secure=False)
    if answer.status == 301:
        assert answer.headers["location"] == f"https://{SITE}{path}"
        answer = ask(run, path)
    return answer.text if answer.status == 200 else ""


def heard(run: Host) -> dict[str, object]:
    """What somebody outside notices of the site."""
    plain = ask(run, "/app?x=1", secure=False)
    asked = {
        "private": ask(run, "/private-of-mine"),
        "reports": ask(run, "/reports-of-mine/"),
        "robot": ask(run, "/", headers={"User-Agent": "BadSpider"}),
        "public": ask(run, "/files/mine.txt", headers=KNOWN),
        "guarded file": ask(run, "/files/mine.txt"),
        "guarded page": ask(run, "/api/method/ping"),
        "login": ask(run, "/api/method/ping", headers=KNOWN),
    }
    return {
        "certificate": certificate(run),
        "redirect": (plain.status, plain.headers.get("location")),
        "challenge": followed(run, f"{CHALLENGE}old"),
        "header": asked["login"].headers.get("x-of-mine"),
        **{
            name: answer.text if answer.status == 200 else answer.status
            for name, answer in asked.items()
        },
    }


def follow_advice(run: Host) -> None:
    """Sets what adopt lists, word for word."""
    shown = json.loads(run.prodgen("adopt", "--dry-run", "--format", "json").out)
    settings = [one for file in shown["files"] for one in file["settings"]]
    notes = {one["note"] for one in settings if one["lot"] == "open"}
    assert notes
    for note in notes:
        if found := re.match(r"sites/(\S+)/site_config.json: (.*)", note):
            path = run.bench.file(f"sites/{found[1]}/site_config.json")
            config = json.loads(path.read_text()) | json.loads(f"{{{found[2]}}}")
            path.write_text(json.dumps(config))
        elif found := re.match(r"prodgen.yaml: nginx: {acme_webroot: (\S+)}", note):
            run.set(nginx={"acme_webroot": found[1]})


def test_nobody_outside_notices_and_the_certificate_is_renewed(run: Host) -> None:
    before, pid = heard(run), run.shell(OWN_PID)
    assert before["challenge"] == "old\n"
    assert before["guarded file"] == before["guarded page"] == 401
    assert before["robot"] == before["private"] == 403
    assert before["public"] == "public\n"

    refused = run.prodgen("adopt", "--yes")
    assert refused.code == 1, refused
    assert "would not be kept" in refused.err
    assert f"{SITE} = {WEBROOT}" in refused.err
    follow_advice(run)
    ended = run.prodgen("adopt", "--yes")
    assert ended.code == 0, ended.err
    assert heard(run) == before
    assert run.shell(OWN_PID) == pid

    # certbot's renewal with --webroot: a file for the authority, a new pair, a reload
    run.machine.put(f"{WEBROOT}{CHALLENGE}new", "new\n")
    assert followed(run, f"{CHALLENGE}new") == "new\n"
    for one in parse((THEIRS / "nginx.conf").read_text()):
        put_tls_files(run.machine, one)
    run.shell("nginx -s reload")
    wait_for(lambda: certificate(run) != before["certificate"], 20, "the new certificate")
