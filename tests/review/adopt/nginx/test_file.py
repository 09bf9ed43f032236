"""What somebody has added to bench's nginx.conf: it does beside ours what it did, or is listed."""

from __future__ import annotations

import pytest

from prodgen.review.adopt.core.model import Adoption, Disposition
from prodgen.review.adopt.nginx.certbot import adopt_renewal
from prodgen.review.adopt.nginx.directives import Ours, ours_of
from prodgen.review.adopt.nginx.file import adopt_nginx, is_of_bench
from prodgen.review.adopt.nginx.write import as_nginx
from prodgen.targets.nginx.parse import parse
from tests.support.plans import bench_files, make_plan
from tests.support.reviewed import COMMON, PROCFILE, REDIS, side

BENCH = "/home/frappe/frappe-bench"
UPSTREAM = "upstream frappe-bench-frappe { server 127.0.0.1:8000 fail_timeout=0; }\n"
REDIRECT = "server { listen 80; server_name one.test; %s return 301 https://$host$request_uri; }\n"
CHALLENGE = "location /.well-known/acme-challenge/ { root %s; }"


def ours(*sites: str) -> Ours:
    """What prodgen would install for a bench with these sites."""
    files = bench_files(PROCFILE, COMMON, sites={name: {} for name in sites}, redis=REDIS)
    plan = make_plan(files)
    return ours_of(plan, side(plan, "supervisor"))


def server(lines: str, name: str = "one.test", folder: str = BENCH) -> str:
    """A server of bench's, with these lines in it."""
    return (
        f"server {{ listen 80; server_name {name}; root {folder}/sites;\n{lines}\n"
        "location / { try_files /$host/public/$uri @webserver; }\n"
        "location @webserver { proxy_pass http://frappe-bench-frappe; } }\n"
    )


def in_location(lines: str) -> str:
    """A server with these lines in `location /`."""
    return server("").replace("{ try_files", f"{{ {lines} try_files")


def adopted(text: str, *sites: str) -> Adoption:
    return adopt_nginx("a", UPSTREAM + text, ours(*(sites or ("one.test",))))


def kept(found: Adoption) -> dict[str, str]:
    """What goes into each file of the user's own, without spaces that say nothing."""
    return {
        place: " ".join(" ".join(map(as_nginx, parse(text))).split())
        for place, text in found.texts().items()
    }


def left_open(found: Adoption) -> dict[str, str]:
    return {one.text: one.note for one in found.of(Disposition.OPEN)}


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("allow 10.0.0.0/8; deny all;", "server.d"),
        ("auth_basic Mine; auth_basic_user_file /etc/nginx/mine;", "server.d"),
        ("if ($http_user_agent ~ Robot) { return 403; }", "server.d"),
        ("limit_req zone=mine;", "location.d"),
        ("proxy_set_header X-Of-Mine yes;", "location.d"),
    ],
)
def test_what_guards_bench_files_guards_them_in_ours(lines: str, place: str) -> None:
    """Public files are in bench's `location /`; ours has them beside it."""
    assert kept(adopted(in_location(lines))) == {place: lines}


def test_a_guard_is_not_put_before_somebodys_own_locations() -> None:
    """A hook that is open to all would be closed."""
    hook = "location = /hook { return 204; }"
    guard = "auth_basic Mine;"
    found = adopted(in_location(guard).replace("root", f"{hook} root", 1))
    assert kept(found) == {"server.d": hook}
    assert list(left_open(found)) == ["auth_basic Mine"]
    free = hook.replace("{", "{ auth_basic off;")
    found = adopted(in_location(guard).replace("root", f"{free} root", 1))
    assert kept(found) == {"server.d": f"{free} {guard}"}


def test_a_guard_of_the_application_alone_stays_that() -> None:
    text = server("").replace("{ proxy_pass", "{ deny 10.0.0.1; proxy_pass")
    assert kept(adopted(text)) == {"location.d": "deny 10.0.0.1;"}


@pytest.mark.parametrize(
    "line",
    [
        "location ^~ /assets { expires 1d; }",
        "location /files/ { deny all; }",
        "location /files { deny all; }",
        "location ^~ /files/ { deny all; }",
        "error_page 502 503 /mine.html;",
        "add_header x-frame-options DENY always;",
        "keepalive_timeout 7s;",
    ],
)
def test_what_ours_has_already_is_listed(line: str) -> None:
    found = adopted(server(line))
    assert not found.additions
    assert all(left_open(found).values())


@pytest.mark.parametrize(
    "line",
    [
        "location = /files { return 404; }",
        "location /files/mine/ { deny all; }",
        "location ~ /files/.*[.]exe { deny all; }",
        "error_page 404 /mine.html;",
        "add_header X-Of-Mine yes;",
    ],
)
def test_what_ours_has_not_is_kept(line: str) -> None:
    found = adopted(server(line))
    assert kept(found) == {"server.d": line}
    assert not found.of(Disposition.OPEN)


def test_a_location_in_a_location_cannot_stand_in_our_named_one() -> None:
    found = adopted(in_location("location ~ [.]php$ { deny all; }"))
    assert not found.additions
    assert list(left_open(found)) == ["location ~ [.]php$"]


