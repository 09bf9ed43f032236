"""A user's folder of templates: read, filled with copies, and compared with the shipped ones.

Beside the copies, in `.prodgen/`, lie the texts that they were made from, and a note of the
version and digest of each. So an upgrade can tell what the user changed from what prodgen did.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from prodgen import __version__
from prodgen.deploy.system.atomic_write import write_folder
from prodgen.diagnostics import Diagnostic, Location, error, warning
from prodgen.inputs.core.source import Source
from prodgen.inputs.core.suggest import nearest
from prodgen.inputs.reader import read_source
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.templating import shipped_templates
from prodgen.targets.manifest import digest

KEPT = ".prodgen"
NOTE = f"{KEPT}/copies.json"
FORMAT_VERSION = 1


class Original(NamedTuple):
    """What a copy was made from."""

    version: str
    text: str


class OwnTemplates(NamedTuple):
    """A user's templates by name, and what those that are copies were made from."""

    sources: dict[str, Source]
    originals: dict[str, Original]


def read_templates(folder: Path) -> tuple[OwnTemplates, list[Diagnostic]]:
    """The templates in `folder`, and what is wrong with it; places name files as `folder` does."""
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist"
        copy = f"`prodgen templates copy {folder}` fills one"
        return OwnTemplates({}, {}), [error("PG741", f"{folder} {what}", None, copy)]
    found: list[Diagnostic] = []
    sources: dict[str, Source] = {}
    try:
        names = list(_names(folder, found))
    except OSError as failure:
        reason = (failure.strerror or str(failure)).lower()
        return OwnTemplates({}, {}), [error("PG741", f"{failure.filename}: {reason}")]
    for name in names:
        source, fault = read_source(folder / name, str(folder / name))
        found += [fault] if fault else []
        sources |= {name: source} if source else {}
    originals = _originals(folder)
    shipped = shipped_templates()
    found += _unknown(folder, sources, shipped)
    for name in sorted(sources.keys() & originals.keys() & shipped.keys()):
        if originals[name].text != shipped[name]:
            found.append(_outdated(folder, name, originals[name]))
    return OwnTemplates(sources, originals), found


def _names(folder: Path, found: list[Diagnostic]) -> Iterator[str]:
    """The files that may be templates, `TARGET/FILE`; a link could lead to anything."""
    for entry in sorted(folder.glob("*/*")):
        name = str(entry.relative_to(folder))
        if name.startswith(".") or entry.name.startswith("."):
            continue
        links = [one for one in (entry.parent, entry) if one.is_symlink()]
        if links:
            way_out = "put a file or folder in its place"
            found.append(
                error("PG741", "this is a symbolic link", Location(str(links[0])), way_out)
            )
        elif not stat.S_ISDIR(entry.lstat().st_mode):
            yield name


def _unknown(
    folder: Path, sources: dict[str, Source], shipped: dict[str, str]
) -> Iterator[Diagnostic]:
    """A warning for each file that neither prodgen nor another template asks for."""
    texts = [source.text for source in sources.values()]
    for name in sorted(sources.keys() - shipped.keys()):
        if any(f'"{name}"' in text or f"'{name}'" in text for text in texts):
            continue
        near = nearest(name, shipped)
        way_out = f"did you mean `{near}`?" if near else "`prodgen templates list` shows the names"
        place = Location(str(folder / name))
        yield warning("PG742", f"prodgen has no template `{name}`", place, way_out)


def _outdated(folder: Path, name: str, original: Original) -> Diagnostic:
    return warning(
        "PG743",
        f"prodgen's `{name}` has changed since this copy was made from version {original.version}",
        Location(str(folder / name)),
        f"`prodgen templates diff {folder}` shows both sides; then `prodgen templates accept`",
    )


def _originals(folder: Path) -> dict[str, Original]:
    """What the note knows, as far as the texts are still those that it means."""
    note, _ = read_source(folder / NOTE, NOTE)
    try:
        content = json.loads(note.text if note else "")
        copies = content["copies"] if content["format_version"] == FORMAT_VERSION else {}
        known = {str(name): (str(one["prodgen"]), one["sha256"]) for name, one in copies.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    found = {}
    for name, (version, sha256) in known.items():
        inner = PurePosixPath(name)
        if inner.is_absolute() or ".." in inner.parts or "\0" in name:
            continue
        text, _ = read_source(folder / KEPT / name, name)
        if text and digest(text.text.encode()) == sha256:
            found[name] = Original(version, text.text)
    return found


def copy_templates(folder: Path, texts: dict[str, str]) -> list[Diagnostic]:
    """Puts copies of the shipped `texts` into the folder, all or none; never over a file."""
    taken = [name for name in texts if (folder / name).exists() or (folder / name).is_symlink()]
    if taken:
        words = "there is a file already"
        return [
            error("PG744", words, Location(str(folder / name)), "take it away, or copy elsewhere")
            for name in taken
        ]
    _write(folder, texts, {name: texts[name] for name in texts})
    return []


def accept_templates(folder: Path, own: OwnTemplates) -> list[str]:
    """Notes that the copies go with the shipped templates of today; the names of those noted."""
    shipped = shipped_templates()
    known = {name: shipped[name] for name in sorted(own.sources.keys() & shipped.keys())}
    _write(folder, {}, known)
    return list(known)


def _write(folder: Path, copies: dict[str, str], originals: dict[str, str]) -> None:
    """Writes copies and originals, and a note that says so and keeps what it said of others."""
    kept = {name: (one.version, one.text) for name, one in _originals(folder).items()}
    kept |= {name: (__version__, text) for name, text in originals.items()}
    entries = {
        name: {"prodgen": version, "sha256": digest(text.encode())}
        for name, (version, text) in sorted(kept.items())
    }
    note = json.dumps({"format_version": FORMAT_VERSION, "copies": entries}, indent=2) + "\n"
    files = {**copies, **{f"{KEPT}/{name}": text for name, text in originals.items()}, NOTE: note}
    write_folder(folder, list(map(_file, files, files.values())))


def _file(name: str, text: str) -> Artifact:
    path = PurePosixPath(name)
    return Artifact(path, text, path, "templates")


class Comparison(NamedTuple):
    """One side of what differs: the unified diff's heading, and the texts before and after."""

    title: str
    names: tuple[str, str]
    before: str
    after: str


def compare_templates(own: OwnTemplates, folder: Path) -> Sequence[Comparison]:
    """What the user changed, and where the original is known, what prodgen changed since."""
    shipped = shipped_templates()
    found = []
    for name, source in sorted(own.sources.items()):
        if name not in shipped:
            continue
        yours, now = str(folder / name), f"prodgen-{__version__}/{name}"
        original = own.originals.get(name)
        if original is None:
            title = f"{name}: yours against prodgen's"
            found.append(Comparison(title, (now, yours), shipped[name], source.text))
            continue
        then = f"prodgen-{original.version}/{name}"
        if original.text != shipped[name]:
            if original.version == __version__:
                then += ".copied"
            title = f"{name}: what prodgen changed since your copy"
            found.append(Comparison(title, (then, now), original.text, shipped[name]))
        title = f"{name}: what you changed"
        found.append(Comparison(title, (then, yours), original.text, source.text))
    return [one for one in found if one.before != one.after]
