"""Shipped templates are kept compiled, and never other ones than they are now."""

from __future__ import annotations

import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from prodgen.targets.core import templating
from prodgen.targets.core.templating import CACHE, _Compiled


def rendered(folder: Path, text: str) -> str:
    """What `text` renders to for a process that has the cache in the folder."""
    environment = Environment(loader=DictLoader({"x": text}), bytecode_cache=_Compiled(folder))
    return environment.get_template("x").render()


def test_a_changed_template_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert [rendered(tmp_path, text) for text in ("{{ 1 }}", "{{ 2 }}", "{{ 2 }}")] == [*"122"]
    assert len(list(tmp_path.iterdir())) == 1


def test_so_do_changed_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _Compiled(tmp_path).get_source_checksum("x")
    monkeypatch.setattr(templating, "OPTIONS", {"trim_blocks": False})
    assert _Compiled(tmp_path).get_source_checksum("x") != before


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert rendered(tmp_path / "absent", "{{ 1 }}") == "1"


def test_python_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert rendered(tmp_path, "{{ 1 }}") == "1"
    assert not list(tmp_path.iterdir())


def test_it_lies_where_python_keeps_its_own() -> None:
    assert Path(cache_from_source(templating.__file__)).parent == CACHE
