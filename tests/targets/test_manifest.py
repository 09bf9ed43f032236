"""The manifest: what it lists, of what, and what of a foreign one is believed."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.manifest import digest, listed_files, make_manifest, owned_files

CONF = Artifact(PurePosixPath("a/b"), "ü\n", PurePosixPath("/etc/b"), "nginx", 0o600)
README = Artifact(PurePosixPath("README.md"), "", PurePosixPath("README.md"), "readme")
INPUTS = {"Procfile": "web: x", "a": "\ud800"}
TEMPLATES = {"nginx/x": "y"}


def test_it_names_everything() -> None:
    made = json.loads(make_manifest([CONF, README], "bench", "1.2", INPUTS, TEMPLATES).text)
    assert list(made) == ["format_version", "prodgen", "bench", "files", "inputs", "templates"]
    assert [one["path"] for one in made["files"]] == ["README.md", "a/b"]
    assert made["files"][1] == {
        "path": "a/b",
        "sha256": digest("ü\n".encode()),
        "mode": "0600",
        "target": "nginx",
        "destination": "/etc/b",
    }
    assert made["inputs"]["Procfile"] == digest(b"web: x")
    assert made["templates"] == {"nginx/x": digest(b"y")}


def test_the_order_of_what_it_is_made_of_makes_no_difference() -> None:
    one = make_manifest([CONF, README], "bench", "1", INPUTS, TEMPLATES)
    other = dict(reversed(list(INPUTS.items())))
    assert one == make_manifest([README, CONF], "bench", "1", other, TEMPLATES)


def test_what_stays_beside_it_is_owned_but_not_installed() -> None:
    made = make_manifest([CONF, README], "bench", "1", {}).content
    assert set(owned_files(made)) == {CONF.path, README.path}
    assert [one.path for one in listed_files(made)] == [CONF.path]


def test_a_file_that_belongs_elsewhere_below_is_not_believed() -> None:
    made = make_manifest([CONF, README], "bench", "1", {}).text
    foreign = made.replace('"destination": "README.md"', '"destination": "other"')
    assert foreign != made
    assert owned_files(foreign.encode()) == {}
