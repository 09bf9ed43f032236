"""Everything works under `strict`, and what users upload never runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest

from prodgen.plan.core.model import Role
from tests.support.live.restarting import roll
from tests.support.live.systemd_bench import IS_HOST, PATH, SITE, Figure, Run, booted, options
from tests.support.rig.client import fetch
from tests.support.rig.load import Load
from tests.support.rig.waiting import wait_for


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with booted(change=options(hardening="strict"), nginx=True) as made:
        yield made


def test_everything_works_under_strict(run: Run, figure: Figure) -> None:
    run.await_workers()
    with Load(("127.0.0.1", 80), SITE, clients=8, place=run.machine) as load:
        run.bench.set_version("2")
        roll(run)
        wait_for(lambda: load.answered() >= 500, 60, "enough requests")
    assert load.result.failed == 0, str(load.result)
    for queue in ("short", "default", "long", "reports"):
        run.bench.enqueue(queue, 0.1, queue)
    run.bench.enqueue("long", 3, "slow")
    wait_for(lambda: run.bench.counts("start")["slow"] == 1, 20, "the long job to begin")
    run.systemctl("restart", *run.units_of(Role.WORKER))
    wait_for(lambda: len(run.bench.counts()) == 5, 20, "all jobs")
    assert set(run.bench.counts().values()) == {1}
    wait_for(lambda: "tick" in run.bench.read("logs/scheduler.log"), 20, "the scheduler")
    path = "/socket.io/?EIO=4&transport=polling"
    headers = {"Origin": f"http://{SITE}"}
    answer = fetch(("127.0.0.1", 80), path, host=SITE, headers=headers, place=run.machine)
    assert answer.status == 200
    assert run.ask("/private/files/secret.txt", 80).text == f"private <p>{SITE}</p>\n"
    run.bench.redis("SAVE")
    run.bench.redis("SET", "kept", "yes")
    run.systemctl("restart", *run.units_of(Role.QUEUE))
    run.await_all("active")
    assert run.bench.redis("GET", "kept") == "yes"
    run.machine.reboot()
    run.await_all("active", 10)
    assert run.bench.web_answers()
    figure(f"strict, a rolling restart, {load.result}")


@pytest.mark.parametrize("level", ["standard", "strict"])
def test_what_users_upload_never_runs(run: Run, level: str) -> None:
    run.install(options(hardening=level))
    unit = run.units_of(Role.WEB)[0]
    run.systemctl("restart", unit)
    program = f"{PATH}/sites/{SITE}/public/files/evil"
    run.machine.put(program, "#!/bin/sh\necho ran\n", mode=0o755)
    pid = str(run.pids()[unit])
    inside = ["nsenter", "--target", pid, "--mount", "--setuid", "1001", "--setgid", "1001"]
    done = run.machine.run([*inside, program], check=False)
    assert done.returncode != 0
    assert "Permission denied" in done.stderr
    done = run.machine.run([*inside, "touch", f"{PATH}/env/new"], check=False)
    assert "Read-only file system" in done.stderr


CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
PRINTS = """\
[Service]
Type=oneshot
Restart=no
ExecStart=
ExecStart=:{program} --headless --no-sandbox --disable-gpu --print-to-pdf={pdf} "{page}"
"""
"""As Frappe 16 runs it (frappe/utils/pdf_generator): without Chromium's own sandbox."""


@pytest.mark.matrix_cases("standard")
@pytest.mark.skipif(not (IS_HOST and CHROMIUM), reason="no chromium here (it takes 400 MB)")
@pytest.mark.parametrize("level", ["standard", "strict"])
def test_chromium_prints_pdf(run: Run, level: str, figure: Figure) -> None:
    """In the sandbox of a worker, in whose place it runs."""
    run.install(options(hardening=level))
    unit = run.units_of(Role.WORKER)[0]
    folder = f"/etc/systemd/system/{unit}.d"
    pdf = f"{PATH}/sites/{SITE}/private/files/{level}.pdf"
    text = PRINTS.format(program=CHROMIUM, pdf=pdf, page="data:text/html,<h1>Invoice</h1>")
    run.machine.put(f"{folder}/prints.conf", text)
    run.systemctl("daemon-reload")
    try:
        done = run.machine.run(["systemctl", "restart", unit], check=False, timeout=60)
        assert done.returncode == 0, run.journal("-u", unit, "-n", "30")
        data = run.bench.file(pdf).read_bytes()
    finally:
        run.machine.run(["rm", "-r", folder])
        run.systemctl("daemon-reload")
    assert data.startswith(b"%PDF-")
    figure(f"Chromium under {level}: a PDF of {len(data)} bytes")


ATTACKS = (
    "echo 'loadmodule /tmp/evil.so' >> redis_queue.conf",
    "echo x > new.conf && mv new.conf redis_queue.conf",
    "rm -f redis_queue.conf",
    "ln -f new.lock nginx.conf",
)


@pytest.mark.parametrize("level", ["standard", "strict"])
def test_no_service_rewrites_a_conf_file_in_config(run: Run, level: str) -> None:
    """Where Frappe makes its locks, and Redis its pid file."""
    folder = f"{PATH}/config"
    run.machine.put(f"{folder}/nginx.conf", "# nginx\n", mode=0o644)
    run.machine.run(["chown", "-R", "frappe:", folder])
    conf = run.bench.file("config/redis_queue.conf")
    before = conf.read_bytes()
    run.install(options(hardening=level))
    units = [run.units_of(role)[0] for role in (Role.WEB, Role.WORKER, Role.QUEUE)]
    run.systemctl("restart", *units)
    for unit in units:
        inside = ["nsenter", "--target", str(run.pids()[unit]), "--mount"]
        inside += ["--setuid", "1001", "--setgid", "1001", "env", "-C", folder]
        done = run.machine.run([*inside, "touch", "new.lock"], check=False)
        assert done.returncode == 0, (unit, done.stderr)
        for attack in ATTACKS:
            done = run.machine.run([*inside, "/bin/sh", "-c", attack], check=False)
            assert done.returncode != 0, (unit, attack)
            assert re.search(
                "Read-only file system|Device or resource busy|cross-device", done.stderr
            )
        script = "printf '#!/bin/sh\\necho ran\\n' > evil && chmod +x evil && ./evil"
        done = run.machine.run([*inside, "/bin/sh", "-c", script], check=False)
        assert "Permission denied" in done.stderr, (unit, done)
    assert conf.read_bytes() == before
