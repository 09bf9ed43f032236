"""Nothing that somebody has set is lost when prodgen takes a bench over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from prodgen.plan.core.model import Plan
from prodgen.provenance import Sourced
from prodgen.review.adopt.core.model import Adoption, Disposition
from prodgen.review.adopt.nginx.directives import leaves, ours_of
from prodgen.review.adopt.nginx.file import adopt_nginx
from prodgen.review.adopt.nginx.write import as_nginx, count_settings
from prodgen.review.adopt.supervisor.own_section import as_section
from prodgen.review.adopt.supervisor.sections import (
    adopt_supervisor,
    is_of_bench,
    sections_of,
    spared_groups,
)
from prodgen.review.core.parse import merged
from prodgen.targets.nginx.escape import identifier
from prodgen.targets.nginx.parse import nginx_blocks, parse
from tests.support.corpus import FOLDER
from tests.support.plans import bench_files, make_plan
from tests.support.reviewed import COMMON, PROCFILE, REDIS, side

HERE = Path(__file__).parent / "adopted"
OWN = sorted(path for path in HERE.iterdir() if path.is_dir())
FIELD = sorted(Path(FOLDER, "benches").glob("*/config")) if FOLDER else []


def files(name: str) -> list[Path]:
    """Every file of this name: of our own, and of the field."""
    return [folder / name for folder in (*OWN, *FIELD) if (folder / name).is_file()]


def plan_for(text: str, *sites: str) -> Plan:
    """The plan of a bench in the folder that a file of theirs names."""
    made = make_plan(
        bench_files(
            PROCFILE, COMMON, sites={name: {} for name in sites or ("one.test",)}, redis=REDIS
        )
    )
    found = re.search(r"(?m)(?:root (\S+)/sites;|command=(\S+)/env/bin/)", text)
    folder = PurePosixPath(found[1] or found[2]) if found else made.bench.value
    return made._replace(bench=Sourced(folder, made.bench.origin))


def sites_in(text: str) -> set[str]:
    return {
        one.words[2]
        for server in parse(text)
        for one in leaves(server)
        if one.words[:2] == ("proxy_set_header", "X-Frappe-Site-Name") and "$" not in one.words[2]
    }


def adopted_nginx(text: str, *sites: str) -> Adoption:
    plan = plan_for(text, *(sites or sorted(sites_in(text))))
    return adopt_nginx("nginx.conf", text, ours_of(plan, side(plan, "supervisor")))


def adopted_programs(text: str) -> Adoption:
    plan = plan_for(text)
    ours = merged(side(plan, "supervisor"), "supervisor")
    return adopt_supervisor("supervisor.conf", text, plan, ours)


@pytest.mark.parametrize("path", files("nginx.conf"), ids=lambda path: path.parts[-3:][0])
def test_every_directive_is_accounted_for(path: Path) -> None:
    text = path.read_text()
    found = adopted_nginx(text)
    whole = parse(text)
    assert sum(one.settings for one in found.entries) == sum(map(count_settings, whole))
    moved = sum(one.settings for one in found.of(Disposition.MOVED))
    kept = [one for addition in found.additions for one in parse(addition.text)]
    assert sum(map(count_settings, kept)) == moved
    assert all(one.note for one in found.of(Disposition.OPEN)), found.of(Disposition.OPEN)
    assert not re.search(r"@webserver|@magic|site_name_|-frappe\b", "".join(found.texts().values()))


@pytest.mark.parametrize("path", files("supervisor.conf"), ids=lambda path: path.parts[-3:][0])
def test_every_option_is_accounted_for(path: Path) -> None:
    text = path.read_text(errors="replace")
    found = adopted_programs(text)
    sections = sections_of(text) or {}
    assert is_of_bench(text, plan_for(text))
    total = sum(len(options) + 1 for options in sections.values())
    assert sum(one.settings for one in found.entries) == total
    for addition in found.additions:
        kept = sections_of(addition.text) or {}
        assert kept == {name: sections[name] for name in kept}
    assert all(one.note for one in found.of(Disposition.OPEN)), found.of(Disposition.OPEN)


@pytest.mark.parametrize("path", files("nginx.conf"), ids=lambda path: path.parts[-3:][0])
def test_nginx_reads_what_is_written_as_it_was(path: Path) -> None:
    whole = parse(path.read_text())
    assert parse("".join(as_nginx(one) for one in whole)) == whole


def test_bench_alone_leaves_nothing_open_but_counts() -> None:
    found = adopted_nginx((HERE / "by-bench/nginx.conf").read_text(), "one.test")
    assert not found.of(Disposition.OPEN)
    assert not found.additions
    programs = adopted_programs((HERE / "by-bench/supervisor.conf").read_text())
    assert [one.note for one in programs.of(Disposition.OPEN)] == [
        '-w 5 (ours: 4), common_site_config.json: "gunicorn_workers": 5'
    ]


def test_additions_by_hand_move_into_the_include_points() -> None:
    found = adopted_nginx((HERE / "by-hand/nginx.conf").read_text(), "one.test")
    texts = found.texts()
    assert set(texts) == {"http.d", "server.d", "location.d"}
    assert "map $http_user_agent $is_robot_of_mine" in texts["http.d"]
    assert "location = /robots-of-mine.txt" in texts["server.d"]
    assert "proxy_pass http://frappe-bench-web;" in texts["server.d"]
    assert "proxy_set_header X-Of-Mine yes;" in texts["location.d"]
    assert [one.text for one in found.of(Disposition.OPEN)] == ["client_max_body_size 400m"]


def test_what_one_site_has_is_not_given_to_all() -> None:
    text = (HERE / "by-hand/nginx.conf").read_text()
    other = text[text.index("server {\n") :].replace("one.test", "two.test")
    plain = re.sub(r"location = /robots-of-mine[^}]*}", "", other)
    found = adopted_nginx(text + plain, "one.test", "two.test")
    shared = "".join(found.texts().values())
    assert "robots-of-mine" not in shared
    assert "reports-of-mine" in shared
    assert "location = /robots-of-mine.txt" in {one.text for one in found.of(Disposition.OPEN)}


def test_the_names_of_bench_become_ours() -> None:
    text = """server { server_name one.test; root /home/frappe/frappe-bench/sites;
    location /y { try_files $uri @webserver; } }"""
    assert "try_files $uri @web;" in adopted_nginx(text, "one.test").texts()["server.d"]


def test_a_certificate_of_certbot_is_told_as_the_setting_that_keeps_it() -> None:
    found = adopted_nginx((HERE / "by-certbot/nginx.conf").read_text(), "one.test")
    notes = {one.note for one in found.of(Disposition.OPEN)}
    chain = "/etc/letsencrypt/live/one.test/fullchain.pem"
    assert any(
        note.startswith(f'sites/one.test/site_config.json: "ssl_certificate": "{chain}"')
        for note in notes
    )
    assert not found.additions


def test_programs_of_ones_own_stay_and_secrets_are_not_shown() -> None:
    found = adopted_programs((HERE / "by-hand/supervisor.conf").read_text())
    assert "[program:robot-of-mine]\ncommand=/bin/sleep infinity\n" in found.texts()["programs"]
    notes = " ".join(one.note for one in found.of(Disposition.OPEN))
    assert 'prodgen.yaml: env: {"MINE": "1"}' in notes
    assert "env_file, a file with API_KEY" in notes
    assert "abc" not in "".join(one.text + one.note for one in found.entries)


def test_a_file_that_cannot_be_read_is_left_open_as_a_whole() -> None:
    for text in ("server { listen 80;", "upstream a { server 1; } }"):
        assert set(nginx_blocks(text)) == {"file"}
        assert [one.disposition for one in adopted_nginx_broken(text).entries] == [Disposition.OPEN]
    assert [one.disposition for one in adopted_programs("[program:x\n").entries] == [
        Disposition.OPEN
    ]


def adopted_nginx_broken(text: str) -> Adoption:
    plan = plan_for("")
    return adopt_nginx("nginx.conf", text, ours_of(plan, side(plan, "supervisor")))


def redis_sections(command: str) -> Iterator[str]:
    for name in ("redis-cache", "redis-queue"):
        yield as_section(f"program:frappe-bench-{name}", {"command": command, "user": "frappe"})
    yield as_section(
        "group:frappe-bench-redis",
        {"programs": "frappe-bench-redis-cache,frappe-bench-redis-queue"},
    )


@pytest.mark.parametrize(
    ("command", "spared"), [("redis x", {"frappe-bench-redis"}), ("redis y", set())]
)
def test_redis_goes_on_where_its_command_is_the_same(command: str, spared: set[str]) -> None:
    from prodgen.targets.supervisor.parse import supervisor_blocks

    old, new = (supervisor_blocks("\n".join(redis_sections(one))) for one in ("redis x", command))
    assert spared_groups(old, new, "frappe-bench") == spared


def test_the_variable_of_bench_becomes_ours() -> None:
    text = """map $host $site_name_abcdefg { one.example one.test; default $host; }
    server { server_name one.test; root /home/frappe/frappe-bench/sites;
    location /x { proxy_set_header X-Frappe-Site-Name $site_name_abcdefg; } }"""
    assert (
        f"${identifier('frappe-bench')}_site;"
        in adopted_nginx(text, "one.test").texts()["server.d"]
    )
