"""After an upgrade the first diff says what prodgen has changed, and what the bench has."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest

from prodgen.review.changes.change_set import Review, make_review
from prodgen.review.changes.change_source import (
    ChangeSource,
    MadeFrom,
    ValueChange,
    change_source,
    made_from,
)
from prodgen.review.core.redact import Mask
from prodgen.review.report.layout import ReviewLayout
from prodgen.review.report.reporters import REPORTERS
from prodgen.targets.core.file_set import Placed
from prodgen.targets.manifest import NewerFormat, digests, make_manifest

COMMON, PROCFILE = "sites/common_site_config.json", "Procfile"
TEXTS = {COMMON: '{"a": {"b": 1}, "workers": 9}', PROCFILE: "web: bench serve\nold: x\n"}
CHANGED = {COMMON: '{"a": {"b": 2}, "workers": 9}', PROCFILE: "web: bench serve\n"}
TEMPLATES = {"nginx/bench.conf": "1", "supervisor/bench.conf": "1"}


def made(
    version: str = "1", texts: dict[str, str] | None = None, *, keeps: bool = True, **other: str
) -> MadeFrom:
    texts = TEXTS if texts is None else texts
    templates = TEMPLATES | {name.replace("_", "/", 1): text for name, text in other.items()}
    return MadeFrom(version, digests(texts), digests(templates), texts if keeps else None)


def test_the_same_prodgen_says_nothing() -> None:
    assert change_source(made(), made(texts=CHANGED)) is None
    assert change_source(None, made("2")) is None
    assert change_source(made(), None) is None


def test_an_unchanged_bench_is_said_to_be_so() -> None:
    assert change_source(made("1"), made("2")) == ChangeSource("1", "2", (), (), ())


def test_the_values_that_changed_too_are_named() -> None:
    found = change_source(made("1"), made("2", CHANGED))
    assert found is not None
    assert found.files == (PROCFILE, COMMON)
    assert found.values == (
        ValueChange(PROCFILE, "old", "x", None),
        ValueChange(COMMON, "a.b", "1", "2"),
    )


def test_other_templates_of_the_same_version_count() -> None:
    old = made()
    new = old._replace(templates=digests(TEMPLATES | {"nginx/bench.conf": "2", "redis/x": "1"}))
    found = change_source(old, new)
    assert found is not None
    assert found.templates == ("nginx/bench.conf",)


def test_a_manifest_says_it() -> None:
    text = make_manifest([], "frappe-bench", "1", TEXTS, TEMPLATES).text
    assert made_from(text) == made(keeps=False)
    for broken in ("", "[]", "{}", "null", '{"prodgen": "1", "inputs": [], "templates": {}}'):
        assert made_from(broken) is None
    with pytest.raises(NewerFormat):
        made_from(json.dumps(json.loads(text) | {"format_version": 2}))


def review(source: ChangeSource | None, new: str = "b = 1\n") -> Review:
    path = PurePosixPath("/etc/x.conf")
    old, wanted = {path: Placed("a = 1\n", "redis")}, {path: Placed(new, "redis")}
    return make_review(old, wanted, None, Mask(), source=source)


def shown(source: ChangeSource | None, form: str, new: str = "b = 1\n") -> str:
    return REPORTERS[form](review(source, new), ReviewLayout(Mask(), "x"))


BY_PRODGEN = change_source(made("1"), made("2"))
BY_BOTH = change_source(made("1"), made("2", CHANGED))
UNKNOWN = change_source(made("1", keeps=False), made("2", CHANGED))


@pytest.mark.parametrize("form", ["text", "markdown", "github"])
def test_it_is_said_in_every_format(form: str) -> None:
    arrow = "-&gt;" if form == "markdown" else "->"
    assert f"hanged by prodgen 1 {arrow} 2, not by the bench" in shown(BY_PRODGEN, form)
    both = shown(BY_BOTH, form).replace("&#95;", "_").replace("%3A", ":")
    assert f"hanged by prodgen 1 {arrow} 2, and by the bench:" in both
    assert f"{COMMON}: a.b: 1 {arrow} 2" in both
    assert f"{PROCFILE}: old: x is gone" in both
    unknown = shown(UNKNOWN, form).replace("&#95;", "_")
    assert f"{COMMON}: which values is not known" in unknown
    assert "by prodgen" not in shown(None, form)
    assert "by prodgen" not in shown(BY_PRODGEN, form, "a = 1\n")


def test_programs_get_it_as_data() -> None:
    data = json.loads(shown(BY_BOTH, "json"))["source"]
    assert data["prodgen"] == {"old": "1", "new": "2"}
    assert data["files"] == [PROCFILE, COMMON]
    assert data["values"][1] == {"file": COMMON, "key": "a.b", "old": "1", "new": "2"}
    assert json.loads(shown(None, "json"))["source"] is None
