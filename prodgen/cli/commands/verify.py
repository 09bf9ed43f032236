"""`prodgen verify`: whether an output is still what `render` made."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import click

from prodgen.app.reports.layout import Layout
from prodgen.app.reports.reporters import REPORTERS
from prodgen.app.reports.text import show_diagnostics
from prodgen.app.terminal.text import printable
from prodgen.cli.core.exits import Exit
from prodgen.cli.core.options import colors_messages, format_option
from prodgen.deploy.output.archives import BadArchive
from prodgen.deploy.output.reader import read_output
from prodgen.diagnostics import Diagnostic, error
from prodgen.host.door import rights_for
from prodgen.review.changes.verification import (
    BadManifest,
    Manifest,
    parse_manifest,
    verify,
)
from prodgen.targets.manifest import NewerFormat

FORMAT_VERSION = 1
MOST_SHOWN = 20
WAY_OUT = "name what `prodgen render -o` made; if this is it, make or fetch it anew"


@click.command("verify")
@click.argument("path", type=click.Path(path_type=Path), metavar="PATH")
@format_option("Words to read; the others are for programs.", REPORTERS)
def command(*, path: Path, form: str) -> int:
    """Check that a folder or archive is as `render` made it.

    Every file that its manifest.json lists must be there with its digest and
    mode, and no other. Nothing is unpacked. Who could change the files could
    change the manifest too: compare its digest, which is printed, with the one
    that you trust.
    """
    try:
        with rights_for(path):
            output = read_output(path)
        manifest = parse_manifest(output.manifest)
    except NewerFormat as newer:
        return _refuse(path, newer.diagnostic(path), form)
    except (BadArchive, BadManifest, OSError) as failure:
        return _refuse(path, error("PG810", f"{path}: {_reason(failure)}", None, WAY_OUT), form)
    problems = list(verify(manifest, output.files))
    if problems or form != "text":
        _say(path, manifest, problems, form)
    else:
        click.echo(f"{printable(str(path))}: unmodified, {_files(manifest)}")
        click.echo(f"bench {printable(manifest.bench)}, prodgen {printable(manifest.version)}")
        click.echo(f"manifest.json has the SHA-256 {manifest.sha256}")
    return Exit.ERROR if problems else Exit.DONE


def _files(manifest: Manifest) -> str:
    number = len(manifest.files)
    return f"{number} file{'' if number == 1 else 's'}"


def _reason(failure: Exception) -> str:
    if isinstance(failure, BadManifest):
        return f"its manifest.json is none of prodgen's: {failure}"
    if isinstance(failure, OSError):
        return (failure.strerror or str(failure)).lower()
    return str(failure)


def _refuse(path: Path, refusal: Diagnostic, form: str) -> Exit:
    _say(path, None, [refusal], form)
    return Exit.ERROR


def _say(path: Path, manifest: Manifest | None, found: list[Diagnostic], form: str) -> None:
    """What is wrong, in the format that was asked for."""
    if form == "json":
        _say_json(path, manifest, found)
    elif form != "text":
        click.echo(REPORTERS[form](found, Layout(PurePosixPath(path))), nl=False)
    else:
        _show(path, found)


def _show(path: Path, found: list[Diagnostic]) -> None:
    shown = [
        one._replace(message=f"{path}: {one.message}", location=None) if one.location else one
        for one in found[:MOST_SHOWN]
    ]
    rest = len(found) - MOST_SHOWN
    if rest > 0:
        shown.append(error("PG811", f"{path}: {rest} more files are not as the manifest says"))
    show_diagnostics(shown, color=colors_messages("auto"))


def _say_json(path: Path, manifest: Manifest | None, found: list[Diagnostic]) -> None:
    report = {
        "format_version": FORMAT_VERSION,
        "path": str(path),
        "unmodified": not found,
        "prodgen": manifest.version if manifest else None,
        "bench": manifest.bench if manifest else None,
        "manifest_sha256": manifest.sha256 if manifest else None,
        "file_count": len(manifest.files) if manifest else 0,
        "problems": [_problem(path, one) for one in found],
    }
    click.echo(json.dumps(report, indent=2))


def _problem(output: Path, one: Diagnostic) -> dict[str, str]:
    path = one.location.file if one.location else ""
    prefix = f"{path} " if path else f"{output}: "
    return {"path": path, "problem": one.message.removeprefix(prefix), "code": one.code}
