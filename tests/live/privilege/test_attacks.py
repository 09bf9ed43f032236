"""The bench's user, or a web worker that was taken over, attacks what root runs: nobody gains.

Each attack is a script in `attacks/`, which ends with the uid that ran its payload. It may be the
bench's own user's, and nobody else's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.support.live import attacking
from tests.support.live.applying import Host
from tests.support.live.attacking import ATTACKS, WORD, attack, battlefield, restore, roots_files

Figure = Callable[[str], None]
SCRIPTS = sorted(one.name for one in ATTACKS.iterdir() if one.name[0].isdigit())
RACES = [name for name in SCRIPTS if "race" in name]
BENCH = "/home/frappe/frappe-bench"
FIRST_STEPS = {
    "01": rf"cannot begin: .* denied: '{BENCH}/sites'",
    "02": rf"cannot be read: permission denied\n.*{BENCH}/Procfile",
    "03": r"redis_queue at 127\.0\.0\.1:11999 does not answer",
    "04": r"redis_queue at \$\(id>loot\) does not answer",
    "05": r"records of workers :(8|9|1\d)\b",
    "06": r"error\[PG824\]: victim-bench-.* runs as victim",
    "07": r"<stdin> is a directory",
    "08": r"(?s)File size limit exceeded.*Killed",
    "09": r"(?s)prodgen-migrate.log has 2 names and belongs to root.*"
    r"common_site_config.json has 2 names and belongs to root",
    "10": r"(?s)/dev/tty .*No such device.*/dev/pts/\d",
    "11": r"ran as 1001",
    "12": r"Interactive authentication required|Access denied",
    "13": r"`\.\./\.\./etc/cron\.d/x` leads out",
    "14": r"the site `\$\(id\)` is left out",
    "15": r"maintenance mode that prodgen has set is still on: a named pipe",
    "16": r"prodgen-migrate\.log cannot be written: Too many levels of symbolic links",
    "17": r"(?s)of \\x1b\]0;owned\\x07.*x\\x1b\]0;owned\\x07",
    "18": r"four entries sent",
    "19": r"(?s)another prodgen is at work.*resource temporarily unavailable",
    "20": r"ran as 1001",
    "21": r"(?s)supervisor/bench\.conf.*systemd/unit\.service.*nginx/listen\.conf",
    "22": r"secrets: /etc/shadow (belongs to root|has the mode 0640)",
    "23": r"(?s)common_site_config\.json: 6777 frappe.*restart_supervisor_on_update",
    "24": r"this file is larger than 32 MB",
    "25": r"(?=.*'right')(?=.*'refused')",
    "26": r"(?=.*'right')(?=.*'refused')",
    "27": r"(?=.*'right')(?=.*'refused')",
    "28": r"(?=.*'right')(?=.*'refused')",
    "29": r"'reused': \d{3}",
}
"""By the number of an attack: what is said if its first step was taken, so that it was not stopped
by something else before."""
BY_MANAGER = {
    ("18", "systemd"): r"\| one two\n",  # Supervisor's logs are files
    ("22", "systemd"): r"systemd reads /etc/shadow as root for frappe, and frappe may not read it",
}
"""What is said besides under one manager; each attack runs under both."""
QUICK = ("01", "02", "06", "16", "21", "25")
"""Numbers of those that `make test` runs; the others are for `make test-all`."""
LONGEST, LONGEST_RACE = 300.0, 1200.0
"""Seconds; what takes longer has made prodgen hang."""
NOBODY = ("nobody", "1001")
ALLOWED = ("0", "1", "2", "4", "64")
"""Exit codes: done, error, pending, not healthy, wrong usage."""


@pytest.fixture(scope="module", params=["supervisor", "systemd"])
def made(request: pytest.FixtureRequest) -> Iterator[Host]:
    with battlefield(request.param) as run:
        yield run


@pytest.fixture
def run(made: Host) -> Iterator[Host]:
    restore(made)
    before = roots_files(made)
    yield made
    assert roots_files(made) == before, "files of root's have changed"


@pytest.mark.matrix_cases(*(name.partition(".")[0] for name in SCRIPTS if name[:2] not in QUICK))
@pytest.mark.parametrize("script", SCRIPTS)
def test_nobody_gains_by(run: Host, figure: Figure, script: str) -> None:
    manager = run.settings["manager"]
    done = attack(run, ATTACKS / script, LONGEST_RACE if script in RACES else LONGEST)
    codes, said = attacking.runs_of(run)
    rounds = [line for line in said.splitlines() if line.startswith("ROUNDS")]
    assert len(rounds) == (script in RACES), said
    figure(f"{' '.join(rounds)} payload by {done.ran_as}, {len(codes)} runs, {done.seconds:.0f} s")
    assert done.ran_as in NOBODY, done.said
    assert WORD not in done.said, done.said
    assert WORD not in said, said
    assert "internal error" not in done.said + said
    assert "\x1b]" not in done.said + said
    killed = {"137"} if script == "08_limits.sh" else set()  # by a limit of CPU time (SIGKILL)
    ended = {line.split()[0] for line in codes}
    assert ended <= {*ALLOWED, *killed}, (codes, done.said, said)
    assert sum(map(int, re.findall(r": (\d+)", "".join(rounds)))) == len(rounds) * 10_000
    everything = "\n".join([done.said, *codes, said, f"ran as {done.ran_as}"])
    for wanted in (FIRST_STEPS[script[:2]], BY_MANAGER.get((script[:2], manager), "")):
        assert re.search(wanted, everything, re.IGNORECASE), (wanted, everything)
    assert attacking.told(run) == ""
