"""What becomes of each setting of one unit of theirs that ours takes the place of."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.inputs.redact.patterns import is_secret_variable
from prodgen.plan.core.model import Plan
from prodgen.review.adopt.core.model import Disposition
from prodgen.review.adopt.core.program import Job, command_lot
from prodgen.review.adopt.core.reach import ROOTS_OWN, Reach
from prodgen.targets.core.meaning import Block
from prodgen.targets.systemd.effects import file_of

OWN_WAY = frozenset({
    "Description", "Documentation", "ExecReload", "ExecStop", "GuessMainPID", "KillMode",
    "KillSignal", "NotifyAccess", "OOMPolicy", "PIDFile", "Restart", "RestartSec", "SendSIGKILL",
    "StandardError", "StandardInput", "StandardOutput", "StartLimitBurst", "StartLimitInterval",
    "StartLimitIntervalSec", "SuccessExitStatus", "SyslogIdentifier", "TimeoutStartSec", "Type",
})  # fmt: skip
"""What ours decides by what it knows of the process."""
ORDER = frozenset({"After", "Before", "BindsTo", "PartOf", "Requires", "Requisite", "Wants"})
"""Settings that name other units (systemd.unit(5))."""
STARTS = frozenset({"BindsTo", "Requires", "Wants"})
"""Those of them that start what they name."""
LIMITS = {
    "MemoryMax": "memory_max",
    "MemoryLimit": "memory_max",
    "MemoryHigh": "memory_high",
    "CPUQuota": "cpu_quota",
    "CPUWeight": "cpu_weight",
    "TasksMax": "tasks_max",
}
"""Limits, and their keys below `resources: {ROLE: ...}` in prodgen.yaml."""
SANDBOX = (
    r"(Capability|Device|IPAddress|Keyring|LockPersonality|MemoryDeny|NoExec|NoNew|Private|Proc"
    r"|Protect|Restrict|SystemCall)"
)
"""Beginnings of settings of the sandbox: where ours has one, it knows what the process needs."""
MOVABLE = (
    r"(Assert|CPU|Condition|IO|Inaccessible|Limit|LogLevel|LogRate|Memory|Nice|OOMScoreAdjust"
    r"|PassEnv|ReadOnly|ReadWrite|Slice|Tasks|UMask|Unset)"
)
"""Beginnings of settings that a drop-in may add to ours: by them no process becomes another, and
the bench's user, who can write what a link in the bench leads to, gets no right that he has not."""
FOREVER = 10**9
SPANS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hr": 3600, "ms": 0, "us": 0}
"""Seconds of a unit of time (systemd.time(7))."""


class Both(NamedTuple):
    """The units of both sides."""

    plan: Plan
    ours: Mapping[str, Block]
    """Our units by name."""
    gone: frozenset[str]
    """The units of theirs that go."""
    reaches: Mapping[PurePosixPath, Reach] = {}
    """What others than root can change of each unit file and drop-in."""

    def writer(self, path: PurePosixPath) -> str:
        """Who else than root can change a file; empty for nobody."""
        return self.reaches.get(path, ROOTS_OWN).writer


class Beside(NamedTuple):
    """A unit of theirs, and what ours has in its place."""

    both: Both
    job: Job
    block: Block
    """Ours."""
    writer: str = ""
    """Who else than root can change the file; empty for nobody."""

    def ours(self, section: str, key: str) -> str:
        """What ours has, in words."""
        return " ".join(self.block.get(f"{section}.{key}", ())) or "nothing"


def setting_disposition(
    section: str, key: str, value: str, beside: Beside
) -> tuple[Disposition, str]:
    """What becomes of one setting, and why. MOVED goes into a drop-in for ours."""
    if not value:
        return Disposition.DEFAULT, "it takes back what stood before"
    if value in beside.block.get(f"{section}.{key}", ()):
        return Disposition.OURS, ""
    if section == "Service":
        return _service(key, value, beside)
    if section == "Install":
        usual = key in ("WantedBy", "Alias") and "multi-user.target" in value
        note = f"ours: enabled through {beside.both.plan.bench_name.value}.target"
        return Disposition.DEFAULT if usual else Disposition.OPEN, note
    if key in ORDER:
        return _order(key, value, beside)
    return _other(section, key, beside)


def _service(key: str, value: str, beside: Beside) -> tuple[Disposition, str]:
    now = beside.ours("Service", key)
    if key == "ExecStart":
        return command_lot(beside.job)
    if key == "Environment":
        return _environment(value, beside)
    if key == "WorkingDirectory":
        folder = str(beside.both.plan.bench.value)
        usual = value.lstrip("-").rstrip("/") in (folder, f"{folder}/sites")
        return Disposition.DEFAULT if usual else Disposition.OPEN, f"ours: {now}"
    if key in ("TimeoutStopSec", "TimeoutSec"):
        return _stop_time(key, value, beside)
    if key in ("User", "Group"):
        return _account(key, value, beside)
    line = _line(key, value, beside)
    return (Disposition.OPEN, f"ours: {now}; {line}") if line else _other("Service", key, beside)


