"""Whether files are what their manifest says: all of them, unmodified, and no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, Location, error
from prodgen.targets.manifest import FORMAT_VERSION, PATH, Listed, digest, require_known

SHA256 = re.compile(r"[0-9a-f]{64}")
MODE = re.compile(r"0[0-7]{3}")
ENTRY = frozenset({"path", "sha256", "mode", "target", "destination"})


class BadManifest(ValueError):
    """The manifest is none of prodgen's; the message says why."""


class Found(NamedTuple):
    """A file that is there."""

    sha256: str
    mode: int


class Manifest(NamedTuple):
    """A well-formed manifest."""

    version: str
    bench: str
    sha256: str
    """Of the manifest itself."""
    files: tuple[Listed, ...]


def parse_manifest(content: bytes) -> Manifest:
    """The manifest; raises BadManifest if a field is missing, odd or of another kind, and
    NewerFormat if a newer prodgen has written it."""
    try:
        data = json.loads(content.decode("utf-8"), object_pairs_hook=_each_once)
    except BadManifest:
        raise
    except (ValueError, RecursionError):
        raise BadManifest("it is not JSON") from None
    if not isinstance(data, dict):
        raise BadManifest("it is not an object")
    require_known(data.get("format_version"))
    if data.get("format_version") != FORMAT_VERSION:
        raise BadManifest(f"its `format_version` is not {FORMAT_VERSION}")
    texts = [data.get(name) for name in ("prodgen", "bench")]
    if not all(isinstance(text, str) for text in texts):
        raise BadManifest("`prodgen` and `bench` must be texts")
    for name in ("inputs", "templates"):
        _require_digests(name, data.get(name, {}))
    files = data.get("files")
    if not isinstance(files, list) or not files:
        raise BadManifest("`files` must be a list of files")
    listed = tuple(map(_listed, files))
    if len({one.path for one in listed}) < len(listed):
        raise BadManifest("a file stands in it twice")
    return Manifest(str(texts[0]), str(texts[1]), digest(content), listed)


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise BadManifest("a key stands in it twice")
    return made


def _require_digests(name: str, value: object) -> None:
    if not isinstance(value, dict):
        raise BadManifest(f"`{name}` must be an object")
    if not all(isinstance(one, str) and SHA256.fullmatch(one) for one in value.values()):
        raise BadManifest(f"`{name}` holds something else than digests")


def _listed(entry: object) -> Listed:
    if not isinstance(entry, dict) or entry.keys() != ENTRY:
        raise BadManifest(f"a file has other keys than {', '.join(sorted(ENTRY))}")
    if not all(isinstance(value, str) for value in entry.values()):
        raise BadManifest("a value of a file is no text")
    path, destination = PurePosixPath(entry["path"]), PurePosixPath(entry["destination"])
    if not _is_plain(entry["path"]) or path.is_absolute() or path == PATH:
        raise BadManifest(f"`{entry['path']}` is no path of a file beside it")
    if not _is_plain(entry["destination"]) or not (
        destination.is_absolute() or destination == path
    ):
        raise BadManifest(f"`{entry['destination']}` is no place for a file")
    if not SHA256.fullmatch(entry["sha256"]) or not MODE.fullmatch(entry["mode"]):
        raise BadManifest(f"the digest or mode of `{path}` is none")
    return Listed(path, entry["sha256"], int(entry["mode"], 8), entry["target"], destination)


def _is_plain(text: str) -> bool:
    """Whether a path names one place in one way, and can be shown."""
    path = PurePosixPath(text)
    return text == str(path) != "." and ".." not in path.parts and text.isprintable()


def verify(manifest: Manifest, present: Mapping[str, Found]) -> Iterator[Diagnostic]:
    """An error for each file that differs, by path; `present` is all but the manifest."""
    listed = {str(one.path): one for one in manifest.files}
    for path in sorted({*listed, *present}):
        if path not in present:
            yield _problem(path, "is missing")
        elif path not in listed:
            yield _problem(path, "is not in the manifest")
        elif present[path].sha256 != listed[path].sha256:
            yield _problem(path, "was changed: it has another digest")
        elif present[path].mode != listed[path].mode:
            modes = f"{present[path].mode:04o}, not {listed[path].mode:04o}"
            yield _problem(path, f"was changed: its mode is {modes}")


def _problem(path: str, what: str) -> Diagnostic:
    return error("PG811", f"{path} {what}", Location(path), "fetch it again, or make it anew")
