"""Whether nginx's workers may read the keys that the map layout has them read."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodgen.deploy.doctor.finding import Grade
from prodgen.deploy.doctor.keys import check_keys, check_readers, unreadable
from prodgen.host.run_as import NOBODY, identity_of
from tests.support.nginx_fixture import plan, site
from tests.support.nginx_stand import certificate
from tests.support.rig.tools import need_root

USER = "nobody"


@pytest.mark.process
def test_what_a_user_may_not_read(ground: Path) -> None:
    need_root("another user's view")
    pair = certificate(ground, "one.test")
    Path(pair[1]).chmod(0o600)
    assert list(unreadable(list(pair), identity_of(NOBODY))) == [pair[1]]
    (refused,) = check_readers([pair], USER)
    assert refused.grade is Grade.BAD
    assert refused.fix == f"setfacl -m u:{USER}:r {pair[1]}"
    Path(pair[1]).chmod(0o644)
    (fine,) = check_readers([pair], USER)
    assert fine.grade is Grade.GOOD
    ground.chmod(0o700)
    (closed,) = check_readers([pair], USER)
    assert closed.fix.startswith(f"setfacl -m u:{USER}:x {ground} && ")


@pytest.mark.process
def test_keys_that_do_not_fit(tmp_path: Path) -> None:
    one, two = certificate(tmp_path, "one.test"), certificate(tmp_path, "two.test")
    good, mixed = site("one.test", certificate=one), site("two.test", certificate=(two[0], one[1]))
    assert list(check_keys(plan(good))) == []
    (found,) = check_keys(plan(good, mixed))
    assert found.grade is Grade.BAD
    assert "is not that of" in found.text
    assert list(check_readers([], USER)) == []
