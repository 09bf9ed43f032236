"""Where artifacts go: what `-o` may name, and how they are written to standard output."""

from __future__ import annotations

from collections.abc import Sequence

from prodgen.targets.core.artifacts import Artifact

STDOUT = "-"
ARCHIVES = (".tar", ".tar.gz", ".tgz")
OTHER_ARCHIVES = (".zip", ".tar.bz2", ".tar.xz", ".tar.zst", ".7z")


def check_output(text: str) -> str:
    """What is wrong with the value of `-o`; empty if it names a folder, an archive or `-`."""
    name = text.lower()
    if not text:
        return "the path is empty"
    if name.rpartition("/")[2] in ARCHIVES:
        return f"`{text}` is a suffix without a name"
    if name.endswith(OTHER_ARCHIVES):
        return f"`{text}`: the archives are .tar, .tar.gz and .tgz"
    return ""


def as_text(artifacts: Sequence[Artifact]) -> str:
    """The text of one artifact; several each after a comment line with its path."""
    if len(artifacts) == 1:
        return artifacts[0].text
    return "\n".join(f"# {artifact.path}\n\n{artifact.text}" for artifact in artifacts)
