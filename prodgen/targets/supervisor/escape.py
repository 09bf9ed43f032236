"""Values in Supervisor's configuration language, or a refusal.

Supervisor reads its file with ConfigParser, cuts a value at a blank followed by `;` or `#`,
even inside quotes (supervisor/options.py), expands `%(name)s`, and splits commands with shlex.
Its `environment=` knows no escapes up to 4.3.0 and POSIX ones in the development branch; what
is written here means the same to both.
"""

from __future__ import annotations

import re
import shlex

from prodgen.targets.core.base import Unwritable

LINE_END = r"[\r\n\0\x85\u2028\u2029\x0b\x0c\x1c-\x1e]"
COMMENT = r"\s[;#]"
COMMENT_SIGN = r"(?<=\s)[;#]"


def plain(value: str) -> str:
    """A path or a name as it stands after `key=`."""
    _refuse_line_ends(value)
    if value != value.strip() or re.search(COMMENT, value):
        raise Unwritable(f"`{value}` would be cut at its blank or at its comment sign")
    return value.replace("%", "%%")


def command(argv: tuple[str, ...]) -> str:
    """The command whose words Supervisor hands to `execve` as they are in `argv`."""
    return " ".join(_word(word) for word in argv)


def _word(word: str) -> str:
    _refuse_line_ends(word)
    quoted = shlex.quote(word)
    if quoted.startswith("'"):
        quoted = re.sub(COMMENT_SIGN, r"'\\\g<0>'", quoted)
    return quoted.replace("%", "%%")


def environment(pairs: tuple[tuple[str, str], ...]) -> str:
    """`KEY='value',…`; raises Unwritable for a value that `is_writable` refuses."""
    return ",".join(f"{key}={_quoted(value)}" for key, value in pairs)


def byte_size(count: int) -> str:
    """A number of bytes with Supervisor's suffix, where one fits (supervisor/datatypes.py)."""
    for suffix, size in (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024)):
        if count and count % size == 0:
            return f"{count // size}{suffix}"
    return str(count)


def is_writable(value: str) -> bool:
    """Whether every version of Supervisor reads this value of `environment=` alike."""
    if _has_line_end(value) or re.search(COMMENT, value) or value.strip("'\"") != value:
        return False
    return "'" not in value or not ('"' in value or "\\" in value)


def _quoted(value: str) -> str:
    if not is_writable(value):
        raise Unwritable(f"`{value}` mixes quotes, backslashes or comment signs")
    quote = '"' if "'" in value else "'"
    return f"{quote}{value.replace('%', '%%')}{quote}"


def _refuse_line_ends(value: str) -> None:
    if _has_line_end(value):
        raise Unwritable("it has a line break or a control character in it")


def _has_line_end(value: str) -> bool:
    return not value.isprintable() and bool(re.search(LINE_END, value))
