"""The lines of an input file as a message may show them: no secret, even where syntax is broken.

`patterns.mask` knows what a well-formed value of a secret name looks like. A message often shows a
line because it is *not* well-formed, so here all that may belong to such a value is hidden.
"""

from __future__ import annotations

import re

from prodgen.inputs.redact.patterns import SENSITIVE, has_secret_name, mask

KEY = rf"""(?i){SENSITIVE}[\w.-]{{0,64}}(?P<quote>["']?)"""
CLOSED = r"""(?x)\s*[:=]\s*
    (?:"(?:[^"\\]|\\.)*"|'[^'"\\]*'|[^\s"'{}\[\],#&*!|>%@`\\]+)\s*(?=[,}\]]|\#|$)"""
"""A value behind its key that ends where it seems to: one word, or one closed string."""
WORD_OF_SHELL = r"=[^\s\"'\\]*(?=\s|$)"
ASSIGNS = r"\s*[:=]\s*"
LISTED = r"\s*(?:[\]})]|,?\s*$)"
"""What follows the name of a secret that is itself a value, such as one in a list of names."""
NEXT_KEY = r"""\s*(?:"[^"]*"|'[^']*'|[A-Za-z_][\w.-]*)\s*:(?=\s|$)|\s*[}\]]"""


def excerpt(text: str) -> str:
    """The text with stars for whatever may be secret, every character in its old place."""
    if not has_secret_name(text):
        return mask(text)
    shown, is_inside = [], False
    for written, line in zip(text.split("\n"), mask(text).split("\n"), strict=True):
        start = 0 if is_inside and not re.match(NEXT_KEY, written) else _open(written)
        is_inside = start is not None
        shown.append(line if start is None else line[:start] + "*" * (len(line) - start))
    return "\n".join(shown)


def _open(line: str) -> int | None:
    """Where a value of a secret begins whose end nobody can tell; None where none does."""
    for found in re.finditer(KEY, line):
        rest = line[found.end() :]
        if re.match(CLOSED, rest) or re.match(WORD_OF_SHELL, rest):
            continue
        assigns = re.match(ASSIGNS, rest)
        if assigns:
            return found.end() + assigns.end()
        if found["quote"] and not re.match(LISTED, rest):
            return found.end()
    return None
