"""Artifacts into a folder or an archive, all or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prodgen import __version__
from prodgen.app.pipeline import Outcome
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.messages import printable, say
from prodgen.cli.core.output_option import ARCHIVES
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
from prodgen.inputs.fingerprints import fingerprints
from prodgen.review.changes.output_folder import Change, Verb, compare, is_as_left
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.templating import shipped_templates
from prodgen.targets.install_readme import make_readme
from prodgen.targets.manifest import PATH, make_manifest, owned_files

Result = tuple[Exit, list[Diagnostic]]
"""An exit code, and what went wrong."""


@dataclass(frozen=True)
class Delivery:
    """One `-o` with the options that go with it."""

    output: str
    check: bool
    overwrite: bool
    quiet: bool

    def deliver(self, artifacts: Sequence[Artifact], outcome: Outcome) -> Result:
        """Puts the artifacts where they are wanted, all or none."""
        complete = make_complete(artifacts, outcome)
        try:
            with rights_for(Path(self.output)):
                if self.output.lower().endswith(ARCHIVES):
                    return self._archive(complete)
                return self._folder(complete)
        except OSError as failure:
            return Exit.ERROR, [self._failed(failure)]

    def _archive(self, artifacts: Sequence[Artifact]) -> Result:
        path = Path(self.output)
        content = pack(artifacts, compress=not self.output.lower().endswith(".tar"))
        old = read_file(path)
        verb = Verb.UPDATE if old is not None else Verb.CREATE
        if old == content:
            verb = Verb.IDENTICAL
        elif old and not self.overwrite and not is_as_left(unpack(old) or {}):
            return Exit.ERROR, [
                error(
                    "PG802",
                    f"{self.output} is not an archive as prodgen left it",
                    None,
                    "name another, take it away, or use --overwrite",
                )
            ]
        if verb is not Verb.IDENTICAL and not self.check:
            write_file(path, content)
        self._say(verb, self.output)
        return self._code(pending=verb is not Verb.IDENTICAL), []

    def _folder(self, artifacts: Sequence[Artifact]) -> Result:
        folder = Path(self.output)
        manifest = read_folder(folder, [PATH]).get(PATH)
        owned = owned_files(manifest) if isinstance(manifest, bytes) else {}
        present = read_folder(folder, {artifact.path for artifact in artifacts} | set(owned))
        changes = compare(artifacts, present, overwrite=self.overwrite)
        conflicts = [change for change in changes if change.verb is Verb.CONFLICT]
        if conflicts:
            return Exit.ERROR, [self._conflict(change) for change in conflicts]
        moved = {change.path for change in changes if change.verb is not Verb.IDENTICAL}
        if moved and not self.check:
            wanted = [artifact for artifact in artifacts if artifact.path in moved]
            removed = [change.path for change in changes if change.verb is Verb.REMOVE]
            write_folder(folder, wanted, removed)
        for change in changes:
            self._say(change.verb, f"{self.output.rstrip('/')}/{change.path}")
        return self._code(pending=bool(moved)), []

    def _code(self, *, pending: bool) -> Exit:
        return Exit.PENDING if pending and self.check else Exit.DONE

    def _say(self, verb: Verb, what: str) -> None:
        if not self.quiet:
            say(f"{verb.value:<9} {printable(what)}\n")

    def _conflict(self, change: Change) -> Diagnostic:
        place = f"{self.output.rstrip('/')}/{change.path}"
        return error("PG802", f"{place} {change.reason}", None, change.way_out)

    def _failed(self, failure: OSError) -> Diagnostic:
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


def make_complete(artifacts: Sequence[Artifact], outcome: Outcome) -> list[Artifact]:
    """The artifacts with a README.md that says where they go, and a manifest of it all."""
    plan, files, bench = outcome.plan, outcome.files, outcome.bench
    if plan is None or files is None or bench is None:
        raise ValueError("there is nothing to deliver")
    complete = [*artifacts, make_readme(artifacts, plan, __version__)]
    targets = {artifact.target for artifact in artifacts}
    texts = shipped_templates() | {name: one.text for name, one in outcome.templates.items()}
    templates = {name: text for name, text in texts.items() if name.split("/")[0] in targets}
    inputs = fingerprints(files, bench)
    name = plan.bench_name.value
    return [*complete, make_manifest(complete, name, __version__, inputs, templates)]
