"""Which certificates would keep nginx from starting."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from prodgen.host import certificates
from prodgen.host.certificates import faults_of
from prodgen.host.detect import find_ipv6
from tests.support.rig.tools import need


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two certificates, `one` and `two`, a key behind a password, and files that are neither."""
    made = tmp_path_factory.mktemp("certificates")
    openssl = need("openssl")
    for name in ("one", "two"):
        argv = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        argv += ["-nodes", "-days", "9", "-subj", f"/CN={name}.test"]
        argv += ["-out", str(made / f"{name}.pem"), "-keyout", str(made / f"{name}.key")]
        subprocess.run(argv, check=True, capture_output=True)
    locked = ["-in", str(made / "one.key"), "-out", str(made / "locked.key")]
    subprocess.run(
        [openssl, "ec", "-aes256", "-passout", "pass:x", *locked], check=True, capture_output=True
    )
    (made / "empty.pem").write_text("")
    (made / "a-folder.pem").mkdir()
    return made


@pytest.mark.parametrize(
    ("chain", "key", "said"),
    [
        ("one.pem", "one.key", ""),
        ("none.pem", "one.key", "none.pem: no such file or directory"),
        ("one.pem", "none.key", "none.key: no such file or directory"),
        ("one.pem", "two.key", "two.key is not that of"),
        ("empty.pem", "one.key", "are no certificate with its key"),
        ("one.pem", "empty.pem", "are no certificate with its key"),
        ("a-folder.pem", "one.key", "a-folder.pem is a folder, not a file"),
        ("one.pem", "locked.key", "the key is behind a password"),
    ],
)
def test_faults(folder: Path, chain: str, key: str, said: str) -> None:
    pair = (str(folder / chain), str(folder / key))
    found = faults_of([pair])
    assert said in found.get(pair, "")
    assert bool(found) is bool(said)


def test_paths_that_no_system_has() -> None:
    pair = ("/etc/\0", "/etc/k")
    assert pair in faults_of([pair])


def test_what_may_not_be_read_is_no_fault_of_its_own(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only root sees /etc/letsencrypt/live, and nginx starts as root."""

    def refuse(path: str) -> None:
        raise PermissionError

    monkeypatch.setattr(certificates, "open_regular", refuse)
    pair = (str(folder / "one.pem"), str(folder / "one.key"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert faults_of([pair]) == {}
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "cannot be read" in faults_of([pair])[pair]


def test_a_kernel_without_ipv6(tmp_path: Path) -> None:
    (tmp_path / "if_inet6").write_text("")
    assert find_ipv6(tmp_path / "if_inet6").value is True
    assert find_ipv6(tmp_path / "none").value is False
