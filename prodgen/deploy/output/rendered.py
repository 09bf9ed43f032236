"""Artifacts that were rendered before, in a folder or an archive with their manifest."""

from __future__ import annotations

import errno
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from prodgen.deploy.output.archives import unpack
from prodgen.deploy.system.atomic_write import read_file, read_folder
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.manifest import PATH, bench_name, digest, listed_files


class NotRendered(ValueError):
    """It is no render of prodgen's, or not as prodgen left it; the message says why."""


class Rendered(NamedTuple):
    """What was rendered for one bench."""

    bench: str
    artifacts: tuple[Artifact, ...]
    """What is installed somewhere, and the manifest, by which apply knows it as prodgen's."""


def read_rendered(path: Path) -> Rendered:
    """The artifacts of a folder or an archive that `prodgen render -o` made, each as it was made.

    Raises NotRendered, or OSError where it cannot be read.
    """
    files = _of_folder(path) if path.is_dir() else _of_archive(path)
    listed = listed_files(files.get(PATH))
    if not listed:
        raise NotRendered(f"{path} has no manifest.json of prodgen's")
    for one in listed:
        if one.path not in files:
            raise NotRendered(f"{path} lacks {one.path}, which its manifest lists")
        if digest(files[one.path]) != one.sha256:
            raise NotRendered(f"{one.path} in {path} is not as prodgen made it")
    made = [
        Artifact(one.path, files[one.path].decode(), one.destination, one.target, one.mode)
        for one in listed
    ]
    made.append(Artifact(PATH, files[PATH].decode(), PATH, "manifest"))
    return Rendered(bench_name(files[PATH]), tuple(made))


def _of_folder(path: Path) -> dict[PurePosixPath, bytes]:
    manifest = read_folder(path, [PATH])
    content = manifest.get(PATH)
    listed = listed_files(content if isinstance(content, bytes) else None)
    found = manifest | read_folder(path, [one.path for one in listed])
    return {name: one for name, one in found.items() if isinstance(one, bytes)}


def _of_archive(path: Path) -> dict[PurePosixPath, bytes]:
    content = read_file(path)
    if content is None:
        raise FileNotFoundError(errno.ENOENT, "there is no such file or folder", str(path))
    files = unpack(content)
    if files is None:
        raise NotRendered(f"{path} is no folder, .tar or .tar.gz of prodgen's")
    return files
