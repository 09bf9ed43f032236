"""A consumer's complaint goes back to the line of the bench's files behind it."""

from __future__ import annotations

import pytest

from prodgen.review.core.source_lines import find_source
from tests.support.reviewed import plan_with

PORT = 8765


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (f"bind() to 127.0.0.1:{PORT} failed", "sites/common_site_config.json"),
        ("/usr/bin/node: not executable", "Procfile:4"),
        ("something else is wrong", ""),
        (f"a number {PORT}99 that only begins alike", ""),
        ("1 of 4", ""),
    ],
)
def test_the_longest_value_in_the_words_has_the_place(words: str, place: str) -> None:
    found = find_source(plan_with(webserver_port=PORT), words)
    assert str(found or "").startswith(place)
    assert bool(found) == bool(place)
