"""The logs of units in systemd's journal (journalctl(1))."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence

from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.managers.core.log_line import LONGEST_LINE, LogLine
from prodgen.host.programs import environment, run
from prodgen.host.system_path import find_program


def last_words(unit: str, count: int, *, user: bool) -> list[str]:
    """The last lines of a unit, as it wrote them."""
    option = f"--{'user-' if user else ''}unit={unit}"
    argv = ("journalctl", "--no-pager", "--output=cat", f"--lines={count}", option)
    return run(argv).out.splitlines()


def journal_command(
    units: Sequence[str], tail: int, *, follow: bool, user: bool
) -> tuple[str, ...]:
    """Asks the journal for the lines of units (journalctl(1))."""
    option = "--user-unit" if user else "--unit"
    return (
        find_program("journalctl") or "/usr/bin/journalctl",
        "--no-pager",
        "--quiet",
        "--output=json",
        "--all",
        f"--lines={tail}",
        *(["--follow"] if follow else []),
        *(f"{option}={unit}" for unit in units),
    )


def parse_entry(text: str) -> LogLine | None:
    """One line of `journalctl --output=json`.

    Its sender may have set any field but those that begin with `_` (systemd.journal-fields(7)), and
    each of them twice; `UNIT` is believed of PID 1 only.
    """
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or entry.get("MESSAGE") is None:
        return None
    about = entry.get("UNIT") if entry.get("_PID") == "1" else None
    unit = entry.get("_SYSTEMD_USER_UNIT") or about or entry.get("_SYSTEMD_UNIT") or ""
    message = _field(entry["MESSAGE"])[:LONGEST_LINE]
    return LogLine(_field(unit).removesuffix(".service"), message)


def _field(value: object) -> str:
    """A field as text: bytes that are no text are numbers, and a field that is twice is a list."""
    if not isinstance(value, list):
        return str(value)
    if all(isinstance(one, int) and 0 <= one < 256 for one in value):
        return bytes(value).decode("utf-8", "replace")
    return " ".join(_field(one) for one in value)


def read_journal(units: Sequence[str], tail: int, *, follow: bool, user: bool) -> Iterator[LogLine]:
    """The journal's last lines of these units and, to `follow`, what is added.

    Raises DeployError.
    """
    argv = journal_command(units, tail, follow=follow, user=user)
    try:
        process = subprocess.Popen(
            argv,
            env=environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as failure:
        raise DeployError(
            "PG926", f"journalctl cannot be run: {failure}", "read the journal on the bench's host"
        ) from failure
    if process.stdout is None or process.stderr is None:
        raise ValueError("no pipe")
    try:
        for raw in process.stdout:
            line = parse_entry(raw.decode("utf-8", "replace"))
            if line:
                yield line
        reason = process.stderr.read().decode("utf-8", "replace").strip()
        if process.wait() != 0 and reason:
            raise DeployError(
                "PG926", f"the journal cannot be read: {reason.splitlines()[0]}", "use sudo"
            )
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
