"""Every message that prodgen can say, word for word: `tests/messages/CODE.txt`.

`pytest tests/messages --update-golden` writes them anew; read the difference aloud.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sarif_pydantic import Sarif

from prodgen import __version__
from prodgen.app import pipeline
from prodgen.app.reports import text as reports_text
from prodgen.app.terminal.text import width
from prodgen.cli.group import prodgen
from prodgen.codes import CODES, members
from prodgen.inputs import reader
from tests.messages import (
    of_apply,
    of_doctor,
    of_inputs,
    of_managers,
    of_outputs,
    of_plans,
    on_hosts,
)
from tests.messages.bench import Case
from tests.support.outputs import parse

HERE = Path(__file__).parent
BENCH = "/home/frappe/frappe-bench"
"""Stands in the golden files for the folder of the test."""
READ = reader.read_regular
"""What opens every file."""
WHOLE = r" *(--> |[a-z ]{1,20}: )?(`[^`]*`|\S)+"
"""A line that holds one thing to copy, or a place."""
DIRECT = {**on_hosts.DIRECT, **of_apply.DIRECT, **of_managers.DIRECT, **of_doctor.DIRECT}
SAID = {code for code in CODES if not members(code)}
"""A family is only a name for its members."""
CASES = {**of_inputs.CASES, **of_plans.CASES, **of_outputs.CASES}


class Streams(NamedTuple):
    """What a run wrote."""

    out: str
    err: str


class Ground:
    """Where the benches stand, and what a run there says."""

    def __init__(
        self, root: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
    ) -> None:
        self.root, self.patch, self.capture = root, patch, capture
        self.count = 0

    def said(self, case: Case) -> str:
        """The command, and what it wrote to standard error."""
        said = self.run(case, case.words).err
        return f"$ prodgen {' '.join(case.words)}\n{said}"

    def run(self, case: Case, words: Sequence[str]) -> Streams:
        """What a command writes for this bench."""
        self.count += 1
        bench = self.root / str(self.count) / "frappe-bench"
        bench.mkdir(parents=True)
        case.write(bench)
        self.patch.chdir(bench)
        self.patch.setattr(pipeline, "detect", lambda *_: case.facts)
        self.patch.setattr(reader, "read_regular", _refusing(case.forbidden))
        prodgen.main(list(words), prog_name="prodgen", standalone_mode=False)
        out, err = (text.replace(str(bench), BENCH) for text in self.capture.readouterr())
        return Streams(out, err)


def _refusing(name: str) -> Callable[..., bytes]:
    """The reader's own function, but for this one file."""

    def read(path: Path, *rest: Any) -> bytes:
        if name and str(path).endswith(name):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return READ(path, *rest)

    return read


@pytest.fixture
def ground(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ground:
    return Ground(tmp_path, monkeypatch, capsys)


def test_the_plain_bench_draws_nothing(ground: Ground) -> None:
    assert ground.said(Case()) == "$ prodgen validate\nprodgen: no errors\n"


def test_every_code_has_its_words() -> None:
    assert set(CASES).isdisjoint(DIRECT)
    assert {*CASES, *DIRECT} == SAID
    assert {path.stem for path in HERE.glob("*.txt")} == SAID


@pytest.mark.parametrize("code", CASES)
def test_words(code: str, ground: Ground, request: pytest.FixtureRequest) -> None:
    path = HERE / f"{code}.txt"
    said = [ground.said(case) for case in CASES[code]]
    if request.config.getoption("--update-golden"):
        path.write_text("\n".join(said), "utf-8")
    assert "\n".join(said) == path.read_text("utf-8")
    for one in said:
        assert f"[{code}]" in one


@pytest.mark.parametrize("code", DIRECT)
def test_words_about_a_host(
    code: str, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    path = HERE / f"{code}.txt"
    DIRECT[code].say()
    said = capsys.readouterr().err
    if request.config.getoption("--update-golden"):
        path.write_text(said, "utf-8")
    assert said == path.read_text("utf-8")
    assert f"[{code}]" in said


@pytest.mark.parametrize("code", [*CASES, *DIRECT])
def test_words_fit_a_terminal_of_80_columns(
    code: str, ground: Ground, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a word, path or command that is longer than a line stands in a line that is."""
    monkeypatch.setattr(reports_text, "columns_of", lambda _: 80)
    if code in CASES:
        said = ground.run(CASES[code][0], CASES[code][0].words).err
    else:
        DIRECT[code].say()
        said = capsys.readouterr().err
    long = [line for line in said.splitlines() if width(line) > 80]
    assert [line for line in long if not re.fullmatch(WHOLE, line)] == []


FORMATS = {"json": "json", "github": "github.txt", "sarif": "sarif"}
SHOWN_IN_ALL = ("PG103", "PG204", "PG610", "PG607", "PG643", "PG720")
"""With a place, with two, without one; an error, a warning, a note."""


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("code", SHOWN_IN_ALL)
def test_words_for_programs(
    code: str, form: str, ground: Ground, request: pytest.FixtureRequest
) -> None:
    path = HERE / "formats" / f"{code}.{FORMATS[form]}"
    out = ground.run(CASES[code][0], ["validate", "--format", form]).out
    out = out.replace(f'"semanticVersion": "{__version__}"', '"semanticVersion": "VERSION"')
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(out, "utf-8")
    assert out == path.read_text("utf-8")
    if form == "json":
        parse("diagnostics", out)
    if form == "sarif":
        Sarif.model_validate_json(out)
