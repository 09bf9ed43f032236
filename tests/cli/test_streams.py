"""Streams, signals and locales as they are met in the field."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.command import COMMAND, PLAIN_ENVIRONMENT, copy_bench, prodgen
from tests.support.rig.tools import need_terminal
from tests.support.rig.waiting import wait_for

PRODGEN = shlex.join(COMMAND)
WRITERS = ("render -q -t supervisor", "--help", "--version", "schema", "schema prodgen",
           "plan -q", "targets", "explain -q frappe-web")  # fmt: skip
OTHER_LOCALE = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    return copy_bench(tmp_path / "frappe-bench")


def shell(line: str, cwd: Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a line in bash; `prodgen` is ours."""
    script = f'prodgen() {{ {PRODGEN} "$@"; }}; {line}'
    done = subprocess.run(["bash", "-c", script], cwd=cwd, env=PLAIN_ENVIRONMENT,
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("command", WRITERS)
def test_a_reader_that_goes_away_is_no_news(command: str, bench: Path) -> None:
    line = f"prodgen {command} | true; echo ${{PIPESTATUS[0]}}"
    assert shell(line, bench) == (0, "141\n", "")


@pytest.mark.parametrize("command", WRITERS)
@pytest.mark.parametrize(
    ("where", "reason"),
    [(">&-", "bad file descriptor"), (">/dev/full", "no space left on device")],
)
def test_output_that_gets_lost_is_an_error(
    command: str, where: str, reason: str, bench: Path
) -> None:
    code, _, err = shell(f"prodgen {command} {where}", bench)
    assert (code, err) == (1, f"error: cannot use standard output: {reason}\n")


@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full", "2>&1 >/dev/null | true"])
@pytest.mark.parametrize("command", ["render -o out", "render -C nowhere", "rendr"])
def test_messages_that_get_lost_change_nothing(command: str, where: str, bench: Path) -> None:
    code, out, err = shell(f"prodgen {command} {where}; echo ${{PIPESTATUS[0]}}", bench)
    assert (code, err) == (0, "")
    assert out.split() == [{"render -o out": "0", "rendr": "64"}.get(command, "1")]
    assert (bench / "out/manifest.json").exists() == (command == "render -o out")


def test_files_are_whole_with_every_stream_closed(bench: Path) -> None:
    """A closed descriptor is the next one to be opened: nothing else may be written there."""
    assert shell("prodgen render -o out <&- >&- 2>&-", bench)[0] == 0
    assert shell("prodgen render -o out --check", bench)[0] == 0


def has_handlers(child: subprocess.Popen[str]) -> bool:
    """Whether it catches SIGTERM, so that prodgen answers and not Python alone, or has ended."""
    caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{child.pid}/status").read_text())
    is_caught = caught is not None and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1 == 1
    return is_caught or child.poll() is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_half_made(number: signal.Signals, bench: Path) -> None:
    codes = set()
    for step in range(12):
        out = bench / f"out{step}"
        child = subprocess.Popen(
            [*COMMAND, "render", "-q", "-o", out],
            cwd=bench,
            env=PLAIN_ENVIRONMENT,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(lambda: has_handlers(child), 30, "its handlers", every=0.005)  # noqa: B023
        time.sleep(step * 0.03)
        child.send_signal(number)
        err = child.communicate(timeout=30)[1]
        assert "Traceback" not in err
        assert err.strip() in ("", "prodgen: interrupted")
        if child.returncode == 130:
            assert err
        assert out.exists() == (out / "manifest.json").exists()
        codes.add(child.returncode)
    assert codes <= {130, 0, -number, -signal.SIGINT}
    assert not list(bench.glob(".prodgen-*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", ["gc.freeze = hit", "atexit.register(hit)"])
@pytest.mark.parametrize("interrupted", [False, True])
def test_a_signal_after_the_last_word_is_too_late(
    number: signal.Signals, moment: str, interrupted: bool, bench: Path
) -> None:
    """Python is on its way out: there is nothing left to undo, and nobody to catch anything."""
    program = f"""
import atexit, gc, os, prodgen.cli.main as main
def hit(*_): os.kill(os.getpid(), {int(number)})
{moment}
if {interrupted}: main._run = hit
raise SystemExit(main.main())
"""
    done = prodgen("render", "-q", "-o", "out", cwd=bench, command=(COMMAND[0], "-c", program))
    assert (done.code, done.all) == ((130, "prodgen: interrupted\n") if interrupted else (0, ""))


def test_a_signal_that_was_ignored_stays_so(bench: Path) -> None:
    nohup = ("sh", "-c", "trap '' HUP; exec \"$@\"", "sh")
    for wait in (0.1, 0.15, 0.2):
        child = subprocess.Popen(
            [*nohup, *COMMAND, "render", "-q", "-o", "out"], cwd=bench, env=PLAIN_ENVIRONMENT
        )
        time.sleep(wait)
        child.send_signal(signal.SIGHUP)
        assert child.wait(30) == 0


def test_output_is_utf8_in_any_locale(tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "bänch")
    expected = prodgen("render", "-t", "supervisor", cwd=bench)
    assert "bänch/env/bin" in expected.out
    for env in (
        OTHER_LOCALE,
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii:strict"},
    ):
        assert prodgen("render", "-t", "supervisor", cwd=bench, env=env) == expected


@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_is_reported_and_kept(debug: bool, bench: Path, tmp_path: Path) -> None:
    program = """
import prodgen.cli.commands.render, prodgen.cli.main
def broken(*_, **__): raise RuntimeError("so\\x1b[31m")
prodgen.cli.commands.render.plan_bench = broken
raise SystemExit(prodgen.cli.main.main())
"""
    command = (COMMAND[0], "-c", program)
    done = prodgen(
        "render",
        cwd=bench,
        command=command,
        env={"TMPDIR": str(tmp_path)} | ({"PRODGEN_DEBUG": "1"} if debug else {}),
    )
    assert (done.code, done.out) == (70, "")
    first, *more = done.err.splitlines()
    assert first == r"prodgen: internal error: RuntimeError: so\x1b[31m"
    if debug:
        assert "Traceback (most recent call last):" in more
    else:
        [kept] = tmp_path.glob("prodgen-bug-*.txt")
        assert f"  traceback: {kept}" in more


def test_colour_is_for_terminals() -> None:
    plain = prodgen("render", "-C", "nowhere")
    assert "\x1b" not in plain.err
    painted = prodgen("render", "-C", "nowhere", "--color", "always", env={"NO_COLOR": "1"})
    assert "\x1b[31m\x1b[1merror[PG100]\x1b[0m" in painted.err


@pytest.mark.parametrize(
    ("env", "painted"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
    ],
)
def test_colour_on_a_terminal(env: dict[str, str], painted: bool, bench: Path) -> None:
    need_terminal()
    master, slave = os.openpty()
    subprocess.run([*COMMAND, "render", "-C", "nowhere"], cwd=bench, stderr=slave,
                   env={**PLAIN_ENVIRONMENT, **env}, timeout=60)  # fmt: skip
    assert (b"\x1b[" in os.read(master, 10_000)) is painted
    os.close(master)
    os.close(slave)
