"""Who can change an installed file and what it names is looked up on the host."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from prodgen.deploy.apply.installed import read_installed
from prodgen.deploy.apply.takeover import plan_takeover
from prodgen.deploy.apply.takeover_reach import reach_of, who_can_change
from prodgen.deploy.core.errors import DeployError
from prodgen.review.adopt.core.model import Disposition
from prodgen.review.adopt.core.reach import How, Opened
from tests.deploy.apply.test_takeover import NGINX, PLAN, THEIRS, there
from tests.support.reviewed import side

USER = 12345
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away"),
]
CONF = PurePosixPath("/etc/nginx/conf.d/bench.conf")


@pytest.fixture
def host() -> Iterator[Path]:
    """A host with the home of a user, and a link of root's into it; everybody may pass."""
    with tempfile.TemporaryDirectory(prefix="prodgen-reach-") as folder:
        yield made(Path(folder))


def made(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    for folder in ("etc/nginx/conf.d", "etc/nginx/mine", "home/user", "var/log/nginx"):
        (tmp_path / folder).mkdir(parents=True)
    os.chown(tmp_path / "home/user", USER, USER)
    written(tmp_path / "home/user/nginx.conf", "")
    there(tmp_path, str(CONF)).symlink_to(tmp_path / "home/user/nginx.conf")
    return tmp_path


def written(path: Path, text: str, uid: int = USER) -> Path:
    path.write_text(text)
    os.chown(path, uid, uid)
    return path


def danger(host: Path, path: str, how: How = How.READ, *, is_include: bool = False) -> str:
    opened = Opened(path, how, is_include)
    return reach_of(host, CONF, [opened]).dangers.get(opened, "")


def test_a_link_into_a_users_folder_is_that_users_to_change(host: Path) -> None:
    found = reach_of(host, CONF)
    assert found.writer == f"{USER} can change {host}/home/user"
    assert found.source == f"{host}/home/user/nginx.conf"
    own = written(host / "etc/nginx/conf.d/own.conf", "", uid=0)
    assert not reach_of(host, PurePosixPath("/etc/nginx/conf.d/own.conf")).writer
    own.chmod(0o666)
    assert reach_of(host, PurePosixPath("/etc/nginx/conf.d/own.conf")).writer.startswith("everyone")


def test_a_file_that_is_missing_counts_by_its_folder(host: Path) -> None:
    assert danger(host, "/home/user/none/x")
    assert not danger(host, "/etc/nginx/none/x")
    shared = host / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    assert danger(host, "/shared/none") == f"everyone can make files in {shared}"
    (shared / "roots").touch()
    assert not danger(host, "/shared/roots")
    (host / "etc/nginx/link").symlink_to(shared / "none")
    assert danger(host, "/etc/nginx/link")


def test_every_match_of_a_pattern_counts(host: Path) -> None:
    pattern = "/etc/nginx/mine/*.conf"
    assert not danger(host, pattern, is_include=True)
    written(host / "etc/nginx/mine/a.conf", "", uid=0)
    assert not danger(host, pattern, is_include=True)
    link = host / "etc/nginx/mine/z.conf"
    link.symlink_to(host / "home/user/nginx.conf")
    assert danger(host, pattern, is_include=True)
    assert danger(host, "/etc/nginx/m[h-z]ne/z.conf", is_include=True)
    link.unlink()
    (host / "etc/nginx/of-user").mkdir()
    os.chown(host / "etc/nginx/of-user", USER, USER)
    assert danger(host, "/etc/nginx/*/new.conf", is_include=True)
    assert danger(host, "/home/user/*", is_include=True)
    assert danger(host, "/home/user/../user/*.conf", is_include=True)


def test_a_log_counts_by_its_folder(host: Path) -> None:
    """Where nobody but root can put a link, a file of a worker's is as good as one of root's."""
    log = written(host / "var/log/nginx/x.log", "")
    assert not danger(host, "/var/log/nginx/x.log", How.WRITE)
    assert danger(host, "/var/log/nginx/x.log")
    assert danger(host, "/home/user/x.log", How.WRITE)
    log.unlink()
    log.symlink_to(host / "home/user/x.log")
    assert danger(host, "/var/log/nginx/x.log", How.WRITE)


def test_a_lesser_users_file_includes_nothing_that_he_may_not_read(host: Path) -> None:
    """nginx quotes what it cannot understand."""
    secret = written(host / "etc/nginx/mine/secret", "password\n", uid=0)
    assert not danger(host, "/etc/nginx/mine/secret", is_include=True)
    secret.chmod(0o600)
    found = danger(host, "/etc/nginx/mine/*", is_include=True)
    assert found == f"who can change this file may not read {secret}"
    assert not danger(host, "/etc/nginx/mine/secret")


def test_an_installed_link_is_read_with_its_users_rights(host: Path) -> None:
    path = there(host, str(CONF))
    assert read_installed(path)[1] == stat.S_IMODE(path.stat().st_mode)
    secret = written(host / "secret", "password\n", uid=0)
    secret.chmod(0o600)
    (host / "home/user/nginx.conf").unlink()
    (host / "home/user/nginx.conf").symlink_to(secret)
    with pytest.raises(PermissionError):
        read_installed(path)


@pytest.mark.parametrize("kind", ["secret", "pipe", "device"])
def test_what_is_put_behind_a_link_is_neither_read_nor_waited_for(host: Path, kind: str) -> None:
    behind = host / "home/user/nginx.conf"
    there(host, NGINX).parent.mkdir()
    there(host, NGINX).symlink_to(behind)
    text = (THEIRS / "nginx.conf").read_text()
    written(behind, text)
    new = side(PLAN, "supervisor")
    assert PurePosixPath(NGINX) in plan_takeover(PLAN, new, (), host).theirs
    behind.unlink()
    if kind == "secret":
        secret = written(host / "secret", f"password\n{text}", uid=0)
        secret.chmod(0o600)
        behind.symlink_to(secret)
        with pytest.raises(
            DeployError, match="cannot be read: permission denied; 12345"
        ) as refused:
            plan_takeover(PLAN, new, (), host)
        assert "password" not in f"{refused.value}{refused.value.help}"
        return
    if kind == "pipe":
        os.mkfifo(behind)
    else:
        behind.symlink_to("/dev/zero")
    with pytest.raises(
        DeployError, match=r"it is a (named pipe|device), not a file; 12345 can change"
    ):
        plan_takeover(PLAN, new, (), host)


def test_what_a_users_file_includes_of_his_own_is_not_kept(host: Path) -> None:
    text = (THEIRS / "nginx.conf").read_text()
    lines = "listen 80;\n\tinclude /home/user/mine.conf;\n\taccess_log /etc/cron.d/x;"
    written(host / "home/user/nginx.conf", text.replace("listen 80;", lines, 1))
    found = plan_takeover(PLAN, side(PLAN, "supervisor"), (), host)
    left = {one.text: one.note for one in found.adoption.of(Disposition.OPEN)}
    number = text.splitlines().index("\t\tlisten 80;") + 2
    assert left["access_log /etc/cron.d/x"].startswith(f"{CONF}:{number + 1}: {USER} can change")
    assert "mine.conf" not in "".join(one.text for one in found.own)


def test_nobody_else_is_asked_for_what_is_roots() -> None:
    assert not who_can_change(Path("/etc/passwd"))
    assert not who_can_change(Path("/etc/none/x"))
    assert who_can_change(Path("/tmp/none-of-mine"))
