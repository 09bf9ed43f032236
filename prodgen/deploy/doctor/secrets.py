"""The check of the file of secrets: it is there, whole, and nobody else's to read or to replace."""

from __future__ import annotations

import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from prodgen.deploy.doctor.finding import Finding, bad, good, unknown
from prodgen.deploy.managers.registry import backend_of
from prodgen.diagnostics import has_errors
from prodgen.host.trust import danger_above
from prodgen.inputs.env.secrets_file import parse_env_file
from prodgen.inputs.reader import read_source
from prodgen.plan.core.model import Plan

CHECK = "secrets"
FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_secrets(plan: Plan) -> Iterator[Finding]:
    """Owner, mode and lines of the file that `env_file` names."""
    named = {one.env_file.value for one in plan.services if one.env_file}
    for path in sorted(named):
        file, user = Path(path), plan.user.value
        try:
            found = _wrong_with(file, user, by_root=_is_read_by_root(plan))
        except FileNotFoundError:
            fix = f"install -m 0600 -o {user} /dev/null {shlex.quote(str(file))}"
            found = bad(
                "PG967", CHECK, f"{file} is not there, and no service starts without it", fix
            )
        except PermissionError:
            found = unknown(CHECK, f"you may not see {file}", "run it as root")
        yield found or good(CHECK, f"{file} is for its readers alone")


def _is_read_by_root(plan: Plan) -> bool:
    """Whether it is PID 1 that reads the file, and not the service."""
    backend = backend_of(plan.manager.value)
    return any(backend.reads_secrets(plan, one) for one in plan.services if one.env_file)


def _wrong_with(file: Path, user: str, *, by_root: bool) -> Finding | None:
    """The first thing that is wrong; None where all is well."""
    state = file.stat()
    if not stat.S_ISREG(state.st_mode):
        return bad("PG967", CHECK, f"{file} is no file", f"ls -ld {shlex.quote(str(file))}")
    return _wrong_rights(file, state, user, by_root=by_root) or _wrong_lines(file)


def _wrong_rights(file: Path, state: os.stat_result, user: str, *, by_root: bool) -> Finding | None:
    owner, name = _name_of(state.st_uid), shlex.quote(str(file))
    if owner != user and not (by_root and owner == "root"):
        text = f"{file} belongs to {owner}: {user} cannot read it, or others can"
        return bad("PG968", CHECK, text, f"chown {user}: {name} && chmod 0600 {name}")
    if state.st_mode & FOR_OTHERS or not state.st_mode & stat.S_IRUSR:
        mode = stat.S_IMODE(state.st_mode)
        text = f"{file} has the mode {mode:04o}; only its owner should read it"
        return bad("PG968", CHECK, text, f"chmod 0600 {name}")
    danger = danger_above(file) if by_root else None
    if danger:
        fix = "put it into a folder of root's, such as /etc/prodgen, and name it there"
        return bad("PG968", CHECK, f"root reads {file}, and {danger}", fix)
    return None


def _wrong_lines(file: Path) -> Finding | None:
    source, fault = read_source(file, str(file), secret=True)
    if source is None:
        return unknown(CHECK, f"{file}: {fault.message if fault else 'it is gone'}")
    found = [one for one in parse_env_file(source)[1] if has_errors([one])]
    if not found:
        return None
    text = f"{found[0].location}: {found[0].message}; no service starts with it"
    return bad("PG969", CHECK, text, found[0].help)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
