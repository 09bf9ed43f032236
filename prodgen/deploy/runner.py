"""Where other programs are run: argument lists only, a known environment, a time-out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSED_ON = ("HOME", "LOGNAME", "USER", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
"""What `systemctl --user` finds its manager by."""


@dataclass(frozen=True, slots=True)
class Done:
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
    user: str | None = None,
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> Done:
    """Runs a command to its end, as `user` where one is given; never raises."""
    try:
        done = subprocess.run(
            argv,
            env=environment(variables),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
            **identity(user),
        )
    except subprocess.TimeoutExpired:
        return Done(tuple(argv), 124, "", f"{argv[0]} took longer than {timeout:g} s")
    except (OSError, KeyError) as failure:
        return Done(tuple(argv), 127, "", f"{argv[0]}: {failure}")
    out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    return Done(tuple(argv), done.returncode, out, err)


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a command finds in its environment."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", **kept, **(variables or {})}


def identity(user: str | None) -> dict[str, Any]:
    """What makes a child of root that user's; raises KeyError for an unknown one."""
    if user is None or os.geteuid() != 0:
        return {}
    import pwd

    entry = pwd.getpwnam(user)
    groups = os.getgrouplist(user, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups}
