"""Files of secrets for tests: values that try everything, written in each form that holds them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hypothesis import strategies as st

from prodgen.diagnostics import has_errors
from prodgen.inputs.core.source import Source
from prodgen.inputs.env.secrets_file import BARE, parse_env_file

NASTY = st.text(st.sampled_from(list(" \t;#%'\"\\$,=`~é日𝄞\x80\xa0\u0301()[]{}&|<>*?@:+!-ni0x")),
                max_size=12)  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=20)
VALUES = st.lists(NASTY | TEXT, max_size=40)


def forms(value: str) -> list[str]:
    """Every way to write the value that the format has; none for one that it cannot hold."""
    guarded = re.sub(r'(["\\])', r"\\\1", value)
    found = [f'"{guarded}"']
    if "'" not in value:
        found.append(f"'{value}'")
    if BARE.fullmatch(value):
        found.append(value)
    return [form for form in found if is_taken(f"A={form}")]


def is_taken(line: str) -> bool:
    """Whether `validate` lets the line pass."""
    return not has_errors(parse_env_file(Source(".env", line))[1])


def file_of(values: list[str]) -> tuple[str, Mapping[str, str]]:
    """A file with every value in every form, and the variables that it sets."""
    lines, expected = ["# made by a test"], {}
    for number, value in enumerate(values):
        for form_number, form in enumerate(forms(value)):
            name = f"V{number}_{form_number}"
            lines.append(f"{name}={form}")
            expected[name] = value
    return "\n".join(lines), expected
