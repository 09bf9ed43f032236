"""Notes of apply about files of the whole host, which it does not install."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from prodgen.deploy.system.atomic_write import read_file
from prodgen.diagnostics import Diagnostic, note
from prodgen.targets.core.artifacts import HOST_FILES, Artifact


def host_notes(artifacts: Iterable[Artifact], root: Path = Path("/")) -> list[Diagnostic]:
    """A note for each one that is not installed, or differs. Raises OSError."""
    return [
        note(
            "PG814",
            f"{one.destination} is for the whole host: apply leaves it to you",
            None,
            f"`prodgen render -t {one.target} -o DIR`, then copy DIR/{one.path} there; try it "
            "with `nginx -t`",
        )
        for one in artifacts
        if one.destination in HOST_FILES
        and read_file(root / one.destination.relative_to("/")) != one.content
    ]
