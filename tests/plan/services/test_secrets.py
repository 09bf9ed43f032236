"""No secret goes into a plan: it is refused where it stands in the open, with the way out."""

from __future__ import annotations

import json

import pytest

from prodgen.diagnostics import Diagnostic, Severity
from prodgen.inputs.core.source import Source
from tests.support.plans import bench_files, codes, try_plan

WEB = "web: bench serve --port 8000\n"


def findings(procfile: str, settings: str = "", dotenv: str | None = None) -> list[Diagnostic]:
    """What is found of a bench, without what all of them have."""
    files = bench_files(procfile, gunicorn="23.0.0")._replace(
        settings=Source("prodgen.yaml", settings),
        dotenv=None if dotenv is None else Source(".env", dotenv, secret=True),
    )
    return try_plan(files)[1]


@pytest.mark.parametrize(
    "line",
    [
        "x: DB_PASSWORD=hunter2 bin/x",
        "x: A=1 API_TOKEN='hunter2 x' bin/x",
        "x: STRIPE_KEY=hunter2 bin/x",
        "x: client_secret=hunter2 bin/x",
        "x: BROKER=redis://:hunter2@h/1 bin/x",
        "x: API_TOKEN=hunter2 bin/x && bin/y",
        "x: export API_TOKEN=hunter2; bin/x",
        "worker: DB_PASSWORD=hunter2 bench worker",
    ],
)
def test_an_assignment_of_a_secret_is_refused(line: str) -> None:
    found = findings(f"{WEB}{line}\n")
    [one] = [one for one in found if one.severity is Severity.ERROR]
    assert (one.code, str(one.location).split(":")[:2]) == ("PG408", ["Procfile", "2"])
    assert "env_file" in one.help
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    "line",
    [
        "x: MODE=fast bin/x",
        "x: DB_PASSWORD_FILE=/run/secrets/db bin/x",
        "x: TOKENIZERS_PARALLELISM=false bin/x",
        "x: SSL_KEY_PATH=/etc/x.key bin/x",
        "x: API_TOKEN=$OTHER_TOKEN bin/x && bin/y",
        "x: bin/x --keys 3",
    ],
)
def test_what_is_no_secret_passes(line: str) -> None:
    assert "PG408" not in codes(findings(f"{WEB}{line}\n"))


@pytest.mark.parametrize(
    "line",
    ["x: bin/x --password hunter2", "x: bin/x --token=hunter2", "x: bin/x ftp://a:hunter2@h"],
)
def test_an_argument_that_looks_like_a_secret_gets_a_word(line: str) -> None:
    found = findings(f"{WEB}{line}\n", "processes: {x: {}}\n")
    assert codes(found, Severity.WARNING) == ["PG409"]
    assert "hunter2" not in repr(found)


def test_a_secret_of_one_process_in_prodgen_yaml() -> None:
    text = "processes:\n  x:\n    environment:\n      A_TOKEN: hunter2\n"
    found = findings(f"{WEB}x: bin/x\n", text)
    assert [(one.code, str(one.location)) for one in found if one.severity is Severity.ERROR] == [
        ("PG408", "prodgen.yaml:4:7")
    ]
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("settings", "dotenv", "expected"),
    [
        ("", None, []),
        ("", "A=hunter2", ["PG608"]),
        ("env_file: .env", "A=hunter2", []),
        ("env_file: .env", "A=hunter2 x", ["PG125"]),
        ("env_file: .env", None, ["PG609"]),
        ("env_file: /etc/x.env", "A=hunter2", ["PG608", "PG609"]),
    ],
)
def test_what_is_said_of_the_files(settings: str, dotenv: str | None, expected: list[str]) -> None:
    found = findings(WEB, settings, dotenv)
    assert codes(found) == expected
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize("path", ["../x", "a/../x", "~/x", "x/", "./x", "a\nb", "-x"])
def test_a_path_that_cannot_be(path: str) -> None:
    assert codes(findings(WEB, f"env_file: {json.dumps(path)}"), Severity.ERROR) == ["PG404"]
