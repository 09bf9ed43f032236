"""The bench's user, or a web worker that was taken over, attacks what root runs: nobody gains.

Each attack is a script in `attacks/`, which ends with the uid that ran its payload. It may be the
bench's own user's, and nobody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.live import attacking
from tests.support.live.applying import Host
from tests.support.live.attacking import ATTACKS, WORD, attack, battlefield, restore, roots_files

Figure = Callable[[str], None]
SCRIPTS = sorted(one.name for one in ATTACKS.iterdir() if one.name[0].isdigit())
RACES = [name for name in SCRIPTS if "race" in name]
QUICK = ("01", "02", "06", "16", "21", "25")
"""Numbers of those that `make test` runs; the others are for `make test-all`."""
LONGEST, LONGEST_RACE = 170.0, 600.0
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
    assert codes or rounds, (done.said, "prodgen was not run")
    assert attacking.told(run) == ""
