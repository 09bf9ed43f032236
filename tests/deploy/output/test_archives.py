"""Archives: the same bytes for the same artifacts, and read back without trust."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from prodgen.deploy.output.archives import pack, unpack
from tests.deploy.system.test_atomic_write import artifact
from tests.support.command import PLAIN_ENVIRONMENT

FILES = [artifact("b/two.conf", "zwei ü\n"), artifact("a", "", 0o600), artifact("ü/x", "y")]
PROGRAM = """
import sys, hashlib, os
os.umask(int(sys.argv[1], 8))
from prodgen.deploy.output.archives import pack
from tests.deploy.output.test_archives import FILES
order = sorted(FILES, key=lambda one: hash(one.path))
for compress in (False, True):
    print(hashlib.sha256(pack(order, compress=compress)).hexdigest())
"""
DIGEST = "5447485defeac2c70e647df7712fa95db6fa05a34a2ab2b8b33d832aa14e8a1e"
"""Of the tar of FILES, on every machine; another one means another format."""
PLACES = [
    {"TZ": "UTC"},
    {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONHASHSEED": "2"},
    {"HOME": "/nowhere", "USER": "someone", "SOURCE_DATE_EPOCH": "1"},
]


@pytest.mark.process
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("umask", ["022", "077"])
def test_the_same_bytes_anywhere(place: dict[str, str], umask: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, umask],
        cwd=tmp_path,
        env={**PLAIN_ENVIRONMENT, **place},
        capture_output=True,
        text=True,
        check=True,
    )
    tar, gz = done.stdout.split()
    assert tar == DIGEST
    assert gz == hashlib.sha256(pack(FILES, compress=True)).hexdigest()  # by this machine's zlib


def test_no_time_gets_into_the_gzip_header() -> None:
    assert pack(FILES, compress=True)[3:8] == b"\0\0\0\0\0"  # RFC 1952: flags, then the time


@pytest.mark.parametrize("compress", [False, True])
def test_what_is_packed_is_unpacked(compress: bool) -> None:
    packed = pack(FILES, compress=compress)
    assert unpack(packed) == {one.path: one.content for one in FILES}


def test_members_belong_to_nobody_of_this_machine() -> None:
    with tarfile.open(fileobj=io.BytesIO(pack(FILES, compress=False))) as tar:
        members = tar.getmembers()
    assert [(one.name, oct(one.mode)) for one in members] == [
        ("a", "0o600"),
        ("b/two.conf", "0o644"),
        ("ü/x", "0o644"),
    ]
    for member in members:
        assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (
            0,
            0,
            0,
            "",
            "",
        )


@pytest.mark.process
def test_tar_itself_reads_it(tmp_path: Path) -> None:
    for name, compress in (("x.tar", False), ("x.tar.gz", True)):
        (tmp_path / name).write_bytes(pack(FILES, compress=compress))
        subprocess.run(["tar", "-xf", name], cwd=tmp_path, check=True)
        assert (tmp_path / "b/two.conf").read_text() == "zwei ü\n"


@pytest.mark.parametrize("length", [99, 100, 101, 155, 250])
def test_a_long_name_is_kept(length: int) -> None:
    long = artifact(f"systemd/{'x' * length}", "")
    assert unpack(pack([long], compress=False)) == {long.path: b""}


def tar_with(name: str, kind: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.type = kind
        member.linkname = "/etc/passwd"
        tar.addfile(member)
    return archive.getvalue()


@pytest.mark.parametrize(
    "archive",
    [
        b"not a tar",
        b"\x1f\x8b not gzip",
        pack(FILES, compress=True)[:-20],
        tar_with("link", tarfile.SYMTYPE),
        tar_with("pipe", tarfile.FIFOTYPE),
        tar_with("folder", tarfile.DIRTYPE),
        os.urandom(2000),
    ],
    ids=["text", "gzip", "cut", "link", "pipe", "folder", "noise"],
)
def test_what_is_no_archive_of_ours_gives_nothing(archive: bytes) -> None:
    assert unpack(archive) is None


def test_an_empty_archive_has_no_files() -> None:
    assert unpack(pack([], compress=False)) == {}
    assert unpack(pack([], compress=False)) != {PurePosixPath("x"): b""}
