"""The manifest: what a render made, of which inputs, so that anyone can tell it unmodified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen import __version__
from prodgen.diagnostics import Diagnostic, error
from prodgen.targets.core.artifacts import HOST_FILES, Artifact

FORMAT_VERSION = 1
PATH = PurePosixPath("manifest.json")


class NewerFormat(ValueError):
    """A newer prodgen has written it, so nothing of it can be relied on."""

    def __init__(self, number: int) -> None:
        super().__init__(f"format {number}")
        self.number = number

    def diagnostic(self, path: object) -> Diagnostic:
        """The error about the file at this path."""
        return error(
            "PG815",
            f"{path} was written by a newer prodgen: it has format {self.number}, and this one "
            f"({__version__}) reads up to {FORMAT_VERSION}",
            None,
            "use that prodgen, or upgrade this one; `prodgen --version` names its version",
        )


def require_known(format_version: object) -> None:
    """Raises NewerFormat if a file says that it has a later format than this prodgen's."""
    if isinstance(format_version, int) and format_version > FORMAT_VERSION:
        raise NewerFormat(format_version)


def digest(content: bytes) -> str:
    """The SHA-256 of the content in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def make_manifest(
    artifacts: Iterable[Artifact],
    bench_name: str,
    version: str,
    inputs: Mapping[str, str],
    templates: Mapping[str, str] | None = None,
) -> Artifact:
    """`manifest.json` for the artifacts, with digests of what they were made from.

    `inputs` holds what was read of each file of the bench, `templates` the texts by name.
    """
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
        "inputs": digests(inputs),
        "templates": digests(templates or {}),
    }
    return Artifact(PATH, json.dumps(content, indent=2) + "\n", PATH, "manifest")


def digests(texts: Mapping[str, str]) -> dict[str, str]:
    """The digest of each text, sorted by name."""
    return {
        name: digest(text.encode("utf-8", "surrogatepass")) for name, text in sorted(texts.items())
    }


def owned_files(manifest: bytes | None) -> dict[PurePosixPath, str]:
    """The digests of the files that a manifest lists; none if it is not one of prodgen's.
    Raises NewerFormat.

    Who can write the output folder can write its manifest, and what it lists may be removed:
    one path that leads out of the folder, and nothing of it is believed.
    """
    return {one.path: one.sha256 for one in _all_files(manifest)}


class Listed(NamedTuple):
    """One file of a manifest. One that stays beside it has its own path for a destination."""

    path: PurePosixPath
    sha256: str
    mode: int
    target: str
    destination: PurePosixPath


def listed_files(manifest: bytes | None) -> list[Listed]:
    """The files that a manifest lists and that are installed for its bench.

    None if it is not one of prodgen's. Raises NewerFormat.
    """
    placed = (one for one in _all_files(manifest) if one.destination.is_absolute())
    return [one for one in placed if one.destination not in HOST_FILES]


def _all_files(manifest: bytes | None) -> list[Listed]:
    try:
        content = json.loads(manifest or b"")
        require_known(content["format_version"])
        if content["format_version"] != FORMAT_VERSION:
            return []
        return [_listed(entry) for entry in content["files"]]
    except NewerFormat:
        raise
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


def bench_name(manifest: bytes | None) -> str:
    """The bench that a manifest is of; empty where it is not one of prodgen's."""
    try:
        return str(json.loads(manifest or b"")["bench"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _listed(entry: Mapping[str, object]) -> Listed:
    path = _inner_path(str(entry["path"]))
    destination = PurePosixPath(str(entry["destination"]))
    stays = destination == path
    if not (stays or destination.is_absolute()) or ".." in destination.parts:
        raise ValueError(destination)
    return Listed(
        path=path,
        sha256=str(entry["sha256"]),
        mode=int(str(entry["mode"]), 8),
        target=str(entry["target"]),
        destination=destination,
    )


def _inner_path(text: str) -> PurePosixPath:
    """The path, which is one below the folder; else ValueError."""
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or path in (PATH, PurePosixPath()) or "\0" in text:
        raise ValueError(text)
    return path
