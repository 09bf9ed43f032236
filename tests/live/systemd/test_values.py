"""The units on a real systemd as PID 1: what they say is what runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from prodgen.targets.core.base import Unwritable
from prodgen.targets.systemd.escape import assignment, bind_path, command, folder, path_word, plain
from tests.support.rig.machine import Machine

pytestmark = [pytest.mark.live, pytest.mark.pitfall("2b"), pytest.mark.pitfall("2c")]

NASTY = st.text(st.sampled_from(list(" \t;#%'\"\\$,=`~é日()[]{}&|<>*@:+!-ni0x")), max_size=12)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
NAME = (NASTY | TEXT).filter(
    lambda name: name not in ("", ".", "..") and "/" not in name and len(name) < 60
)
OTHER = PurePosixPath("/opt")
OUTCOME = Path("/run/dump/outcome.json")
DUMP = f"""\
#!/usr/bin/python3
import json, os, sys
other = os.path.join("/opt", os.path.basename(os.getcwd()))
with open("data/probe", "w"), open(os.path.join(other, "probe"), "w"):
    pass
with open("{OUTCOME}", "w") as file:
    json.dump({{"argv": sys.argv, "value": os.environ["VALUE"], "folder": os.getcwd()}}, file)
print("said")
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as booted:
        booted.put("/run/dump/keep", "")
        yield booted


def unit(place: PurePosixPath, words: list[str], value: str) -> str:
    """A unit whose every kind of value is nasty."""
    return f"""\
[Service]
Type=oneshot
WorkingDirectory={folder(str(place))}
Environment=LANG=C.UTF-8 {assignment("VALUE", value)}
ProtectSystem=strict
ReadWritePaths={path_word("/run/dump")}
ProtectHome=tmpfs
BindReadOnlyPaths={bind_path(str(place))}
BindPaths={bind_path(str(place / "data"))}
ReadWritePaths={path_word(str(OTHER / place.name), optional=True)}
StandardOutput=append:{plain(str(OTHER / place.name / "out.log"))}
ExecStart={command((str(place / "dump"), *words))}
"""


def is_utf8(text: str) -> bool:
    """Whether a file or an argument can have it."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(NAME, st.lists(NASTY | TEXT, max_size=4), NASTY | TEXT)
@example("plain", [";", "", "a;b", "; x", "$HOME", "${HOME}", "$$"], "%h $HOME")
@example("with space", ["%%", "%n", "\\x41", "\\", "a\\"], "two  blanks ")
@example("$HOME", ["it's", '"'], "'")
@example("\"quo'te", ["\t", "-", "@", "+!"], '"')
@example("back\\slash", ["#", "#x"], "\\")
@example("trailing\\", [], "ends in \\")
@example(" around ", [], " around ")
@example("größe 日本 %i", ["größe"], "日本")
@example("-dash", ["--"], "=")
@example("a=b:c", [":x"], "a=b")
def test_what_a_unit_holds_reaches_the_process(
    machine: Machine, name: str, words: list[str], value: str
) -> None:
    place = PurePosixPath("/home") / name
    try:
        text = unit(place, words, value)
    except Unwritable:
        whole = "".join((name, *words, value))
        assert not is_utf8(whole) or any(
            ord(char) < 32 or char == "\x7f" or ord(char) & 0xFFFE == 0xFFFE
            or "\ufdd0" <= char <= "\ufdef" for char in whole
        )  # fmt: skip
        return
    machine.put(f"{place}/data/there", "")
    machine.put(f"{OTHER / name}/there", "")
    machine.put(f"{place}/dump", DUMP, mode=0o755)
    machine.put("/run/systemd/system/nasty.service", text)
    machine.real(OUTCOME).unlink(missing_ok=True)
    machine.run(["systemctl", "daemon-reload"])
    done = machine.run(["systemctl", "start", "nasty"], check=False)
    said = machine.run(["journalctl", "-u", "nasty", "-n", "8"]).stdout
    assert done.returncode == 0, f"{text}\n{said}"
    found = json.loads(machine.real(OUTCOME).read_text())
    assert found == {"argv": [str(place / "dump"), *words], "value": value, "folder": str(place)}
    assert machine.real(Path(OTHER / name / "out.log")).read_text().endswith("said\n")
