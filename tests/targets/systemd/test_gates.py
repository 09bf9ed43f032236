"""No unit has a directive that the given systemd lacks."""

from __future__ import annotations

import pytest

from tests.support.systemd_plans import make_plan, units_of, with_options

SINCE = {
    "ExitType": 252, "RestartSteps": 255, "RestartMaxDelaySec": 255, "RestartMode": 255,
    "ProtectProc": 249, "ProcSubset": 249, "PrivateIPC": 249, "PrivatePIDs": 257,
    "RestrictFileSystems": 252, "RestrictNetworkInterfaces": 252, "SocketBindDeny": 249,
    "SocketBindAllow": 249, "LoadCredential": 249, "SetCredential": 249, "ImportCredential": 255,
    "LoadCredentialEncrypted": 252, "ManagedOOMMemoryPressure": 249, "ManagedOOMSwap": 249,
    "MemoryZSwapMax": 255, "LogFilterPatterns": 255, "FileDescriptorStorePreserve": 255,
    "ExecSearchPath": 252, "NoExecPaths": 249, "ExecPaths": 249, "CoredumpReceive": 255,
    "MemoryKSM": 255, "MountImages": 249, "PrivateBPF": 262, "BindLogSockets": 257,
    "DelegateNamespaces": 262, "MemoryPressureWatch": 255, "SystemCallLog": 249,
}  # fmt: skip
"""The first of these versions whose parser took it: 245, 249, 252, 255, 257, 262 (measured)."""
VALUES = {
    "Type=notify-reload": 255, "ProtectHostname=private": 262, "ProtectControlGroups=strict": 257,
    "PrivateUsers=full": 262, "PrivateTmp=disconnected": 257, "CPUWeight=idle": 252,
    "StandardOutput=truncate": 249,
}  # fmt: skip
VERSIONS = (245, 249, 252, 255, 257, 262)
FIRST = {
    "ProcSubset": 247, "ProtectProc": 247, "NoExecPaths": 248, "PrivateIPC": 248,
    "RestartMaxDelaySec": 254, "RestartSteps": 254,
}  # fmt: skip
"""The release that brought each directive that not every systemd has (systemd's NEWS)."""


def lines(version: int, **options: str) -> list[str]:
    """The lines of all units for this version."""
    plan = make_plan(systemd=str(version), config={"socketio_uds": "/run/b/rt.sock"})
    texts = units_of(with_options(plan, **options)).values()
    return [line for text in texts for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("scope", ["system", "user"])
@pytest.mark.parametrize("level", ["standard", "strict"])
@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_newer_than_the_systemd(version: int, level: str, scope: str) -> None:
    for line in lines(version, hardening=level, scope=scope):
        assert SINCE.get(line.partition("=")[0], 0) <= version, line
        newest = [since for start, since in VALUES.items() if line.startswith(start)]
        assert max(newest, default=0) <= version, line


@pytest.mark.parametrize(("directive", "first"), FIRST.items())
def test_a_directive_is_there_from_its_first_release_on(directive: str, first: int) -> None:
    found = {version: {line.partition("=")[0] for line in lines(version, hardening="strict")}
             for version in (first - 1, first)}  # fmt: skip
    assert directive in found[first]
    assert directive not in found[first - 1]


def test_a_newer_systemd_gets_more() -> None:
    names = [{line.partition("=")[0] for line in lines(version)} for version in (245, 249, 255)]
    assert {"ProtectProc", "PrivateIPC", "NoExecPaths"} <= names[1] - names[0]
    assert {"RestartSteps", "RestartMaxDelaySec"} <= names[2] - names[1]
