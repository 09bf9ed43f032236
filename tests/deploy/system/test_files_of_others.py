"""Root writes in a folder for everyone, where somebody else makes links and folders meanwhile."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from prodgen.deploy.system import atomic_write
from prodgen.deploy.system.atomic_write import write_file, write_folder
from prodgen.host.trust import own_path
from prodgen.targets.core.artifacts import Artifact
from tests.support.accounts import ALICE, needs_root

MADE = Artifact(PurePosixPath("a/b.conf"), "text", PurePosixPath("/etc/b.conf"), "nginx")


@pytest.fixture
def everyones(tmp_path: Path) -> Path:
    """A folder such as /tmp; beside it, one of root's with a file."""
    folder = tmp_path / "everyones"
    folder.mkdir()
    folder.chmod(0o1777)
    (tmp_path / "roots").mkdir()
    (tmp_path / "roots/precious").write_text("precious")
    return folder


def link_of_alice(place: Path, target: Path) -> None:
    place.symlink_to(target)
    os.chown(place, ALICE, ALICE, follow_symlinks=False)


@needs_root
def test_a_link_of_somebody_else_is_not_followed(everyones: Path) -> None:
    precious = everyones.parent / "roots/precious"
    link_of_alice(everyones / "made.tar", precious)
    with pytest.raises(PermissionError, match="can change"):
        write_file(everyones / "made.tar", b"new")
    assert precious.read_text() == "precious"


@needs_root
def test_a_link_that_appears_late_is_replaced(
    everyones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the way was looked at, and before the file is there."""
    precious, place = everyones.parent / "roots/precious", everyones / "made.tar"
    create = atomic_write.create_file

    def late(path: Path, content: bytes, mode: int) -> None:
        link_of_alice(place, precious)
        create(path, content, mode)

    monkeypatch.setattr(atomic_write, "create_file", late)
    write_file(place, b"new")
    assert (precious.read_text(), place.read_bytes()) == ("precious", b"new")
    assert not place.is_symlink()


@needs_root
@pytest.mark.parametrize("name", ["made", "made/inner"])
def test_a_folder_of_somebody_else_gets_nothing_of_roots(everyones: Path, name: str) -> None:
    (everyones / "made").mkdir()
    os.chown(everyones / "made", ALICE, ALICE)
    with pytest.raises(PermissionError, match="can change"):
        write_folder(everyones / name, [MADE])
    assert list((everyones / "made").iterdir()) == []


@needs_root
def test_a_folder_of_roots_is_made_and_changed_there(everyones: Path) -> None:
    for _ in range(2):
        write_folder(everyones / "made", [MADE])
    assert (everyones / "made/a/b.conf").read_text() == "text"


@needs_root
def test_links_of_roots_lead_on(everyones: Path) -> None:
    (everyones / "link").symlink_to(everyones.parent / "roots")
    assert own_path(everyones / "link/new") == everyones.parent / "roots/new"
    with pytest.raises(FileNotFoundError):
        own_path(everyones / "link/new", strict=True)
