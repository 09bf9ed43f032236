"""Artifacts as a tar archive, and back. What is read is believed to be hostile."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import BinaryIO, NamedTuple, cast

from prodgen.targets.core.artifacts import Artifact

LARGEST = 256 * 1024 * 1024
"""Bytes of an archive, unpacked; none of ours comes near."""
GZIP_MAGIC = b"\x1f\x8b"


class BadArchive(Exception):
    """This is no archive as prodgen makes them; the message says why."""


class Member(NamedTuple):
    """One file of an archive."""

    content: bytes
    mode: int


def pack(artifacts: Sequence[Artifact], *, compress: bool) -> bytes:
    """A tar archive of the artifacts: the same bytes for the same artifacts, always.

    Members are sorted and belong to root; no time, name, locale or user of this machine gets in.
    """
    files = {str(one.path): Member(one.content, one.mode) for one in artifacts}
    packed = _tar(files)
    if not compress:
        return packed
    squeezed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=squeezed, mtime=0) as stream:
        stream.write(packed)
    return squeezed.getvalue()


def _tar(files: dict[str, Member]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(files, key=PurePosixPath):
            member = tarfile.TarInfo(name)
            member.size = len(files[name].content)
            member.mode = files[name].mode
            tar.addfile(member, io.BytesIO(files[name].content))
    return archive.getvalue()


def unpack(archive: bytes) -> dict[PurePosixPath, bytes] | None:
    """The files of an archive; None where it is none, or not as prodgen makes them."""
    try:
        members = read_archive(io.BytesIO(archive))
    except BadArchive:
        return None
    return {PurePosixPath(name): member.content for name, member in members.items()}


def read_archive(stream: BinaryIO) -> dict[str, Member]:
    """The files of a tar archive, compressed or not, by name; raises BadArchive, or OSError.

    Nothing but plain files under plain relative names is let through, each once, and not a byte
    around them that `pack` would not write: no owner, no time, nothing behind the end.
    """
    tar = _unzipped(stream)
    members = _members(tar)
    if _tar(members) != tar:
        raise BadArchive(
            "its headers are not as prodgen writes them: owners, times, order or padding"
        )
    return members


def _unzipped(stream: BinaryIO) -> bytes:
    """All of it without its gzip layer, if it has one, and never more than `LARGEST`."""
    start = stream.read(len(GZIP_MAGIC))
    stream.seek(0)
    source = cast("BinaryIO", gzip.GzipFile(fileobj=stream)) if start == GZIP_MAGIC else stream
    try:
        content = source.read(LARGEST + 1)
    except EOFError:
        raise BadArchive("it is cut off") from None
    except (gzip.BadGzipFile, zlib.error) as failure:
        raise BadArchive(f"its gzip layer is damaged: {failure}".lower()) from None
    if len(content) > LARGEST:
        raise BadArchive(f"it unpacks to more than {LARGEST // 1024**2} MB")
    if not content:
        raise BadArchive("it is empty")
    return content


def _members(content: bytes) -> dict[str, Member]:
    files: dict[str, Member] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
            for member in tar:
                _require_plain(member, files)
                found = tar.extractfile(member)
                data = found.read() if found else b""
                if len(data) != member.size:
                    raise BadArchive("it is cut off")
                files[member.name] = Member(data, member.mode)
    except tarfile.ReadError as failure:
        cut = files or "unexpected end" in str(failure)
        raise BadArchive("it is cut off" if cut else "it is no tar archive") from None
    except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError) as failure:
        raise BadArchive(f"its headers are damaged: {failure}") from None
    return files


def _require_plain(member: tarfile.TarInfo, files: dict[str, Member]) -> None:
    """Raises BadArchive unless the member is a plain file under a plain relative name."""
    name, path = member.name, PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise BadArchive(f"`{name}` leads out of the folder it would be unpacked in")
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.issparse():
        raise BadArchive(f"`{name}` is {_kind(member)}; prodgen's archives hold plain files only")
    if str(path) != name or not name.isprintable() or path == PurePosixPath():
        raise BadArchive(f"`{name}` is an odd name for a file")
    if name in files:
        raise BadArchive(f"`{name}` stands in it twice")


def _kind(member: tarfile.TarInfo) -> str:
    kinds = (
        (member.issym(), "a symbolic link"),
        (member.islnk(), "a hard link"),
        (member.isdir(), "a folder"),
        (member.isfifo(), "a named pipe"),
        (member.isdev(), "a device"),
        (member.issparse(), "a sparse file"),
    )
    return next((words for is_kind, words in kinds if is_kind), "of an unknown kind")
