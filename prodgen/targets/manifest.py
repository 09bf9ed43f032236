"""The manifest: what a render made, of which inputs, so that anyone can tell it unmodified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from prodgen.targets.artifacts import Artifact

FORMAT_VERSION = 1
PATH = PurePosixPath("manifest.json")


def digest(content: bytes) -> str:
    """The SHA-256 of the content in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def make_manifest(
    artifacts: Iterable[Artifact], bench_name: str, version: str, inputs: Mapping[str, str]
) -> Artifact:
    """`manifest.json` for the artifacts, with digests of the `inputs` (texts by file name)."""
    content = {
        "format_version": FORMAT_VERSION,
        "prodgen": version,
        "bench": bench_name,
        "files": [
            {
                "path": str(artifact.path),
                "sha256": digest(artifact.content),
                "mode": f"{artifact.mode:04o}",
                "target": artifact.target,
                "destination": str(artifact.destination),
            }
            for artifact in sorted(artifacts, key=lambda one: one.path)
        ],
        "inputs": {name: digest(text.encode()) for name, text in sorted(inputs.items())},
    }
    return Artifact(PATH, json.dumps(content, indent=2) + "\n", PATH, "manifest")


def owned_files(manifest: bytes | None) -> dict[PurePosixPath, str]:
    """The digests of the files that a manifest lists; none where it is not one of prodgen's.

    Who can write the output folder can write its manifest, and what it lists may be removed:
    one path that leads out of the folder, and nothing of it is believed.
    """
    try:
        content = json.loads(manifest or b"")
        if content["format_version"] != FORMAT_VERSION:
            return {}
        owned = {_inner_path(entry["path"]): str(entry["sha256"]) for entry in content["files"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return owned


def _inner_path(text: str) -> PurePosixPath:
    """The path, which is one below the folder; else ValueError."""
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or path in (PATH, PurePosixPath()) or "\0" in text:
        raise ValueError(text)
    return path
