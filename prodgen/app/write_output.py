"""Artifacts into a folder or an archive, all or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from prodgen.app.complete_output import make_complete
from prodgen.app.output_path import ARCHIVES
from prodgen.app.pipeline import PlanResult
from prodgen.deploy.output.archives import pack, unpack
from prodgen.deploy.system.atomic_write import (
    TEMPORARY_PREFIX,
    read_file,
    read_folder,
    write_file,
    write_folder,
)
from prodgen.deploy.system.folder_transaction import Unrestored
from prodgen.diagnostics import Diagnostic, error
from prodgen.host.door import rights_for
from prodgen.review.changes.output_folder import OutputChange, Verb, compare, is_as_left
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.manifest import PATH, NewerFormat, owned_files


class WrittenOutput(NamedTuple):
    """What became of the files of an output."""

    changes: tuple[tuple[Verb, str], ...] = ()
    """What was done (or would be, with `check`), and to which path."""
    found: tuple[Diagnostic, ...] = ()
    """Why nothing was written."""

    @property
    def is_changed(self) -> bool:
        """Whether any file differs from what was there."""
        return any(verb is not Verb.IDENTICAL for verb, _ in self.changes)


def write_output(
    output: str,
    artifacts: Sequence[Artifact],
    planned: PlanResult,
    *,
    check: bool = False,
    overwrite: bool = False,
) -> WrittenOutput:
    """Write the artifacts with a README.md and a manifest.json into a folder or archive.

    With `check` nothing is written. Files that prodgen did not leave as they are stay, and are
    errors, unless `overwrite` is set.
    """
    complete = make_complete(artifacts, planned)
    job = _Output(output, check, overwrite)
    try:
        with rights_for(Path(output)):
            if output.lower().endswith(ARCHIVES):
                return job.archive(complete)
            return job.folder(complete)
    except NewerFormat as newer:
        return WrittenOutput(found=(newer.diagnostic(output),))
    except OSError as failure:
        return WrittenOutput(found=(job.failed(failure),))


class _Output(NamedTuple):
    """One output with the options that go with it."""

    output: str
    check: bool
    overwrite: bool

    def archive(self, artifacts: Sequence[Artifact]) -> WrittenOutput:
        path = Path(self.output)
        content = pack(artifacts, compress=not self.output.lower().endswith(".tar"))
        old = read_file(path)
        verb = Verb.UPDATE if old is not None else Verb.CREATE
        if old == content:
            verb = Verb.IDENTICAL
        elif old and not self.overwrite and not is_as_left(unpack(old) or {}):
            refusal = error(
                "PG802",
                f"{self.output} is not an archive as prodgen left it",
                None,
                "name another, take it away, or use --overwrite",
            )
            return WrittenOutput(found=(refusal,))
        if verb is not Verb.IDENTICAL and not self.check:
            write_file(path, content)
        return WrittenOutput(((verb, self.output),))

    def folder(self, artifacts: Sequence[Artifact]) -> WrittenOutput:
        folder = Path(self.output)
        manifest = read_folder(folder, [PATH]).get(PATH)
        owned = owned_files(manifest) if isinstance(manifest, bytes) else {}
        present = read_folder(folder, {artifact.path for artifact in artifacts} | set(owned))
        changes = compare(artifacts, present, overwrite=self.overwrite)
        conflicts = [change for change in changes if change.verb is Verb.CONFLICT]
        if conflicts:
            return WrittenOutput(found=tuple(map(self._conflict, conflicts)))
        moved = {change.path for change in changes if change.verb is not Verb.IDENTICAL}
        if moved and not self.check:
            wanted = [artifact for artifact in artifacts if artifact.path in moved]
            removed = [change.path for change in changes if change.verb is Verb.REMOVE]
            write_folder(folder, wanted, removed)
        return WrittenOutput(tuple((one.verb, self._place(one)) for one in changes))

    def _place(self, change: OutputChange) -> str:
        return f"{self.output.rstrip('/')}/{change.path}"

    def _conflict(self, change: OutputChange) -> Diagnostic:
        return error("PG802", f"{self._place(change)} {change.reason}", None, change.way_out)

    def failed(self, failure: OSError) -> Diagnostic:
        reason = (failure.strerror or str(failure)).lower()
        place = str(failure.filename or "")
        if place and place != self.output and TEMPORARY_PREFIX not in place:
            reason = f"{place}: {reason}"
        if isinstance(failure, Unrestored):
            kept = f"{self.output} is half written; the old files are kept in {failure.kept}"
            return error("PG801", f"{reason}, and undoing it failed", None, kept)
        return error(
            "PG801",
            f"cannot write {self.output}: {reason}",
            None,
            "nothing was changed; make room for it, or name another place with -o",
        )
