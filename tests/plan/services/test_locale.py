"""Every service has a UTF-8 locale, whatever the one of the shell that started its manager."""

from __future__ import annotations

import pytest

from prodgen.inputs.core.source import Source
from tests.support.plans import bench_files, make_plan, service

PROCFILE = "web: bench serve\nworker: {before}bench worker\nbot: {before}python bot.py\n"
UTF8 = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def locale(name: str, before: str = "", settings: str = "") -> dict[str, str]:
    """The variables of the locale that a service gets."""
    files = bench_files(PROCFILE.format(before=before))
    plan = make_plan(files._replace(settings=Source("prodgen.yaml", settings)))
    pairs = service(plan, name).environment.value
    return {key: value for key, value in pairs if key.startswith("L") and key != "LOGNAME"}


@pytest.mark.parametrize("name", ["frappe-web", "frappe-short-worker", "bot"])
def test_it_is_utf_8(name: str) -> None:
    assert locale(name) == UTF8


@pytest.mark.parametrize("given", ["LANG", "LC_TIME", "LANGUAGE"])
@pytest.mark.parametrize("name", ["frappe-short-worker", "bot"])
def test_a_locale_of_one_s_own_counts_alone(name: str, given: str) -> None:
    """LC_ALL of ours would hide it."""
    own = {given: "de_DE.UTF-8"}
    assert locale(name, before=f"{given}=de_DE.UTF-8 ") == own
    assert locale(name, settings=f"env: {{{given}: de_DE.UTF-8}}\n") == own
    assert locale("frappe-web", before=f"{given}=de_DE.UTF-8 ") == UTF8


def test_the_line_s_own_locale_replaces_that_of_every_service() -> None:
    settings = "env: {LANG: fr_FR.UTF-8}\n"
    found = locale("bot", before="LANG=de_DE.UTF-8 ", settings=settings)
    assert found == {"LANG": "de_DE.UTF-8"}
