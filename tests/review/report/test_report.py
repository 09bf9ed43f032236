"""A review as people and programs see it: golden, and read aloud."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from prodgen.review.changes.change_set import Review, make_review
from prodgen.review.changes.drift import drift_of
from prodgen.review.core.redact import Mask
from prodgen.review.report import markdown, text
from prodgen.review.report.layout import ReviewLayout
from prodgen.review.report.markdown import LONGEST, MARK, escaped
from prodgen.review.report.reporters import REPORTERS
from prodgen.targets.core.file_set import FileSet, Placed
from prodgen.targets.manifest import digest
from tests.support.reviewed import MANAGERS, plan_with, side

EXPECTED = Path(__file__).with_name("expected")
ENDINGS = {"text": "txt", "markdown": "md"}
CHANGES = {
    "gunicorn_workers": 8,
    "http_timeout": 200,
    "workers": {"reports": {"timeout": 900, "background_workers": 2}},
}


def sample(manager: str, mask: Mask) -> Review:
    plan = plan_with(**CHANGES)
    return make_review(side(plan_with(), manager), side(plan, manager), plan, mask)


def rendered(form: str, manager: str) -> str:
    mask = Mask()
    review = sample(manager, mask)
    return REPORTERS[form](review, ReviewLayout(mask, "frappe-bench"))


@pytest.mark.parametrize("manager", MANAGERS)
@pytest.mark.parametrize("form", REPORTERS)
def test_it_is_as_expected(form: str, manager: str, request: pytest.FixtureRequest) -> None:
    path = EXPECTED / f"{manager}.{ENDINGS.get(form, form)}"
    made = rendered(form, manager)
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(made)
    assert made == path.read_text()


def of_texts(old: str, new: str, target: str = "supervisor") -> tuple[FileSet, FileSet]:
    path = PurePosixPath("/etc/x.conf")
    return {path: Placed(old, target)}, {path: Placed(new, target)}


SECRETS = [
    ("DB_PASSWORD='old secret'", "DB_PASSWORD='new secret'"),
    ("redis://u:oldsecret@host", "redis://u:newsecret@host"),
    ("--admin-password oldsecret", "--admin-password newsecret"),
]


@pytest.mark.parametrize(("old", "new"), SECRETS)
def test_a_secret_is_masked_and_its_change_still_shows(old: str, new: str) -> None:
    mask = Mask()
    sides = of_texts(f"[program:a]\nenvironment={old}\n", f"[program:a]\nenvironment={new}\n")
    review = make_review(*sides, None, mask)
    shown = [report(review, ReviewLayout(mask, "x")) for report in REPORTERS.values()]
    for one in shown:
        assert "secret" not in one
    assert "***1" in shown[0]
    assert "***2" in shown[0]


def test_markdown_takes_nothing_for_its_own() -> None:
    assert escaped("a|b <c> `d` *e* _f_ [g]") == (
        "a&#124;b &lt;c&gt; &#96;d&#96; &#42;e&#42; &#95;f&#95; &#91;g&#93;"
    )


def test_a_diff_with_fences_stays_in_its_own() -> None:
    mask = Mask()
    comment = markdown.report(
        make_review(*of_texts("a\n", "````\n"), None, mask), ReviewLayout(mask, "x")
    )
    assert "\n`````diff\n" in comment


def test_a_comment_is_never_longer_than_github_takes() -> None:
    mask = Mask()
    lines = "".join(f"line {number}\n" for number in range(20_000))
    comment = markdown.report(
        make_review(*of_texts("", lines), None, mask), ReviewLayout(mask, "x")
    )
    assert MARK in comment
    assert len(comment) < LONGEST + 1000
    assert comment.endswith("</details>\n")


def test_an_edit_is_shown_before_the_change() -> None:
    path = PurePosixPath("/etc/x.conf")
    left, found = "a=1\n", "a=2\n"
    drift = drift_of(
        {path: found.encode()},
        {path: digest(left.encode())},
        {path: left},
    )
    mask = Mask()
    review = make_review(*of_texts(found, left), None, mask, drift)
    lines = text.report(review, ReviewLayout(mask)).splitlines()
    assert lines[0] == "/etc/x.conf was edited since prodgen wrote it"
    assert lines.index("-a=1") < lines.index("+a=2") < lines.index("-a=2")