def test_what_two_servers_say_otherwise_is_listed() -> None:
    """nginx would take neither twice."""
    for line, other in (
        ("keepalive_requests 5;", "keepalive_requests 7;"),
        ("location = /x { return 200; }", "location = /x { return 204; }"),
    ):
        found = adopted(server(line) + server(other, "www.one.test"))
        assert not found.additions
        assert {"the bench has no site www.one.test", *left_open(found).values()} == {
            "the bench has no site www.one.test",
            "server.d counts for all servers of the bench, and another has it otherwise",
        }


def test_what_a_redirect_has_goes_into_no_server_that_answers() -> None:
    text = server("") + REDIRECT % "access_log off;"
    found = adopted(text)
    assert not found.additions
    assert "access_log off" in left_open(found)
    elsewhere = "server { server_name one.test; return 301 https://elsewhere.test$request_uri; }"
    assert not adopted(server("") + elsewhere).additions


def test_a_redirect_in_a_location_is_a_redirect() -> None:
    text = "server { listen 80; server_name one.test; location / { %s } }"
    found = adopted(server("") + text % "return 301 https://$host$request_uri;")
    assert set(left_open(found).values()) == {
        "ours redirects each name that has a certificate: set that"
    }


def test_the_challenges_of_acme_are_told_as_a_setting() -> None:
    """Wherever they are answered: without them no certificate is renewed."""
    setting = "prodgen.yaml: nginx: {acme_webroot: /var/www/mine}"
    text = CHALLENGE % "/var/www/mine"
    for whole in (server(text), server("") + REDIRECT % text, server(text) + REDIRECT % text):
        found = adopted(whole)
        assert not found.additions
        assert setting in left_open(found).values()
    same = CHALLENGE % "/var/www/letsencrypt"
    assert "location" not in " ".join(left_open(adopted(server(same) + REDIRECT % same)))


@pytest.mark.parametrize(
    ("authenticator", "folder", "count"),
    [
        ("webroot", "/var/www/letsencrypt", 0),
        ("webroot", f"{BENCH}/sites/one.test/public", 1),
        ("nginx", "/anything", 0),
    ],
)
def test_certbot_can_still_renew(authenticator: str, folder: str, count: int) -> None:
    text = f"""version = 2.1.0
[renewalparams]
authenticator = {authenticator}
webroot_path = {folder},
[[webroot_map]]
one.test = {folder}
elsewhere.test = /var/www/elsewhere
"""
    found = left_open(adopt_renewal(text, ours("one.test")))
    assert len(found) == count
    assert all(f"acme_webroot: {folder}" in note for note in found.values())


def test_another_bench_is_left_alone() -> None:
    """Its upstreams may be called as anybody's, and be written with any ports."""
    other = server("", "two.test", "/home/other/frappe-bench")
    mine = ours("one.test")
    assert not is_of_bench(UPSTREAM + other, mine)
    assert not is_of_bench(UPSTREAM.replace("8000", "8001") + other, mine)
    assert is_of_bench(UPSTREAM.replace("8000", "8001") + server(""), mine)
    own = "server { server_name x.test; location / { proxy_pass http://localhost:8000; } }"
    assert is_of_bench(own, mine)


def test_two_benches_in_one_file_are_taken_apart() -> None:
    other = (UPSTREAM + server("", "two.test", "/home/other/b")).replace("frappe-bench-", "b-")
    other = other.replace("8000", "8001")
    assert parse(adopted(other + server("")).texts()["http.d"]) == parse(other)


def test_names_are_compared_as_nginx_does() -> None:
    found = adopt_nginx("a", UPSTREAM + server("", "Shop.Test"), ours("Shop.Test"))
    assert not found.of(Disposition.OPEN)


def test_a_port_is_told_with_its_site() -> None:
    text = server("").replace("listen 80", "listen 8010")
    note = 'sites/one.test/site_config.json: "nginx_port": 8010'
    assert left_open(adopted(text)) == {"listen 8010": note}


@pytest.mark.parametrize(
    "line",
    [
        r"""return 200 'a "b" \\"c';""",
        r"""return 200 "a \"b\" \\\"c";""",
        r"""location ~ "^/a{2}\.x$" { return 200 '}'; }""",
        r"""set $x "${y}z"; set $e "";""",
        r"""if ($a ~* '^(x|y z)$') { return 403; }""",
    ],
)
def test_what_is_written_reads_as_it_was(line: str) -> None:
    assert parse("".join(as_nginx(one) for one in parse(line))) == parse(line)


def test_a_quote_that_has_its_backslash_keeps_it() -> None:
    written = as_nginx(parse(r"""return 200 'a \"b c';""")[0])
    assert written == 'return 200 "a \\"b c";\n'


@pytest.mark.parametrize(
    ("limit", "note"),
    [
        ("400m", 'common_site_config.json: "max_file_size": 418381824'),
        ("51200k", None),
        ("20M", None),
        ("1048576", None),
        ("1g", 'common_site_config.json: "max_file_size": 1072693248'),
        ("0", 'common_site_config.json: "max_file_size" (in bytes)'),
    ],
)
def test_a_limit_on_uploads_is_lost_only_where_ours_is_lower(limit: str, note: str | None) -> None:
    line = f"client_max_body_size {limit}"
    expected = {} if note is None else {line: note}
    assert left_open(adopted(server(f"{line};"))) == expected
