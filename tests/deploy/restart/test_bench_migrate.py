"""Sites are migrated in turn; the first failure ends it, and the state of each site is said."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.privilege.admission import NotAdmitted
from prodgen.deploy.restart import bench_migrate
from prodgen.deploy.restart.bench_migrate import LOG, migrate_all, migrate_command, variables
from prodgen.deploy.session.session import Session, bench_lock
from prodgen.deploy.system import procfs
from prodgen.host.door import enter
from tests.support.accounts import needs_root
from tests.support.fakes.fake_manager import FakeManager
from tests.support.fakes.recorder import PLAN, SITES, Recorder, make_session
from tests.support.owner import OWNER, give, is_owners
from tests.support.systemd_plans import sourced

pytestmark = pytest.mark.process

FIRST, SECOND = SITES
PYTHON = """\
#!/bin/sh
# In the place of Frappe: what `case` says for a site.
for word; do [ "$before" != --site ] || site=$word; before=$word; done
echo "migrates $site in $(pwd) as $USER"
case $site in
{case}
esac
"""


class Bench:
    """A bench whose `env/bin/python` is a shell script."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("env/bin", "sites", "logs"):
            (folder / name).mkdir(parents=True)
        self.case("")
        plan = PLAN._replace(user=sourced(OWNER.name))
        give(folder)
        session, said = make_session(FakeManager([]), bench=folder, plan=plan)
        self.session: Session = session
        self.said: Recorder = said

    def case(self, text: str) -> None:
        python = self.folder / "env/bin/python"
        python.write_text(PYTHON.format(case=text))
        python.chmod(0o755)
        give(python.parent)

    @property
    def log(self) -> Path:
        return self.folder / LOG

    def migrate(self, seconds: float = 30) -> bool:
        with bench_lock(self.folder) as lock:
            return migrate_all(self.session, seconds, lock)


@pytest.fixture
def bench(ground: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """One where every migration comes to its end."""
    monkeypatch.setattr(bench_migrate, "POLL", 0.005)
    return Bench(ground / "bench")


def test_no_setuid_program_gives_a_migration_new_rights(bench: Bench) -> None:
    bench.case("*) grep NoNewPrivs /proc/self/status ;;")
    assert bench.migrate()
    assert bench.log.read_text().count("NoNewPrivs:\t1\n") == len(SITES)


def test_it_begins_nothing_without_setpriv(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_migrate, "find_program", lambda _: None)
    with pytest.raises(DeployError, match="setpriv is not installed"):
        bench.migrate()


def test_every_site_in_its_turn(bench: Bench) -> None:
    assert bench.migrate()
    assert bench.said.kinds() == ["migrating", "migrated"] * 2
    sites = bench.folder / "sites"
    assert bench.log.read_text().splitlines() == [
        f"migrates {site} in {sites} as {variables(PLAN)['USER']}" for site in SITES
    ]
    assert is_owners(bench.log)
    assert bench.log.stat().st_mode & 0o777 == 0o644 & ~os.umask(os.umask(0o022))


def test_the_first_failure_ends_it(bench: Bench) -> None:
    bench.log.write_text("of last year\n")
    give(bench.log.parent)
    bench.case(f"{FIRST}) echo; echo broken patch >&2; exit 3;;")
    assert not bench.migrate()
    assert bench.session.problems == [f"the migration of {FIRST} failed: exit 3"]
    assert "migrating" in bench.said.kinds()
    assert bench.said.texts("migrating") == [f"{FIRST} is being migrated"]
    said = bench.said.texts("log")
    assert said[-1] == "  broken patch"
    assert len(said) == 2, "neither what is old nor empty lines"
    assert bench.said.texts("note") == [
        f"{FIRST}: its migration failed (exit 3)",
        f"{SECOND}: not migrated, as it was",
    ]


def test_what_was_migrated_before_is_said_to_be(bench: Bench) -> None:
    bench.case(f"{SECOND}) kill -9 $$;;")
    assert not bench.migrate()
    assert bench.session.problems == [f"the migration of {SECOND} failed: signal 9"]
    assert bench.said.texts("note")[0] == f"{FIRST}: migrated"


def test_only_the_last_lines_are_shown(bench: Bench) -> None:
    bench.case(f"{FIRST}) seq 100; exit 1;;")
    bench.migrate()
    assert bench.said.texts("log") == [f"  {number}" for number in range(89, 101)]


@pytest.mark.parametrize(
    ("case", "last"), [("trap 'echo ends; exit 0' INT", "  ends"), ("trap '' INT", "  waits")]
)
def test_one_that_takes_too_long_is_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, case: str, last: str
) -> None:
    """As Ctrl-C does first, and by force where that does not help."""
    monkeypatch.setattr(bench_migrate, "END_SECONDS", 0.5)
    bench.case(f"{FIRST}) {case}; echo waits; while :; do sleep 0.01; done;;")
    assert not bench.migrate(seconds=0.3)
    assert bench.session.problems == [
        f"the migration of {FIRST} failed: it took longer than 0.3 s, and was ended"
    ]
    assert bench.said.texts("log")[-1] == last


