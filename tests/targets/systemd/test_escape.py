"""Single values in the language of unit files; `live/systemd/test_values.py` asks systemd
itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from prodgen.plan.core.model import Address
from prodgen.targets.core.base import Unwritable
from prodgen.targets.systemd.escape import (
    assignment,
    bind_path,
    command,
    folder,
    listen,
    path_word,
    plain,
    slice_name,
    unit_name,
)


@pytest.mark.pitfall("32")
@pytest.mark.parametrize(
    ("argv", "written"),
    [
        (("/bin/x", "plain", "a=b"), "/bin/x plain a=b"),
        (("/bin/x", ""), '/bin/x ""'),
        (("/bin/x", ";"), '/bin/x ";"'),
        (("/bin/x", "50%"), "/bin/x 50%%"),
        (("/bin/x", "a b", "it's"), '/bin/x "a b" "it\'s"'),
        (("/bin/x", 'say "hi"', "a\\b"), '/bin/x "say \\"hi\\"" "a\\\\b"'),
        (("/bin/x", "$HOME"), ':/bin/x "$HOME"'),
        (("/a$b/x",), ':"/a$b/x"'),
        (("/it's/x", "y"), ':/bin/sh -c "exec \\"$0\\" \\"$@\\"" "/it\'s/x" y'),
        (("x", "y"), "/usr/bin/env x y"),
    ],
)
def test_a_command(argv: tuple[str, ...], written: str) -> None:
    assert command(argv) == written


@pytest.mark.pitfall("32")
@pytest.mark.parametrize(
    ("write", "value", "written"),
    [
        (plain, "50% off", "50%% off"),
        (folder, "/a b", "/a b"),
        (folder, "/a ", "/a /"),
        (folder, "/a\\", "/a\\/"),
        (path_word, "/a b%c", '"/a b%%c"'),
        (path_word, '/a"b\\c', '"/a\\"b\\\\c"'),
        (bind_path, "/a:b", '"-/a:b"'),
        (slice_name, "frappe-bench", r"frappe\x2dbench.slice"),
        (slice_name, "bench", "bench.slice"),
    ],
)
def test_a_value(write: Callable[[str], str], value: str, written: str) -> None:
    assert write(value) == written


@pytest.mark.parametrize(
    ("write", "value"),
    [
        (plain, "two\nlines"),
        (plain, "trailing "),
        (plain, "trailing\\"),
        (plain, "nul\0"),
        (plain, "no character \ufffe"),
        (plain, "half \ud800"),
        (folder, "relative"),
        (path_word, "relative"),
        (path_word, "/a\rb"),
        (lambda value: command((value,)), "-x"),
        (lambda value: command((value,)), "a=b"),
        (lambda value: command(("/x", value)), "x" * 200_000),
        (lambda value: assignment(value, ""), "1X"),
        (lambda value: assignment(value, ""), "A B"),
        (lambda value: assignment("A", value), "a\nb"),
        (lambda value: unit_name(value, ".service"), "x" * 300),
    ],
)
def test_what_cannot_be_written_is_refused(write: Callable[[str], str], value: str) -> None:
    with pytest.raises(Unwritable):
        write(value)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        (Address("127.0.0.1", 8000), "127.0.0.1:8000"),
        (Address("::1", 8000), "[::1]:8000"),
        (Address("", 8000), "8000"),
        (Address(path="/run/a b%c.sock"), "/run/a b%%c.sock"),
    ],
)
def test_an_address(address: Address, written: str) -> None:
    assert listen(address) == written


@pytest.mark.parametrize("address", [Address("localhost", 1), Address(path="/" + "x" * 108)])
def test_an_address_that_is_refused(address: Address) -> None:
    with pytest.raises(Unwritable):
        listen(address)


def test_a_queue_of_any_name_gives_a_name_for_a_unit() -> None:
    assert unit_name("b-größe/@-worker", "@.service") == (
        r"b-gr\xc3\xb6\xc3\x9fe\x2f\x40-worker@.service"
    )
