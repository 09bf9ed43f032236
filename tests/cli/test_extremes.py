"""Files as no editor should leave them, and more of them than anybody expects."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.support.command import copy_bench, prodgen

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def rendered(bench: Path) -> str:
    done = prodgen("render", "-q", "-C", bench)
    assert done.code == 0, done.err
    return done.out


@pytest.mark.parametrize("line_break", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_line_breaks_and_tabs(line_break: bytes, tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    plain = rendered(bench)
    for path in (bench / "Procfile", *bench.glob("sites/**/*.json")):
        text = path.read_bytes()
        spaced = text.replace(b": ", b":\t") if path.name == "Procfile" else text
        tabs = spaced.replace(b"\n ", b"\n\t") if path.suffix == ".json" else spaced
        path.write_bytes(tabs.replace(b"\n", line_break))
    assert rendered(bench) == plain


@pytest.mark.parametrize("name", ["Procfile", "sites/common_site_config.json"])
def test_a_byte_order_mark_is_what_honcho_and_frappe_trip_over(name: str, tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    (bench / name).write_bytes(BYTE_ORDER_MARK + (bench / name).read_bytes())
    done = prodgen("render", "-C", bench, cwd=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert f"--> frappe-bench/{name}:1:1" in done.err
    assert "without a byte order mark" in done.err


def test_ten_megabytes_of_json(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    plain = rendered(bench)
    path = bench / "sites/common_site_config.json"
    data = json.loads(path.read_text()) | {"own_data": ["x" * 90] * 110_000}
    path.write_text(json.dumps(data))
    assert path.stat().st_size > 10 * 1000**2
    started = time.monotonic()
    assert rendered(bench) == plain
    assert time.monotonic() - started < 10


def test_ten_thousand_sites(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    for number in range(10_000):
        folder = bench / f"sites/site-{number}.example.com"
        folder.mkdir()
        (folder / "site_config.json").write_text('{"db_name": "x"}')
    started = time.monotonic()
    done = prodgen("render", "-t", "nginx", "-C", bench)
    assert done.code == 0, done.err
    assert all(f"site-{number}.example.com" in done.out for number in range(0, 10_000, 999))
    assert time.monotonic() - started < 20
