"""New config is tried by who will read it; what cannot be tried is said, never taken for good."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from prodgen.deploy.apply import config_test
from prodgen.deploy.apply.config_test import try_out
from prodgen.deploy.apply.journal import Place
from prodgen.deploy.managers.systemd import config_test as systemd
from prodgen.host.programs import Done
from tests.support.plans import fixture_plan

PLAN = fixture_plan("frappe-15")
UNIT = "/etc/systemd/system/frappe-bench-web.service"


def place(path: str, target: str, content: str | None = "") -> Place:
    return Place(Path(path), target, None if content is None else content.encode(), 0o644)


def test_settings_of_gunicorn_have_to_be_python(tmp_path: Path) -> None:
    path = "/etc/prodgen/frappe-bench/gunicorn.conf.py"
    assert try_out(PLAN, [place(path, "gunicorn", "workers = 4")], tmp_path) == ([], [])
    [found], _ = try_out(PLAN, [place(path, "gunicorn", "workers = (")], tmp_path)
    assert found.message.startswith(f"gunicorn does not take it: {path}: ")
    assert try_out(PLAN, [place(path, "gunicorn", None)], tmp_path) == ([], [])


def test_what_reads_fixed_places_is_not_tried_without_a_namespace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_test, "_can_make_namespaces", lambda: False)
    places = [
        place("/etc/supervisor/conf.d/frappe-bench.conf", "supervisor"),
        place("/etc/nginx/conf.d/frappe-bench.conf", "nginx", None),
    ]
    found, notes = try_out(PLAN, places, tmp_path)
    assert found == []
    words = "no mount namespace can be made here, so nginx and supervisor could not try its files"
    assert notes == [words]
    _, notes = try_out(PLAN, places[1:], tmp_path)
    assert notes == [words.replace(" and supervisor", "")]


@pytest.mark.parametrize(
    ("code", "said", "is_refused", "notes"),
    [
        (0, "", False, 0),
        (0, "other.service: it is odd", False, 0),
        (0, "frappe-bench-web.service: it is odd", True, 0),
        (1, "broken", True, 0),
        (127, "not found", False, 1),
    ],
)
def test_units_are_verified_together(
    code: int,
    said: str,
    is_refused: bool,
    notes: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: dict[str, str] = {}

    def run(argv: Sequence[str], **_: object) -> Done:
        read.update({Path(one).name: Path(one).read_text() for one in argv if one[0] == "/"})
        return Done(tuple(argv), code, "", said)

    monkeypatch.setattr(systemd, "run", run)
    drop_in = place(f"{UNIT}.d/adopted.conf", "systemd", "[Service]")
    places = [place(UNIT, "systemd", "[Unit]"), drop_in, place(f"{UNIT}.old", "systemd", None)]
    found, noted = try_out(PLAN, places, tmp_path)
    assert read == {"frappe-bench-web.service": "[Unit]"}
    assert bool(found) is is_refused
    assert len(noted) == notes
    assert list(tmp_path.iterdir()) == []
