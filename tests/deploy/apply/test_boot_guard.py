"""The unit that puts things right at the next boot is one that systemd takes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from prodgen.deploy.apply.boot_guard import unit_name, unit_text

pytestmark = pytest.mark.process


@pytest.mark.parametrize("bench", ["frappe-bench", "my bench", "b-50%-off"])
def test_systemd_takes_it(bench: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    unit = tmp_path / unit_name(bench)
    unit.write_text(unit_text(bench, Path("/var/lib/prodgen", bench)))
    argv = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
