"""Every code that the source reports is explained, and every explanation is used."""

from __future__ import annotations

import json
import re

from prodgen.codes import CODES
from tests.support.plans import ROOT

CODE = re.compile(r'"(PG\d{3})"')


def reported() -> set[str]:
    sources = (path.read_text("utf-8") for path in (ROOT / "prodgen").rglob("*.py"))
    return {code for text in sources for code in CODE.findall(text)}


def test_every_reported_code_is_explained() -> None:
    assert reported() - set(CODES) == set()


def test_every_explained_code_is_reported() -> None:
    assert set(CODES) - reported() == set()


def test_the_texts_are_sorted_and_say_something() -> None:
    path = ROOT / "prodgen" / "codes.json"
    assert list(json.loads(path.read_text("utf-8"))) == sorted(CODES)
    for code, entry in CODES.items():
        assert 5 < len(entry.title) < 70, code
        assert not entry.title.endswith("."), code
        assert len(entry.text) > 40, code
        assert entry.text.endswith("."), code
