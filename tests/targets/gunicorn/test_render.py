"""What `gunicorn.conf.py` says to which Gunicorn."""

from __future__ import annotations

import pytest

from prodgen.targets.gunicorn.render import render_gunicorn
from tests.support.systemd_plans import make_plan


def settings(version: str | None) -> list[str]:
    """The lines for a Gunicorn of this version."""
    plan = make_plan(gunicorn=version) if version else make_plan()
    [artifact], found = render_gunicorn(plan)
    assert found == []
    return artifact.text.splitlines()


@pytest.mark.parametrize(
    ("version", "has_one"),
    [
        ("20.1.0", False),
        ("23.0.0", False),
        ("24.1.1", False),
        ("25.0.3", False),
        ("25.1.0", True),
        ("27.0.1", True),
        (None, True),
    ],
)
def test_the_control_socket_is_off_where_there_is_one(
    version: str | None, *, has_one: bool
) -> None:
    """From 25.1 on: every bench of a user would have the same. One that is too old has no such
    setting, and ignores it where nobody knows how old it is."""
    assert ("control_socket_disable = True" in settings(version)) is has_one
