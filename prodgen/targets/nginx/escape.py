"""Values in nginx's configuration language, or a refusal.

A quoted word may hold anything but NUL; inside it `\\` escapes quotes, itself, and makes `\n`,
`\r`, `\t` (src/core/ngx_conf_file.c). A word must fit nginx's buffer of 4,096 bytes. In
directives that take variables there is no escape for `$`, so a variable stands for it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re

from prodgen.plan.core.model import Address
from prodgen.targets.core.base import Unwritable

BARE = re.compile(r"[A-Za-z0-9_./:@%+=,~*\[\]-]+")
LONGEST_WORD = 4000
"""Bytes; nginx refuses a word that does not fit NGX_CONF_BUFFER (4,096)."""
LONGEST_SOCKET = 107
"""Bytes of a unix socket's path (unix(7), sun_path)."""
LONGEST_HASHED = 46
"""Bytes of the longest name that fits the default hash bucket of 64 bytes."""
MAP_WORDS = frozenset({"default", "hostnames", "include", "volatile"})
"""What a map would take for a parameter of its own (ngx_http_map_module)."""
ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
SIZES = ((1024**3, "g"), (1024**2, "m"), (1024, "k"))
PLAIN_NAME = re.compile(r"[a-z][a-z0-9-]{0,12}")
"""So short that a variable of ours may share a bucket of nginx's hash with one of its own."""
KEPT = 5


def word(value: str) -> str:
    """The value as one word of a directive that knows no variables."""
    if BARE.fullmatch(value):
        return _of_length(value)
    return _of_length(f'"{_escaped(value)}"')


def text(value: str, dollar: str) -> str:
    """The value as one word where nginx expands variables; `dollar` is one that holds a `$`."""
    if "$" not in value:
        return word(value)
    return _of_length(f'"{_escaped(value)}"'.replace("$", f"${{{dollar}}}"))


def constant(value: str) -> str:
    """The value as one word where a `$` would turn it into a variable."""
    if "$" in value:
        raise Unwritable(f"`{value}` has a `$`, which nginx would take for a variable")
    return word(value)


def _escaped(value: str) -> str:
    if "\0" in value:
        raise Unwritable("it has a NUL character in it")
    return value.translate(ESCAPES)


def _of_length(made: str) -> str:
    try:
        length = len(made.encode())
    except UnicodeEncodeError:
        raise Unwritable("it is not valid Unicode") from None
    if length > LONGEST_WORD:
        raise Unwritable(f"it takes {length} bytes, and nginx reads at most {LONGEST_WORD}")
    return made


def identifier(bench: str) -> str:
    """A prefix for variables that no other bench's name gives.

    At most 13 letters, digits and `_`, the first one a letter. nginx warns where its hash of
    variables has no room, and its size is a matter of the whole host.
    """
    if PLAIN_NAME.fullmatch(bench):
        return bench.replace("-", "_")
    digest = hashlib.sha256(bench.encode()).hexdigest()[:6]
    return f"b{re.sub(r'[^a-z0-9]', '_', bench.lower())[:KEPT]}_{digest}"


def size(count: int) -> str:
    """Bytes as nginx writes them: `51m`, `1g`."""
    for unit, letter in SIZES:
        if count and count % unit == 0:
            return f"{count // unit}{letter}"
    return str(count)


def server(address: Address) -> str:
    """An address as a `server` of an upstream."""
    if len(address.path.encode(errors="replace")) > LONGEST_SOCKET:
        raise Unwritable(f"the socket's path is longer than {LONGEST_SOCKET} bytes")
    return word(str(address))


def host_name(name: str) -> str:
    """A host name as it stands in `server_name`.

    One that the default hash bucket cannot hold is written as a regular expression: a larger
    bucket is a matter of the whole host, and a second definition of it is fatal.
    """
    return _host_pattern(name) if is_long(name) else _bracketed(name)


def map_key(name: str) -> str:
    """A host name as a key of a map with `hostnames`."""
    if name in MAP_WORDS:
        return f"\\{name}"
    return host_name(name)


def is_long(name: str) -> bool:
    """Whether nginx's default hash bucket is too small for this name."""
    if len(name) <= LONGEST_HASHED:
        return False
    parts = name.removeprefix("*.").split(".") if name.startswith("*.") else [name]
    return max(len(part) for part in parts) > LONGEST_HASHED


def covers(wildcard: str, name: str) -> bool:
    """Whether `*.example.com` matches `name`, at any depth as nginx has it."""
    return wildcard.startswith("*.") and name != wildcard and name.endswith(wildcard[1:])


def _host_pattern(name: str) -> str:
    exact = name.removeprefix("*.")
    start = ".+\\." if exact != name else ""
    return "~^" + start + exact.replace(".", "\\.") + "$"


def _bracketed(name: str) -> str:
    """An IPv6 address as browsers write it in a URL; every other name as it is."""
    if ":" not in name:
        return name
    try:
        ipaddress.IPv6Address(name)
    except ValueError:
        return name
    return f"[{name}]"
