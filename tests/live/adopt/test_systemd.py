"""`prodgen adopt` on a bench that runs as `bench setup systemd` leaves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.live.adopt.test_adopt import BENCH, answers, redis_pids
from tests.support.live.applying import Host, host
from tests.support.live.systemd_bench import NAME, PATH, USER
from tests.support.outputs import parse
from tests.support.plans import ROOT
from tests.support.rig.waiting import wait_for

Figure = Callable[[str], None]
UNITS = ROOT / "tests/review/adopt/systemd/adopted_systemd/by-hand"
NGINX = ROOT / "tests/review/adopt/adopted/by-bench/nginx.conf"
PLACE = "/etc/systemd/system"
LISTENER = "listener-of-mine.service"


@pytest.fixture(scope="module")
def run() -> Iterator[Host]:
    with host("systemd", supervisor=False) as made:
        set_up(made)
        yield made


def set_up(made: Host) -> None:
    """What `bench setup systemd --create-symlinks` does, and what users do beside."""
    made.machine.put("/usr/local/bin/bench", BENCH)
    made.shell("chmod 755 /usr/local/bin/bench")
    made.shell(f"install -d -o {USER} {PATH}/config/systemd {PATH}/logs")
    for path in sorted(one for one in UNITS.rglob("*") if one.is_file()):
        inner = path.relative_to(UNITS)
        if path.parent != UNITS or path.name == LISTENER:
            made.machine.put(f"{PLACE}/{inner}", path.read_text())
        else:
            made.machine.put(f"{PATH}/config/systemd/{inner}", path.read_text())
            made.shell(f"ln -s {PATH}/config/systemd/{inner} {PLACE}/{inner}")
    made.machine.put(f"{PATH}/config/nginx.conf", NGINX.read_text())
    made.shell(f"ln -s {PATH}/config/nginx.conf /etc/nginx/conf.d/{NAME}.conf")
    made.shell(f"chown -R {USER} {PATH}/config; systemctl daemon-reload; systemctl reload nginx")
    made.shell(f"systemctl enable --now {NAME}.target {NAME}-workers.target 2>&1")
    # None of bench's targets wants its scheduler.
    made.shell(f"systemctl start {NAME}-frappe-default-worker@3 {NAME}-frappe-schedule")
    wait_for(lambda: answers(made) and len(made.bench.workers()) == 7, 60, "the bench")


def active(made: Host) -> set[str]:
    """The services of the bench that run."""
    listed = made.shell(
        f"systemctl list-units --plain --no-legend --state=active '{NAME}-*.service'"
    )
    return {line.split()[0] for line in listed.splitlines()}


def enqueue(made: Host, token: str) -> int:
    """Jobs of both kinds of workers, some of them in flight at once; how many."""
    for queue, seconds in (("default", 12), ("long", 8), ("short", 8)):
        # Less than the 90 s of a unit that says nothing: the worker is told to end at once.
        made.bench.enqueue(queue, seconds, f"{token}-{queue}", timeout=30)
    made.bench.enqueue("short", 0.1, f"{token}-quick", count=40)
    wait_for(lambda: begun(made, token) >= 3, 30, "the long jobs")
    return 43


def begun(made: Host, token: str) -> int:
    words = [f"{token}-{queue}" for queue in ("default", "long", "short")]
    return sum(made.bench.counts("start")[word] for word in words)


def assert_done(made: Host, token: str, count: int) -> None:
    """Every job has run once, none was begun twice or lost."""

    def mine(event: str) -> dict[str, int]:
        found = made.bench.counts(event)
        return {name: number for name, number in found.items() if name.startswith(f"{token}-")}

    wait_for(lambda: len(mine("finish")) == count, 60, "all jobs")
    assert set(mine("finish").values()) == {1}
    assert set(mine("start").values()) == {1}


def test_the_review_is_read_by_programs_too(run: Host) -> None:
    before = run.installed()
    done = run.prodgen("adopt", "-n", "--format", "json")
    assert done.code == 0, done
    found = parse("adopt", done.out)
    assert "abc d" not in done.out
    fates = {one["path"]: one["fate"] for one in found["files"]}
    assert fates[f"{PLACE}/{LISTENER}"] == "stays"
    assert fates[f"{PLACE}/{NAME}-frappe-web.service"] == "replaced"
    refused = run.prodgen("adopt", "--yes")
    assert refused.code == 1, refused
    assert "would not be kept" in refused.err
    run.set(manager="supervisor")
    other = run.prodgen("adopt", "--yes", "--leave-out")
    assert "adopt it with `manager: systemd`" in other.err, other
    run.set(manager="systemd")
    assert run.installed() == before
    assert run.shell(f"ls -d /etc/nginx/{NAME} 2>&1", check=False).endswith("directory\n")


@pytest.mark.matrix
def test_it_takes_over_and_goes_back(run: Host, figure: Figure) -> None:
    redis, former = redis_pids(run), active(run)
    assert len(redis) == 2
    listener = run.shell(f"systemctl show -P MainPID {LISTENER}")
    scheduler = run.pids()[f"{NAME}-frappe-schedule"]
    count = enqueue(run, "adopt")
    with run.load(pause=0.02) as load:
        ended = run.prodgen("adopt", "--yes", "--leave-out")
    figure(f"adopted: {load.result}")
    assert ended.code == 0, ended
    assert_done(run, "adopt", count)
    assert redis_pids(run) == redis
    assert run.shell(f"systemctl show -P MainPID {LISTENER}") == listener
    assert run.pids()[f"{NAME}-frappe-schedule"] != scheduler
    now = active(run)
    assert not any("default-worker" in unit for unit in now), now
    assert f"{NAME}-frappe-web.service" not in now
    assert run.prodgen("status").code == 0
    assert run.prodgen("diff", "--detailed-exitcode").code == 0
    assert "nobody else has installed" in run.prodgen("adopt", "--yes").err
    assert links_into_the_bench(run) == ""
    limits = run.shell(f"systemctl show -P LimitNOFILE {NAME}-frappe-web@1").strip()
    assert limits == "200000"
    assert run.shell("find /run/systemd/system -name 'prodgen*'") == ""

    count = enqueue(run, "back")
    with run.load(pause=0.02) as load:
        back = run.prodgen("apply", "--rollback", "--yes")
    figure(f"rolled back: {load.result}; {back.err.splitlines()[-1]}")
    assert back.code == 0, back
    assert_done(run, "back", count)
    wait_for(lambda: active(run) >= former - {f"{NAME}-frappe-default-worker@3.service"}, 30, "all")
    assert not any("web@" in unit for unit in active(run))
    text = run.shell(f"cat {PLACE}/{NAME}-frappe-web.service")
    assert text == (UNITS / f"{NAME}-frappe-web.service").read_text()
    assert run.shell(f"stat -c %a {PLACE}/{NAME}-frappe-web.service").strip() == "600"
    assert run.shell(f"find {PLACE} -name adopted.conf") == ""
    wait_for(lambda: answers(run), 30, "the web")
    assert run.shell(f"systemctl is-enabled {NAME}.target").strip() == "enabled"


def links_into_the_bench(made: Host) -> str:
    """What systemd would still follow into a folder that the bench's user can write."""
    return made.shell(f"find {PLACE} -type l -lname '{PATH}/*'")
