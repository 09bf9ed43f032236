"""The reader of a file of secrets, run by real shells: what stands in the file reaches the program.

Many values stand in one file, since each run of a shell costs milliseconds.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings

from prodgen.inputs.core.source import Source
from prodgen.plan.core.model import Role
from prodgen.targets.env_reader.render import render_environment
from tests.support.plans import bench_files, make_plan
from tests.support.rig.tools import need_root
from tests.support.secret_files import VALUES, file_of, is_taken

pytestmark = pytest.mark.process

PROCFILE = "web: bench serve\nschedule: bench schedule\nworker: bench worker\nother: bin/other\n"
SHELLS = [
    words
    for words in (("/bin/sh",), ("bash", "--posix"), ("bash",), ("busybox", "sh"), ("ksh",))
    if shutil.which(words[0])
]
OF_SHELLS = ("PATH", "PWD", "SHLVL", "_", "OLDPWD")
CLEAN = {"PATH": "/nowhere"}
"""The reader finds no program that it could hand a value to, for all to see in the process list."""

Reader = tuple[str, ...]


@pytest.fixture(scope="module")
def script() -> Iterator[str]:
    """The file as it is installed, where every user may read it."""
    plan = make_plan(
        bench_files(PROCFILE)._replace(settings=Source("prodgen.yaml", "env_file: .env"))
    )
    [artifact], found = render_environment(plan)
    assert not found
    with tempfile.TemporaryDirectory(prefix="prodgen-reader-") as folder:
        path = Path(folder) / "with-env.sh"
        path.write_text(artifact.text)
        path.parent.chmod(0o755)
        yield str(path)


@pytest.fixture(params=SHELLS, ids=" ".join)
def reader(request: pytest.FixtureRequest, script: str) -> Reader:
    name, *options = request.param
    return (shutil.which(name) or name, *options, script)


def run(
    reader: Reader, file: Path | str, *argv: str, user: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """What becomes of a program that is started through the reader."""
    words = [*reader, str(file), *argv]
    return subprocess.run(words, env=CLEAN, capture_output=True, check=False, user=user, timeout=20)


def variables(output: bytes) -> dict[str, str]:
    """What env(1) prints, without what shells set by themselves."""
    pairs = (part.decode().split("=", 1) for part in output.split(b"\0") if part)
    return {key: value for key, value in pairs if key not in OF_SHELLS}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(VALUES)
@example(["$HOME", "`id`", "$(id)", "'", '"', "\\", "\\\\", "a\\", "#", " #x", " ", "", "*", "~"])
def test_every_value_arrives_as_it_is(reader: Reader, tmp_path: Path, values: list[str]) -> None:
    text, expected = file_of(values)
    file = tmp_path / "secrets"
    file.write_text(text)
    done = run(reader, file, "/usr/bin/env", "-0")
    assert (done.returncode, done.stderr) == (0, b"")
    assert variables(done.stdout) == expected


REFUSED = [
    "A=", "A", "=x", "1A=x", "A-B=x", "é=x", "export A=x", " A=x", "A =x", "A= x", "A='x' ",
    "A=x\t", "A=x y", "A='x' # y", "A='x'y", "A='x''y'", "A='x", "A=x'", "A='", 'A="', 'A="x',
    'A="x\\$"', 'A="\\n"', 'A="a"b"', "A=\\x", "A=x#y", "A=x\r", "prodgen_file=/x", "; c",
    "OPTIND=y", "IFS=x",
]  # fmt: skip


@pytest.mark.parametrize("line", REFUSED)
def test_a_line_that_is_refused_starts_nothing(script: str, tmp_path: Path, line: str) -> None:
    assert not is_taken(line), "validate says so too"
    file = tmp_path / "secrets"
    file.write_text(f"B='hunter2'\n{line}hunter2\n" if line[-1] in "xy" else f"B=1\n{line}\n")
    done = run(("/bin/sh", script), file, "/usr/bin/touch", str(tmp_path / "started"))
    assert done.returncode == 78
    assert not (tmp_path / "started").exists()
    said = done.stderr.decode()
    assert f"{file}: line 2 is no NAME=VALUE" in said
    assert "hunter2" not in said


def test_a_missing_file_starts_nothing(reader: Reader, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    for name in ("absent", "link", "pipe", "."):
        done = run(reader, tmp_path / name, "/usr/bin/touch", str(tmp_path / "started"))
        assert done.returncode == 78, name
        assert b"nothing is started" in done.stderr
        assert not (tmp_path / "started").exists()


def test_a_file_of_somebody_else_starts_nothing(reader: Reader) -> None:
    need_root("another user")
    file = Path(reader[-1]).with_name("secrets of root")
    file.write_text("A=1\n")
    file.chmod(0o600)
    done = run(reader, file, "/usr/bin/env", user="nobody")
    assert done.returncode == 78
    assert b"may not be read" in done.stderr


SHOW = """\
import os
print(os.getpid(), os.environ["A"], os.readlink("/proc/self/fd/0"), os.readlink("/proc/self/fd/3"))
print(*sorted(os.listdir("/proc/self/fd")))
"""


def test_the_process_and_its_sockets_stay_the_same(reader: Reader, tmp_path: Path) -> None:
    """Standard input is Supervisor's socket, 3 is systemd's; nothing else is left open."""
    file = tmp_path / "secrets"
    file.write_text("A=1")
    words = ["/bin/sh", "-c", 'exec "$0" "$@" 3<&0', *reader, str(file), sys.executable, "-c", SHOW]
    with socket.socket() as own:
        inode = os.fstat(own.fileno()).st_ino
        process = subprocess.Popen(
            words, env=CLEAN, stdin=own.fileno(), stdout=subprocess.PIPE, text=True
        )
        out, _ = process.communicate(timeout=20)
    first, second = out.splitlines()
    assert first.split() == [str(process.pid), "1", f"socket:[{inode}]", f"socket:[{inode}]"]
    assert second.split() == ["0", "1", "2", "3", "4"], "4 is the list itself"


def test_who_gets_it() -> None:
    files = bench_files(PROCFILE, redis={"redis_cache": 13000, "redis_queue": 11000})
    plan = make_plan(files._replace(settings=Source("prodgen.yaml", "env_file: .env")))
    without = {one.role.value for one in plan.services if one.env_file is None}
    assert without == {Role.CACHE, Role.QUEUE}
    paths = {str(one.env_file.value) for one in plan.services if one.env_file}
    assert paths == {"/home/frappe/frappe-bench/.env"}
    assert len(plan.services) > 5
