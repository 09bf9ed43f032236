"""`systemd-analyze verify` of new units."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from prodgen.deploy.session.trial import Trial
from prodgen.deploy.system.atomic_write import create_file
from prodgen.host.programs import run


def test_config(trial: Trial) -> Iterator[str]:
    """What systemd has against the units of the bench, all read together."""
    new = list(trial.written("systemd"))
    if not new:
        return
    with tempfile.TemporaryDirectory(dir=trial.work) as folder:
        units = []
        for path, content in new:
            is_drop_in = path.suffix == ".conf"
            unit = Path(folder, *path.parts[-2 if is_drop_in else -1 :])
            unit.parent.mkdir(exist_ok=True)
            create_file(unit, content, 0o644)
            units += [] if is_drop_in else [str(unit)]
        variables = {"SYSTEMD_UNIT_PATH": f"{folder}:"}
        scope = f"--{trial.plan.systemd.scope.value}"
        argv = ("systemd-analyze", scope, "verify", "--man=no", *units)
        done = run(argv, variables=variables, timeout=60)
        said = (done.err or done.out).strip()
        if done.code == 127:
            trial.notes.append("systemd-analyze is not there, so the units were not tried")
        elif done.code != 0 or _is_about(said, units):
            yield said.replace(f"{folder}/", "")


def _is_about(said: str, units: Iterable[str]) -> bool:
    """Whether a warning is about one of ours; other units of the host may have theirs."""
    return any(Path(unit).name in line for line in said.splitlines() for unit in units)
