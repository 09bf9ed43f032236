"""apply replaces all of the files or none, whatever fails, and whenever."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from prodgen.deploy.apply.apply import End, Job, apply, recover, recover_interrupted
from prodgen.deploy.apply.history import KEPT, former_artifacts, numbers
from prodgen.deploy.apply.journal import read_journal
from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.deploy.session.session import bench_lock
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.manifest import PATH, make_manifest
from tests.support import faults
from tests.support.reviewed import plan_with

STATE = Path("var/lib/prodgen/frappe-bench")
OLD = {"systemd/a.service": "old a\n", "systemd/b.service": "old b\n", "nginx/x.conf": "old x\n"}
NEW = {"systemd/a.service": "new a\n", "systemd/c.service": "new c\n", "nginx/x.conf": "new x\n"}
CONTEXT = BenchContext(plan_with())
Files = dict[str, str]


def artifacts(files: Files) -> list[Artifact]:
    made = [
        Artifact(PurePosixPath(name), text, PurePosixPath("/etc", name), name.split("/")[0])
        for name, text in files.items()
    ]
    return [*made, make_manifest(made, "frappe-bench", "1", {})]


def job(root: Path, files: Files, *, overwrite: bool = False) -> Job:
    return Job(
        CONTEXT,
        artifacts(files),
        root / STATE,
        lambda _event: None,
        root=root,
        overwrite=overwrite,
        activates=False,
    )


def installed(root: Path) -> Files:
    """Everything below /etc, leftovers too."""
    folder = root / "etc"
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def is_tidy(root: Path) -> bool:
    """Whether no journal, draft or temporary file is left."""
    names = {path.name for path in root.rglob("*")}
    return not any(name.startswith(".prodgen-") or name in ("pending", "next") for name in names)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In memory, since each of some thousand writes waits for its disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    assert apply(job(tmp_path, OLD)).end is End.DONE
    return tmp_path


def test_it_installs_updates_and_removes(root: Path) -> None:
    assert installed(root) == OLD
    assert apply(job(root, NEW)).end is End.DONE
    assert installed(root) == NEW
    assert is_tidy(root)


def test_a_second_apply_touches_nothing(root: Path) -> None:
    before = {path: path.stat().st_ctime_ns for path in root.rglob("*") if path.name != "lock"}
    assert apply(job(root, OLD)).end is End.UNCHANGED
    after = {path: path.stat().st_ctime_ns for path in root.rglob("*") if path.name != "lock"}
    assert after == before


def test_modes_are_as_the_artifacts_say_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        apply(job(tmp_path, OLD))
    finally:
        os.umask(before)
    assert {oct((tmp_path / "etc" / name).stat().st_mode & 0o777) for name in OLD} == {"0o644"}


@pytest.mark.process
def test_what_is_recovered_can_be_read_whatever_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(job(tmp_path, OLD))
    with monkeypatch.context() as patch:
        patch.setattr("prodgen.deploy.apply.apply._activate", lambda *_: faults.die())
        assert faults.in_child(lambda: apply(job(tmp_path, NEW))) == 9
    before = os.umask(0o077)
    try:
        recover_interrupted(job(tmp_path, NEW))
    finally:
        os.umask(before)
    assert installed(tmp_path) == NEW
    assert (tmp_path / STATE / PATH).stat().st_mode & 0o777 == 0o644


@pytest.mark.pitfall("28")
def test_what_is_installed_is_no_link(root: Path) -> None:
    """SELinux lets nginx and systemd follow none into a home."""
    apply(job(root, NEW))
    assert not [path for path in (root / "etc").rglob("*") if path.is_symlink()]


@pytest.mark.pitfall("D-PR2")
def test_what_it_says_has_no_python_in_it(root: Path) -> None:
    said: list[str] = []
    for files in (NEW, OLD):
        one = job(root, files)
        one.report = lambda event: said.append(str(getattr(event, "text", event)))
        apply(one)
    edit(root / "etc/systemd/a.service")
    said += [f"{each.message} {each.help}" for each in apply(job(root, NEW)).refusals]
    assert len(said) >= 3
    assert not re.search(r"<\w+ |object at 0x|\w+\(.*=|PosixPath", "\n".join(said))


def edit(path: Path) -> None:
    path.write_text("edited\n")


@pytest.mark.pitfall("5")
@pytest.mark.parametrize("change", [edit, Path.unlink])
def test_an_edit_by_hand_is_refused(root: Path, change: Callable[[Path], None]) -> None:
    path = root / "etc/systemd/a.service"
    change(path)
    before = installed(root)
    ended = apply(job(root, NEW))
    assert ended.end is End.REFUSED
    assert "/etc/systemd/a.service" in ended.refusals[0].message
    assert installed(root) == before
    assert apply(job(root, NEW, overwrite=True)).end is End.DONE
    assert installed(root) == NEW


@pytest.mark.pitfall("8")
def test_a_file_of_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "etc/nginx/x.conf"
    path.parent.mkdir(parents=True)
    path.write_text("somebody's\n")
    assert apply(job(tmp_path, OLD)).end is End.REFUSED
    assert installed(tmp_path) == {"nginx/x.conf": "somebody's\n"}


def test_what_others_have_beside_ours_stays(root: Path) -> None:
    (root / "etc/systemd/other.service").write_text("theirs\n")
    apply(job(root, {}))
    assert installed(root) == {"systemd/other.service": "theirs\n"}


def roll_back(root: Path) -> None:
    back = job(root, {})
    back.artifacts = former_artifacts(root / STATE)
    assert apply(back).end is End.DONE


def test_a_rollback_is_the_exact_inverse(root: Path) -> None:
    apply(job(root, NEW))
    roll_back(root)
    assert installed(root) == OLD
    assert apply(job(root, OLD)).end is End.UNCHANGED


@pytest.mark.pitfall("D-PR3")
def test_a_rollback_of_the_first_apply_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "etc/nginx/x.conf"
    path.parent.mkdir(parents=True)
    path.write_text("somebody's\n")
    apply(job(tmp_path, OLD, overwrite=True))
    assert installed(tmp_path) == OLD
    roll_back(tmp_path)
    assert installed(tmp_path) == {"nginx/x.conf": "somebody's\n"}


def test_a_rollback_brings_back_an_edit_that_was_overwritten(root: Path) -> None:
    edit(root / "etc/systemd/a.service")
    apply(job(root, NEW, overwrite=True))
    roll_back(root)
    assert installed(root) == OLD | {"systemd/a.service": "edited\n"}


def test_a_few_generations_are_kept(root: Path) -> None:
    for number in range(KEPT + 3):
        apply(job(root, OLD | {"nginx/x.conf": f"{number}\n"}))
    assert len(numbers(root / STATE)) == KEPT
    roll_back(root)
    assert installed(root)["nginx/x.conf"] == f"{KEPT + 1}\n"


def test_two_at_once_do_not_interleave(root: Path) -> None:
    with pytest.raises(DeployError, match="another prodgen"):
        _while_another_works(root)
    assert installed(root) == OLD


def _while_another_works(root: Path) -> None:
    with bench_lock(root / STATE):
        apply(job(root, NEW))


def count_calls(base: Path) -> int:
    """How many calls an apply makes that change the file system."""
    apply(job(base, OLD))
    with faults.at_call(0, lambda: None) as seen:
        apply(job(base, NEW))
    return seen.count


@pytest.mark.slow
def test_a_call_that_fails_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    """A full disk, a read-only folder, a missing right, at each call in turn."""
    calls = count_calls(tmp_path / "count")
    assert calls > 30
    failed = 0
    for number in range(1, calls + 1):
        root = tmp_path / str(number)
        apply(job(root, OLD))
        code = faults.FAULTS[number % len(faults.FAULTS)]
        try:
            with faults.at_call(number, faults.fail(code)):
                ended = apply(job(root, NEW))
            failed += ended.end is End.UNHEALTHY
        except OSError:
            failed += 1
        recover(job(root, OLD))
        assert installed_whole(root) in ("old", "new"), number
        assert apply(job(root, NEW)).end in (End.DONE, End.UNCHANGED), number
        assert installed(root) == NEW, number
        assert is_tidy(root), number
    assert failed > calls / 2


def installed_whole(root: Path) -> str:
    """Which whole set of files stands there, temporary ones left aside; else nothing."""
    ours = {name: text for name, text in installed(root).items() if "/.prodgen-" not in f"/{name}"}
    return "old" if ours == OLD else "new" if ours == NEW else ""


@pytest.mark.process
def test_a_death_at_any_call_is_recovered_by_the_next_run(tmp_path: Path) -> None:
    calls = count_calls(tmp_path / "count")
    found = set()
    for number in range(1, calls + 1):
        root = tmp_path / str(number)
        apply(job(root, OLD))

        def work(root: Path = root, number: int = number) -> None:
            with faults.at_call(number, faults.die):
                apply(job(root, NEW))

        assert faults.in_child(work) == 9, number
        recover(job(root, OLD))
        found.add(installed_whole(root))
        assert installed_whole(root) in ("old", "new"), number
        assert read_journal(root / STATE) is None
        assert apply(job(root, NEW)).end in (End.DONE, End.UNCHANGED), number
        assert installed(root) == NEW, number
        assert is_tidy(root), number
    assert found == {"old", "new"}


@pytest.mark.process
def test_a_death_while_recovering_is_recovered_too(tmp_path: Path) -> None:
    calls = count_calls(tmp_path / "count")
    for number in range(10, calls, 9):
        for second in (1, 2, 3, 5, 8, 13):
            root = tmp_path / f"{number}-{second}"
            apply(job(root, OLD))

            def work(root: Path = root, number: int = number) -> None:
                with faults.at_call(number, faults.die):
                    apply(job(root, NEW))

            def resume(root: Path = root, second: int = second) -> None:
                with faults.at_call(second, faults.die):
                    recover(job(root, OLD))

            faults.in_child(work)
            faults.in_child(resume)
            recover(job(root, OLD))
            assert installed_whole(root) in ("old", "new"), (number, second)
            assert apply(job(root, NEW)).end in (End.DONE, End.UNCHANGED)
            assert is_tidy(root)
