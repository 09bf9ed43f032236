"""Messages about broken files: the line with the fault, without the secret in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodgen.diagnostics import Diagnostic
from prodgen.inputs.core.file_kinds import COMMON, SITE
from prodgen.inputs.core.source import Source
from prodgen.inputs.json.parser import parse_json
from prodgen.inputs.procfile.parser import parse_procfile
from prodgen.inputs.redact.excerpt import excerpt
from prodgen.inputs.schema.check import check
from prodgen.inputs.settings import parse_settings

PEM = "\n".join(["-----BEGIN KEY-----", *["hunter2==" * 7] * 40])


def of_json(text: str) -> list[Diagnostic]:
    document, found = parse_json(Source("sites/a/site_config.json", text), SITE)
    if document:
        found += [*check(document, SITE.schema), *check(document, COMMON.schema)]
    return found


def of_yaml(text: str) -> list[Diagnostic]:
    return parse_settings(Source("prodgen.yaml", text))[1]


def of_procfile(text: str) -> list[Diagnostic]:
    procfile, found = parse_procfile(Source("Procfile", text))
    for entry in procfile.entries:
        assert "hunter2" not in f"{entry.location}{entry.location.text}"
        assert "hunter2" not in f"{entry.command_location.text}{entry.command.needs_shell}"
    return found


@pytest.mark.parametrize(
    "text",
    [
        '{"db_password": "hunter2',
        '{"db_password": "hunter2"',
        '{"db_password": "hunter2" "a": 1}',
        '{"db_password": "hun\\qhunter2"}',
        '{"db_password" "hunter2"}',
        '{"db_password", "hunter2"; }',
        '{"db_password"; "hunter2"}',
        '{"db_password" = "hunter2"}',
        "{'db_password': 'hunter2'}",
        "{db_password: 'hunter2'}",
        '{"db_password": hunter2}',
        '{"db_password": hunter2 hunter2}',
        '{"db_password": “hunter2 hunter2”}',
        '{"db_password": ["x", hunter2]}',
        '{"db_password":\n  hunter2 hunter2}',
        '{"db_password": "a\nhunter2"}',
        '{"db_password": "hunter2", "db_password": "hunter2"}',
        '{"db_password": 08hunter2}',
        '{"db_password": "hunter2",, "a": 1}',
        '{"redis_cache": "redis://:hunter2@h:x/y", "webserver_port": {}}',
        '{"private_key": "' + PEM.replace("\n", "\\n") + '\\q"}',
        '{"private_key": "' + PEM + '"}',
    ],
)
def test_json(text: str) -> None:
    found = of_json(text)
    assert found
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "env: {DB_PASSWORD: hunter2}",
        "env:\n  DB_PASSWORD: hunter2 hunter2\n",
        "env:\n  DB_PASSWORD: |\n    hunter2\n   hunter2\n\tx: 1",
        "env:\n  DB_PASSWORD: 'hunter2",
        'env:\n  DB_PASSWORD: "hunter2\\q"',
        "env:\n  DB_PASSWORD: hunter2: hunter2",
        "env:\n  DB_PASSWORD: [hunter2, {",
        "env:\n  DB_PASSWORD: @hunter2",
        "env:\n  DB_PASSWORD: !hunter2 x",
        "env:\n  DB_PASSWORD: &a\n   - hunter2",
        "env:\n  REDIS: redis://:hunter2@h",
        "processes: {x: {command: c, environment: {A_KEY: hunter2}}}",
        f"env:\n  A_SECRET: |\n    {PEM}\n\tx",
    ],
)
def test_yaml(text: str) -> None:
    found = of_yaml(text.replace("PEM\n", "PEM\n    "))
    assert found
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "web: DB_PASSWORD=hunter2 bench serve \\",
        " web: DB_PASSWORD='hunter2 hunter2' bench serve",
        "web DB_PASSWORD=\"a\"'hunter2 x' bench serve",
        "DB_PASSWORD=hunter2: x",
        "DB_PASSWORD=hunter2",
        "web: A_KEY=x\\ hunter2 bench serve\nweb: x",
        "web: x --token=hunter2$HOME",
        "web: x --password hunter2\u2028",
    ],
)
def test_procfile(text: str) -> None:
    assert "hunter2" not in repr(of_procfile(text))


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "b", "c": 1} // words',
        "# the token is used here",
        'a: ["x", "password"]',
        '"db_name": "x"',
        "web: bench serve --port 8000",
    ],
)
def test_left_alone(text: str) -> None:
    assert excerpt(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"db_password": "hunter2", "port": 80 80}', '{"db_password": "*******", "port": 80 80}'),
        ("A_TOKEN=hunter2 cmd --x", "A_TOKEN=******* cmd --x"),
        ("a_token: hunter2 # why", "a_token: ******* # why"),
    ],
)
def test_what_is_well_formed_hides_no_more_than_its_value(text: str, shown: str) -> None:
    assert excerpt(text) == shown


@given(st.lists(st.sampled_from(['"db_password"', "A_KEY=", ": ", '"', "'", "\n", " x", "{", ","])))
def test_every_character_keeps_its_place(pieces: list[str]) -> None:
    text = "".join(pieces)
    shown = excerpt(text)
    assert len(shown) == len(text)
    assert all(new in (old, "*") for old, new in zip(text, shown, strict=True))


VALUE = st.text("hunter2 \"'\\:=,{}[]#\t", min_size=3).map(lambda text: f"Q{text}Q")


@given(VALUE, st.integers(0, 60))
def test_a_json_file_cut_off_anywhere(value: str, cut: int) -> None:
    text = json.dumps({"db_name": "x", "db_password": value, "a": 1})
    text = text[: len(text) - cut]
    assert value[1:-1].strip() not in "".join(one.location.text for one in of_json(text)
                                              if one.location) or not value.strip("Q ")  # fmt: skip
