"""Where artifacts go: what `-o` may name, and how they stand on standard output."""

from __future__ import annotations

from collections.abc import Sequence

import click

from prodgen.targets.core.artifacts import Artifact

STDOUT = "-"
ARCHIVES = (".tar", ".tar.gz", ".tgz")
OTHER_ARCHIVES = (".zip", ".tar.bz2", ".tar.xz", ".tar.zst", ".7z")


def checked_output(text: str) -> str:
    """The value of `-o`; BadParameter where it names no place, or one that cannot be meant."""
    name = text.lower()
    if not text:
        raise click.BadParameter("the path is empty")
    if name.rpartition("/")[2] in ARCHIVES:
        raise click.BadParameter(f"`{text}` is a suffix without a name")
    if name.endswith(OTHER_ARCHIVES):
        raise click.BadParameter(f"`{text}`: the archives are .tar, .tar.gz and .tgz")
    return text


def as_text(artifacts: Sequence[Artifact]) -> str:
    """One artifact as it is; several each under a comment line with its path."""
    if len(artifacts) == 1:
        return artifacts[0].text
    return "\n".join(f"# {artifact.path}\n\n{artifact.text}" for artifact in artifacts)
