"""What a file means does not depend on comments, order and layout."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import crossplane
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodgen.review.core.parse import meaning
from prodgen.targets.nginx.parse import parse
from tests.support.plans import FIXTURES

SAME = {
    "supervisor": (
        "[program:a]\ncommand=/bin/a  ; why\nuser=u\n\n[group:g]\nprograms=a,b\n",
        "; made\n[group:g]\nprograms = b, a\n[program:a]\nuser=u\ncommand=/bin/a\n",
    ),
    "systemd": (
        "[Unit]\nDescription=a\n\n[Service]\nExecStart=/bin/a \\\n  b\n",
        "# made\n[Service]\nExecStart=/bin/a b\n[Unit]\n; why\nDescription=a\n",
    ),
    "nginx": (
        'server {\n  listen 80;\n  server_name a; # why\n  add_header X "a b";\n}\n',
        "# made\nserver { listen 80; server_name a;\n add_header X 'a b'; }\n",
    ),
    "gunicorn": ("workers = 4\n\ntimeout = 120  # why\n", "# made\ntimeout = 120\nworkers = (4)\n"),
    "redis": ("port 1\n# why\nsave 900 1\n", 'SAVE "900 1"\nPort   1\n'),
}
OTHER = {
    "supervisor": [("user=u", "user=v"), ("programs=a,b", "programs=a"), ("command=/bin/a", "#")],
    "systemd": [("/bin/a", "/bin/c"), ("Description=a", ""), ("[Service]", "[Socket]")],
    "nginx": [("80", "81"), ('"a b"', "a b"), ("server_name a", "server_name b"), ("}", "} a b;")],
    "gunicorn": [("4", "5"), ("timeout", "graceful_timeout")],
    "redis": [("port 1", "port 2"), ("save 900 1\n", "")],
}


@pytest.mark.parametrize("target", SAME)
def test_comments_order_and_layout_mean_nothing(target: str) -> None:
    one, two = SAME[target]
    assert meaning(target, one) == meaning(target, two)


@pytest.mark.parametrize(
    ("target", "before", "after"),
    [(target, *pair) for target, pairs in OTHER.items() for pair in pairs],
)
def test_everything_else_does(target: str, before: str, after: str) -> None:
    text = SAME[target][0]
    assert before in text
    assert meaning(target, text) != meaning(target, text.replace(before, after, 1))


@pytest.mark.parametrize("target", SAME)
@pytest.mark.parametrize("text", ["[", "{ } }", "a {", "'", "x = (", "\x00", "[a]\nb", '"'])
def test_what_is_no_config_is_lines(target: str, text: str) -> None:
    """Half-written files of others differ where their lines do; none is a surprise."""
    assert meaning(target, text) == meaning(target, text)
    assert meaning(target, f"{text}\nelse") != meaning(target, text)


@given(st.sampled_from(list(SAME)), st.text(max_size=60))
def test_no_text_is_a_surprise(target: str, text: str) -> None:
    meaning(target, text)


def words(block: list[dict[str, object]]) -> list[object]:
    """crossplane's own reading of a file, in the form of ours."""
    found: list[object] = []
    for one in block:
        if one["directive"] == "#":
            continue
        inner = one.get("block")
        head = without_brackets([str(one["directive"]), *one["args"]])  # type: ignore[misc]
        found.append([head, words(inner) if inner is not None else None])  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    "path", sorted(FIXTURES.glob("*/expected/nginx/*.conf")), ids=lambda path: path.parts[-4]
)
def test_nginx_is_read_as_crossplane_reads_it(path: Path) -> None:
    payload = crossplane.parse(str(path), single=True, check_ctx=False, check_args=False)
    theirs = words(payload["config"][0]["parsed"])
    assert json.dumps(ours(path.read_text())) == json.dumps(theirs)


NGINX_WORD = st.text(alphabet="ab$ {};#'\"\\\n~^.*", min_size=1, max_size=8)


@given(st.lists(st.lists(NGINX_WORD, min_size=1, max_size=3), min_size=1, max_size=4))
def test_quoted_words_are_read_as_crossplane_reads_them(lines: list[list[str]]) -> None:
    quoted = [["x", *(f'"{_escaped(word)}"' for word in line)] for line in lines]
    text = "".join(f"{' '.join(line)};\n" for line in quoted)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        payload = crossplane.parse(file.name, single=True, check_ctx=False, check_args=False)
    theirs = words(payload["config"][0]["parsed"])
    assert len(ours(text)) == len(theirs)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"')


def without_brackets(head: list[str]) -> list[str]:
    """The condition of an `if` as crossplane gives it."""
    if head[0] != "if":
        return head
    return [word for word in (part.strip("()") for part in head) if word]


def ours(text: str) -> list[object]:
    def shown(directives: object) -> list[object]:
        return [
            [without_brackets(list(one.words)), shown(one.inner) if one.inner is not None else None]
            for one in directives  # type: ignore[attr-defined]
        ]

    return shown(parse(text))
