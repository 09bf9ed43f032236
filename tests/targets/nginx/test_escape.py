"""Values in nginx's language, read back by crossplane."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import crossplane
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodgen.plan.core.model import Address
from prodgen.targets.core.base import Unwritable
from prodgen.targets.nginx import escape as syntax

ANYTHING = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
UNESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def parsed(text: str) -> Any:
    """The directives of a configuration as crossplane reads them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "x.conf")
        file.write_text(text, newline="")
        payload = crossplane.parse(str(file), check_ctx=False, check_args=False)
    assert not payload["errors"], payload["errors"]
    return payload["config"][0]["parsed"]


def unescaped(word: str) -> str:
    """What nginx makes of a word that crossplane has taken out of its quotes."""
    return re.sub(
        r"\\([\\\"'nrt])", lambda found: UNESCAPED.get(found[1], found[1]), word, flags=re.DOTALL
    )


@pytest.mark.slow
@pytest.mark.pitfall("2d")
@settings(max_examples=300, deadline=None)
@given(ANYTHING)
def test_any_text_is_one_word_and_ends_nothing(value: str) -> None:
    directives = parsed(f"root {syntax.word(value)};\nindex end;\n")
    assert [one["directive"] for one in directives] == ["root", "index"]
    assert [unescaped(word) for word in directives[0]["args"]] == [value]


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(ANYTHING)
def test_any_text_goes_through_where_variables_are_expanded(value: str) -> None:
    (only,) = parsed(f"root {syntax.text(value, 'x_dollar')};\n")
    (word,) = only["args"]
    assert not re.search(r"\$(?!\{x_dollar\})", word)
    assert unescaped(word).replace("${x_dollar}", "$") == value


@pytest.mark.parametrize(
    ("make", "value"),
    [
        (syntax.word, "a\0b"),
        (syntax.word, "x" * 4001),
        (syntax.word, "é" * 2001),
        (syntax.word, "\ud800"),
        (syntax.constant, "/etc/ssl/$host.pem"),
    ],
)
def test_what_nginx_cannot_hold_is_refused(make: Any, value: str) -> None:
    with pytest.raises(Unwritable):
        make(value)


def test_a_socket_path_fits_the_kernel() -> None:
    assert syntax.server(Address(path="/" + "x" * 106)) == "unix:/" + "x" * 106
    assert syntax.server(Address(path="/run/a b.sock")) == '"unix:/run/a b.sock"'
    assert syntax.server(Address(host="::1", port=80)) == "[::1]:80"
    with pytest.raises(Unwritable):
        syntax.server(Address(path="/" + "x" * 107))


def test_identifiers_are_short_and_differ_where_the_names_do() -> None:
    assert syntax.identifier("frappe-bench") == "frappe_bench"
    names = ("frappe-bench", "frappe_bench", "frappe.bench", "Frappe-bench", "2024", "x" * 64)
    made = [syntax.identifier(name) for name in (*names, "x" * 63)]
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,21}", one) for one in made)


@pytest.mark.parametrize(
    ("name", "server_name", "key"),
    [
        ("one.test", "one.test", "one.test"),
        ("*.one.test", "*.one.test", "*.one.test"),
        ("default", "default", "\\default"),
        ("::1", "[::1]", "[::1]"),
        ("10.0.0.1", "10.0.0.1", "10.0.0.1"),
        ("a" * 42 + ".com", "a" * 42 + ".com", "a" * 42 + ".com"),
        ("a" * 43 + ".com", f"~^{'a' * 43}\\.com$", f"~^{'a' * 43}\\.com$"),
        (f"*.{'a' * 46}.com", f"*.{'a' * 46}.com", f"*.{'a' * 46}.com"),
        (f"*.{'a' * 47}.com", f"~^.+\\.{'a' * 47}\\.com$", f"~^.+\\.{'a' * 47}\\.com$"),
    ],
)
def test_host_names(name: str, server_name: str, key: str) -> None:
    assert (syntax.host_name(name), syntax.map_key(name)) == (server_name, key)


@pytest.mark.parametrize(
    ("count", "text"),
    [(51 * 1024**2, "51m"), (1024**3, "1g"), (1500, "1500"), (2048, "2k"), (0, "0")],
)
def test_sizes(count: int, text: str) -> None:
    assert syntax.size(count) == text
