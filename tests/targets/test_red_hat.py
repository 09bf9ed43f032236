"""Red Hat's places, where they differ from Debian's."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from prodgen.host.detect import find_supervisor_folder
from prodgen.targets.registry import load_target
from tests.support.reviewed import plan_with


@pytest.mark.parametrize(
    ("folder", "place"),
    [
        ("/etc/supervisor/conf.d", "/etc/supervisor/conf.d/frappe-bench.conf"),
        ("/etc/supervisord.d", "/etc/supervisord.d/frappe-bench.ini"),
    ],
)
def test_supervisor_includes_the_file(folder: str, place: str) -> None:
    plan = plan_with()
    chosen = plan.supervisor.folder.derive(PurePosixPath(folder), "")
    plan = plan._replace(supervisor=plan.supervisor._replace(folder=chosen))
    [artifact], _ = load_target("supervisor").render(plan)
    assert str(artifact.destination) == place


@pytest.mark.parametrize(
    ("folders", "found"),
    [
        ((), False),
        (("supervisor",), False),
        (("supervisord.d",), True),
        (("supervisor", "supervisord.d"), False),
    ],
)
def test_the_host_tells_which(folders: tuple[str, ...], found: bool, tmp_path: Path) -> None:
    for name in folders:
        (tmp_path / name).mkdir()
    fact = find_supervisor_folder(tmp_path)
    assert (fact is not None) == found
