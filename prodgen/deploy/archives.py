"""Artifacts as a tar archive, and back."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath

from prodgen.targets.artifacts import Artifact

LARGEST = 512 * 1024 * 1024
"""Bytes of unpacked files; no archive of ours comes near."""


def pack(artifacts: Sequence[Artifact], *, compress: bool) -> bytes:
    """A tar archive of the artifacts: the same bytes for the same artifacts, always.

    Members are sorted and belong to root; no time, name, locale or user of this machine gets in.
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for artifact in sorted(artifacts, key=lambda one: one.path):
            member = tarfile.TarInfo(str(artifact.path))
            member.size = len(artifact.content)
            member.mode = artifact.mode
            tar.addfile(member, io.BytesIO(artifact.content))
    packed = archive.getvalue()
    if not compress:
        return packed
    squeezed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=squeezed, mtime=0) as stream:
        stream.write(packed)
    return squeezed.getvalue()


def unpack(archive: bytes) -> dict[PurePosixPath, bytes] | None:
    """The files of an archive; None where it is none, or holds more than ordinary files."""
    files: dict[PurePosixPath, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                if content is None or sum(map(len, files.values())) + member.size > LARGEST:
                    return None
                files[PurePosixPath(member.name)] = content.read()
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error):
        return None
    return files
