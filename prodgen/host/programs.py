"""Where other programs are found and run: nothing that a lesser user can set has a say in it.

Argument lists only; programs from the system's own folders; an environment that is made here; the
folder `/`; a session of their own, so that a user's program cannot type into root's terminal
(TIOCSTI, ioctl_tty(2)); a time-out; and an end to what they may print.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import BinaryIO, NamedTuple

from prodgen.host.run_as import Identity, as_child, identity_of, is_lent, start_folder
from prodgen.host.system_path import SYSTEM_PATH, find_program

PASSED_ON = ("HOME", "LOGNAME", "USER", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
"""What `systemctl --user` finds its manager by; root passes none of it on."""
MOST_OUTPUT = 16 * 1024 * 1024
"""Bytes of each stream; a program that prints more is killed."""
BLOCK = 65536
PATIENCE = 0.5
"""Seconds between two looks whether a command has ended whose streams stay open."""


class Done(NamedTuple):
    """How a command ended, and what it printed. A `code` of 127: it is not there."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """Why it failed, in one line."""
        lines = (self.err or self.out).strip().splitlines()
        return lines[-1] if lines else f"{self.argv[0]} ended with {self.code}"


def run(
    argv: Sequence[str],
    *,
    timeout: float = 30,
    who: Identity | None = None,
    folder: Path = Path("/"),
    variables: Mapping[str, str] | None = None,
    stdin: BinaryIO | None = None,
) -> Done:
    """Runs a command to its end, as `who` if we are root; raises nothing of the command's.

    A name without a slash is looked up in the system's folders. It reads nothing unless `stdin`,
    a file that is open, is given.
    """
    words = tuple(argv)
    if is_lent():
        raise RuntimeError(f"{words[0]} would be started with root's real uid")
    program = words[0] if "/" in words[0] else find_program(words[0])
    if program is None:
        return Done(words, 127, "", f"{words[0]}: it is not installed")
    try:
        with start_folder(folder, who) as place:
            child = subprocess.Popen(
                [program, *words[1:]],
                env=environment(variables, who),
                cwd=place,
                stdin=stdin or subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                **as_child(who),
            )
    except (OSError, ValueError) as failure:
        return Done(words, 127, "", f"{words[0]}: {failure}")
    try:
        trouble, streams = _listen(child, time.monotonic() + timeout)
    finally:
        _end(child)
    if trouble:
        late = f"took longer than {timeout:g} s" if trouble is Trouble.TIME else trouble.value
        return Done(words, 124, "", f"{words[0]} {late}")
    out, err = (text.decode("utf-8", "replace") for text in streams)
    return Done(words, child.returncode, out, err)


class Trouble(Enum):
    """Why a command was ended."""

    TIME = "took too long"
    OUTPUT = f"printed more than {MOST_OUTPUT // 1024**2} MB"


def _listen(child: subprocess.Popen[bytes], end: float) -> tuple[Trouble | None, list[bytes]]:
    """Why the command has to be ended, if it has, and what it printed on its two streams."""
    said: dict[int, bytearray] = {}
    with selectors.DefaultSelector() as streams:
        for stream in (child.stdout, child.stderr):
            if stream:
                streams.register(stream, selectors.EVENT_READ)
                said[stream.fileno()] = bytearray()
        while streams.get_map():
            ended = child.poll() is not None
            ready = streams.select(0 if ended else min(PATIENCE, max(0.0, end - time.monotonic())))
            if ended and not ready:
                break  # all that it wrote is read; a program that it left behind holds the streams
            if time.monotonic() > end:
                return Trouble.TIME, []
            for key, _ in ready:
                block = os.read(key.fd, BLOCK)
                said[key.fd] += block
                if not block:
                    streams.unregister(key.fileobj)
                elif len(said[key.fd]) > MOST_OUTPUT:
                    return Trouble.OUTPUT, []
    try:
        child.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        return Trouble.TIME, []
    return None, [bytes(text) for text in said.values()]


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kills what still runs of the command, and closes its streams."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for stream in (child.stdout, child.stderr):
        if stream:
            stream.close()


def environment(
    variables: Mapping[str, str] | None = None, who: Identity | None = None
) -> dict[str, str]:
    """What a command finds in its environment: nothing of ours that root has not made itself."""
    made = {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8"}
    if os.geteuid() == 0:
        user = who or identity_of(0)
        made |= {"HOME": user.home, "LOGNAME": user.name, "USER": user.name}
    else:
        made |= {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**made, **(variables or {})}