def test_an_interrupted_one_is_ended_and_told_of(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    def interrupted(child: object, seconds: float) -> str:
        begun.append(child.pid)  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    bench.case(f"{FIRST}) exec sleep 600;;")
    monkeypatch.setattr(bench_migrate, "_outcome", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bench.migrate()
    assert procfs.stat(begun[0]) is None
    assert f"{FIRST}: its migration was interrupted" in bench.said.texts("note")


def test_a_migration_holds_the_bench_s_lock(bench: Bench) -> None:
    """Where prodgen is killed, nobody begins another one meanwhile."""
    with (
        bench_lock(bench.folder) as lock,
        bench_migrate._opened_log(bench.session.context.door) as log,
    ):
        bench.case(f"{FIRST}) exec sleep 600;;")
        child = bench_migrate._begin(bench.session.context, FIRST, log, lock)
    while FIRST not in bench.log.read_text():
        time.sleep(0.005)
    try:
        with (
            pytest.raises(DeployError, match="or a migration that it has begun"),
            bench_lock(bench.folder),
        ):
            pass
    finally:
        child.kill()
        child.wait()
    with bench_lock(bench.folder):
        pass


def test_a_link_in_the_place_of_the_log_is_not_followed(bench: Bench, ground: Path) -> None:
    """Not even to a file that the bench's user may write."""
    secret = ground / "secret"
    secret.write_text("kept")
    give(secret)
    bench.log.symlink_to(secret)
    with pytest.raises(DeployError, match="cannot be written"):
        bench.migrate()
    assert secret.read_text() == "kept"


@needs_root
def test_a_link_on_the_way_to_the_log_leads_root_nowhere(bench: Bench, ground: Path) -> None:
    root_s = ground / "root"
    root_s.mkdir(mode=0o755)
    bench.log.parent.rmdir()
    bench.log.parent.symlink_to(root_s)
    with pytest.raises(DeployError, match="cannot be written"):
        bench.migrate()
    assert list(root_s.iterdir()) == []


def test_it_runs_as_the_bench_s_owner_without_anything_of_our_environment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRODGEN_TEST", "ours")
    bench.case(f'{FIRST}) echo "$(id -u) ${{PRODGEN_TEST:-nothing}}";;')
    assert bench.migrate()
    assert f"{OWNER.uid} nothing" in bench.log.read_text().splitlines()


@needs_root
@pytest.mark.parametrize(
    ("owner", "why"), [(0, "belongs to root"), (61001, "would run as nobody, but .* belongs to")]
)
def test_root_runs_nothing_of_a_bench_of_root_s_or_another_user_s(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: int, why: str
) -> None:
    begun: list[object] = []
    monkeypatch.setattr(subprocess, "Popen", begun.append)
    for path in (bench.folder, *bench.folder.rglob("*")):
        os.chown(path, owner, owner)
    context = replace(bench.session.context, door=enter(bench.folder))
    with (tmp_path / "log").open("wb") as log, pytest.raises(NotAdmitted, match=why):
        bench_migrate._begin(context, FIRST, log.fileno(), log.fileno())
    assert begun == []


def test_what_is_no_ordinary_file_is_refused(bench: Bench) -> None:
    os.mkfifo(bench.log)
    give(bench.log.parent)
    with pytest.raises(DeployError, match="no ordinary file"):
        bench.migrate()


def test_a_bench_without_python_is_refused(bench: Bench) -> None:
    python = bench.folder / "env/bin/python"
    python.unlink()
    assert not bench.migrate()
    assert f"failed to execute {python}: No such file or directory" in bench.log.read_text()
    assert f"the migration of {FIRST} failed: exit 127" in bench.said.texts()[-1]


def test_it_has_the_environment_of_the_bench_s_own_processes() -> None:
    argv = migrate_command(PLAN, "a.test")
    assert argv[-3:] == ("--site", "a.test", "migrate")
    found = variables(PLAN)
    assert found["HOME"] == "/home/frappe"
    assert found["USER"] == "frappe"
