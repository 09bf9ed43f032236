"""What a manifest says of the inputs: every change that counts, and nothing of a secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prodgen.inputs.bench import parse_bench
from prodgen.inputs.fingerprints import fingerprints
from prodgen.inputs.reader import read_bench
from tests.support.command import copy_bench

SITE = "sites/erp.example.com/site_config.json"
COMMON = "sites/common_site_config.json"


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    folder = copy_bench(tmp_path / "frappe-bench")
    (folder / "prodgen.yaml").write_text("version: 1\nweb: {timeout: 100}\n")
    return folder


def texts(bench: Path) -> dict[str, str]:
    files, _ = read_bench(bench)
    parsed, found = parse_bench(files)
    assert parsed, found
    return fingerprints(files, parsed)


def put(bench: Path, name: str, **more: object) -> None:
    path = bench / name
    path.write_text(json.dumps(json.loads(path.read_text()) | more))


def test_every_input_is_among_them(bench: Path) -> None:
    (bench / ".env").write_text("TOKEN=tiger\n")
    assert set(texts(bench)) == {
        "Procfile",
        "prodgen.yaml",
        COMMON,
        SITE,
        "sites/crm.example.com/site_config.json",
        "config/redis_cache.conf",
        "config/redis_queue.conf",
        "apps/frappe/frappe/__init__.py",
    }


@pytest.mark.parametrize(
    ("name", "change"), [(SITE, {"domains": ["x.org"]}), (COMMON, {"background_workers": 7})]
)
def test_what_counts_makes_a_difference(name: str, change: dict, bench: Path) -> None:
    before = texts(bench)
    put(bench, name, **change)
    after = texts(bench)
    assert {one for one in after if after[one] != before[one]} == {name}


def test_a_setting_and_a_line_make_a_difference(bench: Path) -> None:
    before = texts(bench)
    (bench / "prodgen.yaml").write_text("version: 1\nweb: {timeout: 101}\n")
    with (bench / "Procfile").open("a") as procfile:
        procfile.write("extra: sleep 9\n")
    after = texts(bench)
    assert {one for one in after if after[one] != before[one]} == {"prodgen.yaml", "Procfile"}


def test_nothing_of_a_secret_gets_in(bench: Path) -> None:
    put(bench, SITE, db_password="tiger", my_pin="tiger")
    put(bench, COMMON, redis_cache="redis://:tiger@127.0.0.1:13000", mail_password="tiger")
    with (bench / "Procfile").open("a") as procfile:
        procfile.write("extra: API_TOKEN=tiger sleep 9\n")
    with (bench / "config/redis_cache.conf").open("a") as conf:
        conf.write("requirepass tiger\n")
    (bench / ".env").write_text("TOKEN=tiger\n")
    found = texts(bench)
    assert not [name for name, text in found.items() if "tiger" in text]
    put(bench, SITE, db_password="tigre", my_pin="other")
    assert texts(bench) == found


def test_a_broken_site_is_no_input(bench: Path) -> None:
    (bench / SITE).write_text("{")
    assert SITE not in texts(bench)
