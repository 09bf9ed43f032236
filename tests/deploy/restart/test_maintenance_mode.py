"""Which files maintenance mode is set in, and what comes back of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.restart.maintenance_mode import NOTE, files_to_set, is_cached, lift_noted
from prodgen.host.door import enter
from prodgen.review.changes.site_config_edit import FILE

SITE = "sites/a.test/site_config.json"


@pytest.mark.parametrize(
    ("common", "site", "expected"),
    [
        ("", "{}", {FILE: None}),
        ('{"maintenance_mode": 0}', "{}", {FILE: 0}),
        ('{"maintenance_mode": 1}', "{}", {}),
        ('{"maintenance_mode": 1}', '{"maintenance_mode": 0}', {SITE: 0}),
        ("{}", '{"maintenance_mode": 1}', {FILE: None}),
        ("{}", '{"maintenance_mode": false}', {FILE: None, SITE: False}),
    ],
)
def test_only_what_switches_a_site_is_set(
    common: str, site: str, expected: dict[str, object]
) -> None:
    assert files_to_set(common, {SITE: site}) == expected


@pytest.mark.parametrize(
    ("now", "after"),
    [
        ('{"a": 1, "maintenance_mode": true}', '{"a": 1}'),
        ('{"a": 1, "maintenance_mode": 1}', '{"a": 1, "maintenance_mode": 1}'),
        ('{"a": 1}', '{"a": 1}'),
    ],
)
def test_only_what_prodgen_has_set_is_lifted(tmp_path: Path, now: str, after: str) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / FILE).write_text(now)
    (tmp_path / NOTE).write_text(json.dumps({FILE: None}))
    assert lift_noted(enter(tmp_path))
    assert (tmp_path / FILE).read_text() == after
    assert not (tmp_path / NOTE).exists()
    assert not lift_noted(enter(tmp_path))


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "sites/../../x/site_config.json", "sites/x/y.json"]
)
def test_a_note_leads_to_no_other_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / NOTE).write_text(json.dumps({name: None}))
    assert lift_noted(enter(tmp_path))
    assert not (tmp_path / NOTE).exists()


def test_a_note_that_is_none_is_for_its_reader_to_remove(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    os.mkfifo(tmp_path / NOTE)
    with pytest.raises(DeployError, match="still on: a named pipe") as refused:
        lift_noted(enter(tmp_path))
    way_out = f"put back what {tmp_path / NOTE} says, and remove that file"
    assert refused.value.help.endswith(way_out)
    assert refused.value.help.startswith("run it as root") == (os.geteuid() != 0)


def test_which_frappe_keeps_its_config_in_memory() -> None:
    assert [is_cached(one) for one in ((), (16, 0), (15, 72))] == [True, True, False]
