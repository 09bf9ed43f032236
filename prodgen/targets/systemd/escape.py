r"""Values in the language of unit files, or a refusal.

A unit file is UTF-8, one `Key=value` a line; a backslash at the end joins the next line, blanks
around a value are lost, and `%` begins a specifier (systemd.syntax(7), systemd.unit(5)). Beyond
that each kind of value has rules of its own:

- `ExecStart=` and `Environment=` hold words that may be quoted and know the escapes of C;
- lists of paths hold words that may be quoted, where a backslash only guards what follows it;
- `WorkingDirectory=`, `User=`, `Description=` and the like take the rest of the line as it is.
"""

from __future__ import annotations

import ipaddress
import re

from prodgen.plan.core.model import Address
from prodgen.targets.core.base import Unwritable

ENV = "/usr/bin/env"
SHELL = "/bin/sh"
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
NOT_UNICODE = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""systemd ignores a line with such a character (systemd/basic/utf8.c)."""
PLAIN_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
"""A word that needs no quotes; a lone `;` would begin a second command."""
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
UNIT_CHARACTER = re.compile(r"[A-Za-z0-9:_.-]")
GLOB = re.compile(r"[*?\[\\]")
LONGEST_UNIT_NAME = 255
LONGEST_WORD = 128 * 1024 - 1
"""Bytes of one argument or variable that Linux takes (execve(2), MAX_ARG_STRLEN)."""
LONGEST_SOCKET_PATH = 107
"""Bytes of a socket's path (unix(7))."""


def escaped_name(text: str) -> str:
    r"""`text` as a part of a unit's name: what no name may have becomes `\xNN`, its UTF-8 bytes."""
    _refuse_unreadable(text)
    return "".join(
        char
        if UNIT_CHARACTER.fullmatch(char) and not (index == 0 and char == ".")
        else "".join(rf"\x{byte:02x}" for byte in char.encode())
        for index, char in enumerate(text)
    )


def unit_name(stem: str, suffix: str) -> str:
    """`stem.suffix`; raises Unwritable where it would be too long for a unit."""
    name = f"{escaped_name(stem)}{suffix}"
    if len(name) > LONGEST_UNIT_NAME - len("@999"):
        raise Unwritable(f"`{stem}` is too long for the name of a unit")
    return name


def slice_name(bench: str) -> str:
    """The slice of a bench; a plain `-` would make it the child of another slice."""
    return escaped_name(bench).replace("-", r"\x2d") + ".slice"


def plain(value: str) -> str:
    """The rest of a line, for settings that know neither quotes nor escapes."""
    _refuse_unreadable(value)
    if value != value.strip() or value.endswith("\\"):
        raise Unwritable(f"`{value}` ends in a blank or a backslash, which systemd would take away")
    return value.replace("%", "%%")


def folder(path: str) -> str:
    """An absolute path of a folder for `WorkingDirectory=`; a slash guards what it may end in."""
    _refuse_relative(path)
    return plain(path + "/" if path.endswith((" ", "\t", "\\")) else path)


def path_word(path: str, *, optional: bool = False) -> str:
    """One path of a list like `ReadWritePaths=`; an `optional` one need not exist."""
    _refuse_unreadable(path)
    _refuse_relative(path)
    word = f"-{path}" if optional else path
    if PLAIN_WORD.fullmatch(word):
        return word.replace("%", "%%")
    return f'"{_quoted(word)}"'


def bind_path(path: str) -> str:
    """One optional path of `BindPaths=` and the like, where a bare colon would divide."""
    word = path_word(path, optional=True)
    return f'"{word}"' if ":" in word and not word.startswith('"') else word


def assignment(key: str, value: str) -> str:
    """One word of `Environment=`."""
    if not VARIABLE.fullmatch(key):
        raise Unwritable(f"`{key}` is no name for a variable")
    return _word(f"{key}={value}")


def env_file(path: str) -> str:
    """The file of `EnvironmentFile=`, whose path is a pattern of glob(7)."""
    _refuse_relative(path)
    if path.endswith("\\"):
        raise Unwritable(f"`{path}` ends in a backslash, which joins the next line")
    return plain(GLOB.sub(r"\\\g<0>", path))


def command(argv: tuple[str, ...]) -> str:
    """The value of `ExecStart=` that hands `argv` to execve as it is.

    The colon keeps `$` from being replaced; doubling it would not do for the program's own path,
    which systemd leaves as it is written (systemd.service(5), COMMAND LINES).
    """
    argv = _with_plain_program(argv)
    prefix = ":" if any("$" in word for word in argv) else ""
    return prefix + " ".join(_word(word) for word in argv)


def _with_plain_program(argv: tuple[str, ...]) -> tuple[str, ...]:
    """`argv` with a program that systemd takes: an absolute path without quotes and backslashes."""
    program = argv[0]
    if not program.startswith("/"):
        if "=" in program or program.startswith("-") or not program:
            raise Unwritable(f"`{program}` is neither a path nor the name of a program")
        return (ENV, *argv)
    if any(char in program for char in "\"'\\\t"):
        return (SHELL, "-c", 'exec "$0" "$@"', *argv)
    return argv


def _word(word: str) -> str:
    _refuse_unreadable(word)
    if len(word.encode()) > LONGEST_WORD:
        raise Unwritable("it is longer than any program may be told")
    if PLAIN_WORD.fullmatch(word):
        return word.replace("%", "%%")
    return f'"{_quoted(word)}"'


def _quoted(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def listen(address: Address) -> str:
    """The value of `ListenStream=`: an address with its port, a port of all addresses, a path."""
    if address.path:
        _refuse_relative(address.path)
        if len(address.path.encode()) > LONGEST_SOCKET_PATH:
            raise Unwritable(f"`{address.path}` is longer than a socket's path may be")
        return plain(address.path)
    if address.host:
        try:
            ipaddress.ip_address(address.host)
        except ValueError:
            raise Unwritable(f"`{address.host}` is a name; a socket needs an address") from None
        return str(address)
    return str(address.port)


def _refuse_relative(path: str) -> None:
    if not path.startswith("/"):
        raise Unwritable(f"`{path}` is no absolute path")


def _refuse_unreadable(value: str) -> None:
    if CONTROL.search(value):
        raise Unwritable("it has a line break or a control character in it")
    if NOT_UNICODE.search(value) or any(ord(char) & 0xFFFE == 0xFFFE for char in value):
        raise Unwritable("it has a character in it that is none in Unicode")
