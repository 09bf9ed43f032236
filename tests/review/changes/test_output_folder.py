"""What would change: only what the manifest lists, and only as prodgen left it."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest

from prodgen.review.changes.output_folder import Obstacle, OutputChange, Verb, compare, is_as_left
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.manifest import PATH, NewerFormat, digest, make_manifest, owned_files

ONE = PurePosixPath("one")


def artifacts(**texts: str) -> list[Artifact]:
    made = [
        Artifact(PurePosixPath(path), text, PurePosixPath("/etc", path), "test")
        for path, text in texts.items()
    ]
    return [*made, make_manifest(made, "bench", "1", {})]


def files(**texts: str) -> dict[PurePosixPath, bytes | Obstacle]:
    """What a render of these texts leaves."""
    return {one.path: one.content for one in artifacts(**texts)}


def verbs(changes: list[OutputChange]) -> dict[str, Verb]:
    return {str(change.path): change.verb for change in changes}


def test_an_empty_folder_gets_everything() -> None:
    assert verbs(compare(artifacts(one="1"), {})) == {
        "one": Verb.CREATE,
        "manifest.json": Verb.CREATE,
    }


def test_the_same_again_is_identical() -> None:
    changes = compare(artifacts(one="1", two="2"), files(one="1", two="2"))
    assert set(verbs(changes).values()) == {Verb.IDENTICAL}


def test_ours_is_updated_and_what_is_stale_removed() -> None:
    changes = compare(artifacts(one="new", three="3"), files(one="1", two="2"))
    assert verbs(changes) == {
        "one": Verb.UPDATE,
        "two": Verb.REMOVE,
        "three": Verb.CREATE,
        "manifest.json": Verb.UPDATE,
    }


CONFLICTS: dict[str, tuple[dict[PurePosixPath, bytes | Obstacle], str, Verb]] = {
    "edited": ({ONE: b"edited"}, "was edited since prodgen wrote it", Verb.UPDATE),
    "link": ({ONE: Obstacle("is a symbolic link", removable=True)}, "is a symbolic link",
             Verb.UPDATE),
    "folder": ({ONE: Obstacle("is a folder", removable=False)}, "is a folder", Verb.CONFLICT),
}  # fmt: skip


@pytest.mark.parametrize("case", CONFLICTS)
def test_what_is_not_as_it_was_left_stays(case: str) -> None:
    there, reason, forced = CONFLICTS[case]
    present = files(one="1") | there
    found = {change.path: change for change in compare(artifacts(one="2"), present)}
    assert (found[ONE].verb, found[ONE].reason) == (Verb.CONFLICT, reason)
    assert verbs(compare(artifacts(one="2"), present, overwrite=True))["one"] is forced
    assert ("--overwrite" in found[ONE].way_out) == (forced is not Verb.CONFLICT)


def test_a_foreign_file_stays_unless_it_is_the_same() -> None:
    assert verbs(compare(artifacts(one="1"), {ONE: b"foreign"}))["one"] is Verb.CONFLICT
    assert verbs(compare(artifacts(one="1"), {ONE: b"1"}))["one"] is Verb.IDENTICAL


def test_a_stale_file_that_was_edited_is_named() -> None:
    present = files(one="1", two="2") | {PurePosixPath("two"): b"edited"}
    assert verbs(compare(artifacts(one="1"), present))["two"] is Verb.CONFLICT
    assert verbs(compare(artifacts(one="1"), present, overwrite=True))["two"] is Verb.REMOVE


def test_a_stale_file_that_became_something_else_is_left_alone() -> None:
    present = files(one="1", two="2") | {PurePosixPath("two"): Obstacle("is a folder", False)}
    assert "two" not in verbs(compare(artifacts(one="1"), present, overwrite=True))


@pytest.mark.parametrize("text", ["{}", "[]", "not json", '{"files": []}', "\xff", "[" * 100_000])
def test_a_manifest_that_is_not_prodgens_stays(text: str) -> None:
    present = {PATH: text.encode("latin-1")}
    assert verbs(compare(artifacts(one="1"), present))["manifest.json"] is Verb.CONFLICT


@pytest.mark.parametrize(
    "path", ["../outside", "/etc/passwd", "a/../../b", "", ".", "nul\0", "manifest.json", 7, None]
)
def test_a_manifest_that_lists_what_is_outside_is_not_believed(path: object) -> None:
    entries = [{"path": "one", "sha256": digest(b"1")}, {"path": path, "sha256": digest(b"x")}]
    manifest = json.dumps({"format_version": 1, "files": entries}).encode()
    assert owned_files(manifest) == {}


def test_a_manifest_of_a_later_format_is_not_read() -> None:
    manifest = artifacts(one="1")[-1].text.replace('"format_version": 1', '"format_version": 2')
    with pytest.raises(NewerFormat):
        owned_files(manifest.encode())
    assert owned_files(artifacts(one="1")[-1].content) == {ONE: digest(b"1")}


def test_an_archive_is_as_left_only_as_a_whole() -> None:
    left = {one.path: one.content for one in artifacts(one="1", two="2")}
    assert is_as_left(left)
    assert not is_as_left(left | {ONE: b"edited"})
    assert not is_as_left(left | {PurePosixPath("more"): b""})
    assert not is_as_left({path: text for path, text in left.items() if path != ONE})
    assert not is_as_left({ONE: b"1"})
    assert not is_as_left({})
