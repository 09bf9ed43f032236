"""docs/reference/ is as the code makes it, and says all that there is."""

from __future__ import annotations

import pytest

from prodgen.cli.command_list import COMMANDS
from prodgen.cli.core.exits import Exit
from prodgen.codes import CODES
from prodgen.inputs.schema.check import load_schema
from prodgen.targets.registry import MODULES
from tests.docs.reference import FOLDER, pages
from tests.docs.reference.fields import keys_of


def test_the_pages_are_up_to_date(request: pytest.FixtureRequest) -> None:
    made = pages()
    if request.config.getoption("--update-golden"):
        FOLDER.mkdir(exist_ok=True)
        for path in FOLDER.iterdir():
            path.unlink()
        for name, text in made.items():
            (FOLDER / name).write_text(text, "utf-8")
    there = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}
    assert sorted(there) == sorted(made), "make golden"
    assert [name for name in made if there[name] != made[name]] == [], "make golden"


def test_every_command_code_and_target_has_a_heading() -> None:
    made = pages()
    lines = {name: set(text.splitlines()) for name, text in made.items()}
    assert {f"## prodgen {name}" for name in COMMANDS} <= lines["commands.md"]
    assert {f"### {code}" for code in CODES} <= lines["diagnostics.md"]
    assert {f"## {name}" for name in MODULES} <= lines["files.md"]
    assert [code for code in Exit if f"`{code.value}`" not in made["exit-codes.md"]] == []


@pytest.mark.parametrize(
    ("schema", "page"),
    [
        ("prodgen", "settings.md"),
        ("common_site_config", "site-config.md"),
        ("site_config", "site-config.md"),
    ],
)
def test_every_key_is_there(schema: str, page: str) -> None:
    headings = {line.lstrip("# ") for line in pages()[page].splitlines() if line.startswith("##")}
    whole = load_schema(schema)
    for key in keys_of(whole, whole):
        path = key.path
        if path[0] == "resources" and len(path) > 2:
            path = ("resources", "ROLE", *path[2:])
        if path[0] != "environments":
            assert ".".join(path) in headings


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ("doctor", "findings[].fix"),
        ("manifest", "files[].sha256"),
        ("plan", "services"),
        ("diff", "steps[].settings[].key"),
    ],
)
def test_a_field_has_its_path(schema: str, field: str) -> None:
    _, _, section = pages()["schemas.md"].partition(f"\n## {schema}\n")
    assert f"\n| `{field}` | " in section.partition("\n## ")[0]
