"""What is written for Supervisor comes back unchanged from Supervisor's own parser."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from supervisor.datatypes import dict_of_key_value_pairs
from supervisor.options import ServerOptions

from prodgen.targets.core.base import Unwritable
from prodgen.targets.supervisor.escape import command, environment, is_writable, plain

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
NASTY = st.text(st.sampled_from(list(" \t;#%'\"\\$,=`~é日()[]{}&|<>*")), max_size=12)
WORDS = st.lists(TEXT | NASTY, min_size=1, max_size=5).filter(lambda words: words[0].strip() != "")


@pytest.fixture(scope="module")
def read_program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], object]:
    """The ProcessConfig that Supervisor makes of the lines of a `[program:x]`."""
    folder = tmp_path_factory.mktemp("supervisor")

    def read(lines: str) -> object:
        path = folder / "supervisord.conf"
        path.write_text(f"[supervisord]\nlogfile={folder}/log\n\n[program:x]\n{lines}\n", "utf-8")
        options = ServerOptions()
        options.configfile = str(path)
        options.realize(args=[])
        return options.process_group_configs[0].process_configs[0]

    return read


@pytest.mark.pitfall("32")
@pytest.mark.pitfall("2b")
@pytest.mark.pitfall("2c")
@given(WORDS)
def test_a_command_keeps_its_words(read_program: Callable[[str], object], words: list[str]) -> None:
    try:
        written = command(tuple(words))
    except Unwritable:
        assert set("".join(words)) & set("\r\n\x85\u2028\u2029\x0b\x0c\x1c\x1d\x1e")
        return
    program = read_program(f"command={written}")
    assert shlex.split(program.command) == words  # type: ignore[attr-defined]


@pytest.mark.pitfall("32")
@pytest.mark.pitfall("2b")
@pytest.mark.pitfall("2d")
@given(TEXT | NASTY)
def test_an_environment_value_is_kept_or_refused(
    read_program: Callable[[str], object], value: str
) -> None:
    assume(is_writable(value))
    program = read_program(f"command=/bin/true\nenvironment={environment((('K', value),))}")
    assert program.environment == {"K": value}  # type: ignore[attr-defined]


@given(TEXT | NASTY)
def test_an_environment_value_means_the_same_to_a_posix_reader(value: str) -> None:
    """Supervisor's development branch splits `environment=` in shlex's POSIX mode."""
    assume(is_writable(value))
    written = environment((("K", value), ("L", "end")))
    lexer = shlex.shlex(written.replace("%%", "%"), posix=True, punctuation_chars=False)
    lexer.wordchars += "/.+-():"
    assert list(lexer) == ["K", "=", value, ",", "L", "=", "end"]


@given(TEXT | NASTY)
def test_a_path_is_kept_or_refused(read_program: Callable[[str], object], name: str) -> None:
    try:
        written = plain(f"/srv/{name}")
    except Unwritable:
        return
    program = read_program(f"command=/bin/true\nstderr_logfile=NONE\nserverurl={written}")
    assert program.serverurl == f"/srv/{name}"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "value", ["a b", "50%", "it's", 'say "hi"!', "a,b=c", "x;y", "#x", "", "é", "user@host", "a\\b"]
)
def test_ordinary_values_are_writable(value: str) -> None:
    assert is_writable(value)
    assert dict_of_key_value_pairs(environment((("K", value),)).replace("%%", "%")) == {"K": value}


@pytest.mark.parametrize("value", ["a ;b", "a #b", "'q'", 'it\'s "x"', "a\nb", "it's \\ x"])
def test_values_that_versions_read_differently_are_refused(value: str) -> None:
    assert not is_writable(value)


@pytest.mark.parametrize("path", ["/a ;b", "/a\t#b", "/a ", "/a\nuser=root", "/a\rb"])
def test_a_path_cannot_end_its_line(path: str) -> None:
    with pytest.raises(Unwritable):
        plain(path)


def test_no_value_begins_another_key(tmp_path: Path) -> None:
    with pytest.raises(Unwritable):
        command(("/bin/echo", "x\nuser=root"))
