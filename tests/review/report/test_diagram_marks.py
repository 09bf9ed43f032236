"""What a change does to each part of the stack, as the picture in a comment marks it."""

from __future__ import annotations

import pytest

from prodgen.review.changes.change_set import Review, Step, make_review
from prodgen.review.core.redact import Mask
from prodgen.review.report.diagram_marks import diagram_marks
from prodgen.review.report.layout import ReviewLayout
from prodgen.review.report.markdown import report
from prodgen.targets.core.effects import Action
from tests.support.reviewed import MANAGERS, plan_with, side


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_changed_service_is_marked(manager: str) -> None:
    old, new = plan_with(), plan_with(gunicorn_workers=8, http_timeout=200)
    mask = Mask()
    review = make_review(side(old, manager), side(new, manager), new, mask)
    assert diagram_marks(review, new) == {
        "nginx": "reload",
        "frappe-bench-frappe-web": "rolling restart",
    }
    text = report(review, ReviewLayout(mask, "x", new))
    assert "```mermaid\nflowchart LR\n" in text
    assert text.count("<i>rolling restart</i>") == 1
    assert "mermaid" not in report(review, ReviewLayout(mask, "x"))


def test_of_several_things_the_worst_is_shown() -> None:
    reports = {"reports": {"timeout": 600, "background_workers": 2}}
    old, new = plan_with(), plan_with(workers=reports, gunicorn_workers=8)
    mask = Mask()
    review = make_review(side(old, "supervisor"), side(new, "supervisor"), new, mask)
    assert diagram_marks(review, new)["frappe-bench-frappe-reports-worker"] == "restart"
    worst = {Action.ROLL: "a", Action.RESTART: "a", Action.START: "b"}
    steps = [Step("systemd", action, (f"frappe-bench-frappe-web@{name}.service",), (), "", None, 0)
             for action, name in worst.items()]  # fmt: skip
    assert diagram_marks(Review((), tuple(steps)), new) == {"frappe-bench-frappe-web": "restart"}


def test_no_change_has_no_picture() -> None:
    plan, mask = plan_with(), Mask()
    same = side(plan, "systemd")
    review = make_review(same, same, plan, mask)
    assert (
        diagram_marks(review, plan),
        "mermaid" in report(review, ReviewLayout(mask, "x", plan)),
    ) == (
        {},
        False,
    )