def _account(key: str, value: str, beside: Beside) -> tuple[Disposition, str]:
    """The user or group; root's never stays."""
    if value == "root":
        return Disposition.DEFAULT, f"ours: {beside.ours('Service', key)}"
    if key == "User":
        return Disposition.OPEN, f"ours: {beside.ours('Service', key)}; prodgen.yaml: user: {value}"
    is_ours = value == beside.both.plan.user.value
    return (Disposition.OURS, "") if is_ours else _other("Service", key, beside)


def _line(key: str, value: str, beside: Beside) -> str:
    """The line of prodgen.yaml that keeps a setting; empty where there is none."""
    if key == "EnvironmentFile":
        return f"prodgen.yaml: env_file: {value.lstrip('-')}"
    if key not in LIMITS:
        return ""
    amount = value.rstrip("%") if key == "CPUQuota" else value
    role = beside.job.role.value
    return f"prodgen.yaml: resources: {{{role}: {{{LIMITS[key]}: {amount}}}}}"


def _other(section: str, key: str, beside: Beside) -> tuple[Disposition, str]:
    now = beside.ours(section, key)
    sandbox = re.match(SANDBOX, key)
    if key in OWN_WAY or (sandbox and now != "nothing"):
        return Disposition.DEFAULT, f"ours: {now}"
    if sandbox or re.match(MOVABLE, key):
        return Disposition.MOVED, "" if now == "nothing" else f"ours: {now}"
    return (
        Disposition.OPEN,
        f"ours: {now}; what you still want goes into a drop-in (`systemctl edit`)",
    )


def _order(key: str, value: str, beside: Beside) -> tuple[Disposition, str]:
    """Order among the bench's own units is ours to say; an order behind others is kept."""
    mine = {word for given in beside.block.get(f"Unit.{key}", ()) for word in given.split()}
    left = [word for word in value.split() if not _is_usual(word, beside) and word not in mine]
    if not left:
        return Disposition.DEFAULT, f"ours: {beside.ours('Unit', key)}"
    if beside.writer and key in STARTS:
        return Disposition.OPEN, starts(beside.writer)
    return Disposition.MOVED, ""


def starts(writer: str) -> str:
    """Why a unit that a lesser user chose is not started with ours."""
    return f"{writer}, and it starts a unit as root; `systemctl edit` one of ours if you want it"


def _is_usual(word: str, beside: Beside) -> bool:
    """Whether it is the network, or a unit that goes with the one that names it."""
    network = ("network.target", "network-online.target", "syslog.target", "remote-fs.target")
    return word in network or file_of(word) in beside.both.gone


def _stop_time(key: str, value: str, beside: Beside) -> tuple[Disposition, str]:
    """A stop time: a longer one than ours is kept."""
    now = beside.ours("Service", "TimeoutStopSec")
    longer = seconds_of(value) > seconds_of(now)
    return (
        Disposition.MOVED if longer and key == "TimeoutStopSec" else Disposition.DEFAULT
    ), f"ours: {now}"


def seconds_of(span: str) -> float:
    """`90`, `1min 30s`, `infinity` in seconds; 0 for what is none."""
    if span.strip() in ("infinity", "0"):  # of a time-out, 0 is none at all
        return FOREVER
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", span)
    return sum(float(number) * SPANS.get(name, 0) for number, name in parts)


def _environment(value: str, beside: Beside) -> tuple[Disposition, str]:
    """Variables that ours does not set; a secret one is not shown."""
    mine = variables(" ".join(beside.block.get("Service.Environment", ())))
    left = {name: text for name, text in variables(value).items() if mine.get(name) != text}
    path = left.pop("PATH", None)
    if not left:
        now = beside.ours("Service", "Environment")
        return (Disposition.OURS, "") if path is None else (Disposition.DEFAULT, f"ours: {now}")
    secret = sorted(name for name, text in left.items() if is_secret_variable(name, text))
    plain = {name: text for name, text in left.items() if name not in secret}
    notes = [f"prodgen.yaml: env: {json.dumps(plain)}"] if plain else []
    if secret:
        notes.append(f"prodgen.yaml: env_file, a file with {', '.join(secret)}")
    return Disposition.OPEN, "; ".join(notes)


def variables(text: str) -> Mapping[str, str]:
    """`A=1 "B=2 3"` (systemd.exec(5), `Environment=`)."""
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    return dict(word.split("=", 1) for word in words if "=" in word)


def shown(key: str, value: str) -> str:
    """A setting as it is shown: of variables no values."""
    return f"{key}=..." if key == "Environment" else f"{key}={value}"


def settings_of(block: Block) -> Iterator[tuple[str, str, str]]:
    """Section, name and value of each setting of a unit; a reset has no value."""
    for full, values in block.items():
        section, _, key = full.partition(".")
        for value in values or ("",):
            yield section, key, value
