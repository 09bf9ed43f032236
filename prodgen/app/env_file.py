"""Checks the lines of the file of secrets if it is on this machine; keeps no values."""

from __future__ import annotations

from pathlib import Path

from prodgen.diagnostics import Diagnostic
from prodgen.inputs.bench import Bench


def check_env_file(root: Path, bench: Bench, *, locked: bool) -> tuple[Bench, list[Diagnostic]]:
    """The bench, which then knows whether the file was read, and diagnostics of its lines.

    With `locked`, nothing outside the bench is looked at.
    """
    given = bench.settings.text("env_file")
    if given is None or bench.env_file_read or (locked and given.value.startswith("/")):
        return bench, []
    from prodgen.inputs.env.secrets_file import parse_env_file  # few benches have one
    from prodgen.inputs.reader import read_source

    source, _ = read_source(root / given.value, given.value, secret=True)
    if source is None:
        return bench, []
    return bench._replace(env_file_read=True), parse_env_file(source)[1]
