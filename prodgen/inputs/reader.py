"""The one place where bench files are read from disk; everything else here works on text.

Only regular files are opened: a named pipe in the place of a Procfile must not hang anybody.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from prodgen.diagnostics import Diagnostic, Location, Severity, error, warning
from prodgen.inputs.bench_files import BenchFiles, SiteFolder
from prodgen.inputs.core.source import Source

__all__ = ["BenchFiles", "SiteFolder", "find_bench", "read_bench"]

LARGEST_FILE = 32 * 1024 * 1024
"""Bytes; a config file beyond that is a mistake."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
OTHER_FILES = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
LARGEST = {"Procfile": 1024**2}
"""Bytes of a file that has a limit of its own; a public Procfile has 3 KB at most."""
LARGEST_SETTINGS = 256 * 1024
"""Bytes of prodgen.yaml: YAML is slow to read, and nobody writes more by hand."""
READING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
DIST_INFO = r"([A-Za-z0-9_.]+)-([0-9][^-]*)\.dist-info"
Rights = Callable[[], AbstractContextManager[None]]
"""Lends this process somebody's rights for a while."""
REDIS_CONFS = ("redis_cache", "redis_queue", "redis_socketio")


def find_bench(start: Path) -> Path | None:
    """The bench that `start` is in: the nearest folder upward that looks like one."""
    for looks in (_is_bench, _has_sites, _has_procfile):
        for folder in (start, *start.parents):
            if looks(folder):
                return folder
    return None


def _is_bench(folder: Path) -> bool:
    return _has_procfile(folder) and os.path.isdir(folder / "sites")  # noqa: PTH112, see _is_file


def _has_sites(folder: Path) -> bool:
    names = ("common_site_config.json", "apps.txt")
    return any(_is_file(folder / "sites" / name) for name in names)


def _has_procfile(folder: Path) -> bool:
    return _is_file(folder / "Procfile")


def _is_file(path: Path) -> bool:
    """Whether it is a file, as far as we may see: `Path.is_file` raises where we may not."""
    return os.path.isfile(path)  # noqa: PTH113


def read_bench(
    root: Path,
    settings: Path | None = None,
    rights: Rights = nullcontext,
    settings_rights: Rights = nullcontext,
) -> tuple[BenchFiles, list[Diagnostic]]:
    """Every file of the bench at `root`, and what could not be read.

    `settings` is the path of `prodgen.yaml` where it is not the bench's own, and is read under
    `settings_rights`; all that is the bench's own is read under `rights`.
    """
    reader = _Reader(root)
    with settings_rights():
        given = reader.read_settings(settings) if settings else None
    with rights():
        files = _read_bench(reader, given, has_own_settings=settings is None)
    return files, reader.diagnostics


def _read_bench(reader: _Reader, given: Source | None, *, has_own_settings: bool) -> BenchFiles:
    root = reader.root
    frappe = reader.read("apps/frappe/frappe/__init__.py", needed=False)
    return BenchFiles(
        root=root,
        procfile=reader.read("Procfile"),
        common=reader.read("sites/common_site_config.json"),
        settings=reader.read_settings(None) if has_own_settings else given,
        dotenv=reader.read(".env", needed=False, secret=True),
        sites=tuple(reader.read_sites()),
        redis_confs=reader.read_redis_confs(),
        frappe_init=frappe,
        apps=None if frappe else reader.read_apps(),
        packages=_installed_packages(root),
        has_python_realtime=_is_file(root / "apps/frappe/frappe/realtime/server.py"),
        unread=frozenset(one.location.file for one in reader.diagnostics if one.location),
    )


class _Reader:
    """Reads below one folder and keeps what went wrong."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.diagnostics: list[Diagnostic] = []

    def read(self, name: str, *, needed: bool = True, secret: bool = False) -> Source | None:
        """The file's text, or None if absent; a failure is an error, or a warning if not needed."""
        path, largest = f"{self.root}/{name}", LARGEST.get(name, LARGEST_FILE)
        found, fault = read_source(path, name, secret=secret, largest=largest)
        self._keep(fault, needed=needed)
        return found

    def read_settings(self, given: Path | None) -> Source | None:
        path, name = (given, str(given)) if given else (self.root / "prodgen.yaml", "prodgen.yaml")
        found, fault = read_source(path, name, largest=LARGEST_SETTINGS)
        if given and found is None and fault is None:
            way_out = "correct the path, or leave --config out"
            fault = error("PG401", "there is no such file", Location(name), way_out)
        self._keep(fault)
        return found

    def read_apps(self) -> Source | None:
        name = "sites/apps.json"
        return self.read(name, needed=False) if _is_file(self.root / name) else None

    def read_redis_confs(self) -> dict[str, Source]:
        found = {name: self.read(f"config/{name}.conf", needed=False) for name in REDIS_CONFS}
        return {name: source for name, source in found.items() if source is not None}

    def read_sites(self) -> Iterator[SiteFolder]:
        """The site folders by name. Frappe takes no symlink for a site, so neither does this."""
        for entry in self._entries_of_sites():
            config = f"sites/{entry.name}/site_config.json"
            status = self._status_of_config(entry, config)
            if status is None:
                continue
            if not _is_utf8(entry.name):
                self.diagnostics.append(_strange_name(entry.name))
            elif entry.is_symlink():
                self.diagnostics.append(_linked_site(entry))
            else:
                found, fault = read_source(f"{entry.path}/site_config.json", config, status=status)
                self._keep(fault, needed=False)
                yield SiteFolder(entry.name, found)

    def _entries_of_sites(self) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / "sites") as entries:
                found = [entry for entry in entries if entry.name != "assets"]
            return sorted((entry for entry in found if _is_folder(entry)), key=lambda e: e.name)
        except FileNotFoundError:
            return []
        except OSError as failure:
            self._keep(_unreadable("sites", failure))
            return []

    def _status_of_config(self, entry: os.DirEntry[str], name: str) -> os.stat_result | None:
        """What makes the folder a site; one that we may not look into gives a warning."""
        try:
            return os.lstat(f"{entry.path}/site_config.json")
        except FileNotFoundError:
            return None
        except OSError as failure:
            self._keep(_unreadable(_shown(name), failure), needed=False)
            return None

    def _keep(self, fault: Diagnostic | None, *, needed: bool = True) -> None:
        if fault:
            self.diagnostics.append(fault if needed else fault._replace(severity=Severity.WARNING))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(name: str) -> str:
    """The name with `?` for each byte that is not UTF-8."""
    return name.encode("utf-8", "replace").decode()


def _strange_name(name: str) -> Diagnostic:
    return warning(
        "PG006",
        "the name of this folder is not UTF-8; the site is left out",
        Location(f"sites/{_shown(name)}"),
        "rename the folder to letters, digits, dots, `-` and `_`",
    )


def _linked_site(entry: os.DirEntry[str]) -> Diagnostic:
    target = Path(entry.path).resolve()
    beside = target.parent == Path(entry.path).parent.resolve()
    way_out = (
        f"add {_shown(entry.name)} to `domains` in sites/{_shown(target.name)}/site_config.json"
        if beside
        else "mount the folder here (`mount --bind`), or move it"
    )
    return warning(
        "PG007",
        "this site is a symbolic link, which Frappe's scheduler skips; it is left out",
        Location(f"sites/{_shown(entry.name)}"),
        way_out,
    )


def _installed_packages(root: Path) -> dict[str, str]:
    """Name and version of Python and each distribution in the bench's `env`, by folder names."""
    found = {}
    for folder in sorted(root.glob("env/lib/python3*/site-packages")):
        try:
            names = sorted(entry.name for entry in folder.iterdir())
        except OSError:
            continue
        found["python"] = folder.parent.name.removeprefix("python")
        for name in names:
            match = re.fullmatch(DIST_INFO, name)
            if match:
                found[match[1].lower()] = match[2]
    return found


def read_source(
    path: str | Path,
    name: str,
    *,
    largest: int = LARGEST_FILE,
    secret: bool = False,
    status: os.stat_result | None = None,
) -> tuple[Source | None, Diagnostic | None]:
    """The file's text, or what is wrong with it; neither where there is no such file.

    `status` is what lstat has said of the path, if it was asked.
    """
    try:
        content = read_regular(path, largest + 1, status)
    except FileNotFoundError:
        return None, _absent(path, name)
    except NoRegularFile as other:
        return None, error(
            "PG004",
            f"this is {other}, not a file",
            Location(name),
            "put a file in its place, or remove it",
        )
    except (OSError, ValueError) as failure:
        return None, _unreadable(name, failure)
    if len(content) > largest:
        return None, error(
            "PG002",
            f"this file is larger than {_size(largest)}",
            Location(name),
            "a config file has a few KB; look at what got into this one",
        )
    bom = content.startswith(BYTE_ORDER_MARK)
    content = content.removeprefix(BYTE_ORDER_MARK)
    try:
        return Source(name, content.decode("utf-8"), bom=bom, secret=secret), None
    except UnicodeDecodeError as failure:
        return None, _not_utf8(name, content, failure.start)


def _unreadable(name: str, failure: OSError | ValueError) -> Diagnostic:
    """The error for a file or folder that the system does not let us read."""
    if isinstance(failure, OSError) and failure.errno == errno.ELOOP:
        message = "a symbolic link that leads back to itself"
        return error("PG005", message, Location(name), "correct the link, or remove it")
    reason = failure.strerror if isinstance(failure, OSError) else None
    return error(
        "PG001",
        f"this cannot be read: {(reason or str(failure)).lower()}",
        Location(name),
        "check its owner and mode, or run as the bench's user",
    )


class NoRegularFile(OSError):
    """Something else is in the place of a file: a folder, a named pipe, a socket, a device."""


def read_regular(path: str | Path, most: int, status: os.stat_result | None = None) -> bytes:
    """At most `most` bytes of a regular file. Nothing else is opened: a pipe would block.

    Raises OSError, of which NoRegularFile is one. `status` is what lstat has said of the path.
    """
    descriptor, status = open_regular(path, status)
    try:
        content = os.read(descriptor, min(most, status.st_size))
        if content and len(content) == status.st_size:
            return content
        # the kernel's files say that they have 0 bytes
        with os.fdopen(descriptor, "rb", closefd=False) as rest:
            return content + rest.read(most - len(content))
    finally:
        os.close(descriptor)


def read_whole(path: str | Path, most: int = LARGEST_FILE) -> bytes:
    """The content of a regular file of at most `most` bytes.

    Raises OSError, which names the path: NoRegularFile, or EFBIG for a larger one.
    """
    status = os.stat(path)  # noqa: PTH116 - as in open_regular
    try:
        content = read_regular(path, most + 1, status) if status.st_size <= most else b""
    except NoRegularFile as other:
        raise NoRegularFile(errno.EINVAL, f"it is {other}, not a file", str(path)) from None
    if max(status.st_size, len(content)) > most:
        raise OSError(errno.EFBIG, f"it is larger than {_size(most)}", str(path))
    return content


def open_regular(
    path: str | Path, status: os.stat_result | None = None
) -> tuple[int, os.stat_result]:
    """The descriptor of a regular file, open to read, and its status. Raises as `read_regular`."""
    if status is None or stat.S_ISLNK(status.st_mode):
        status = os.stat(path)  # noqa: PTH116 - a Path for each of thousands of sites takes longer
    _require_regular(status.st_mode)
    descriptor = os.open(path, READING)
    try:
        status = os.fstat(descriptor)
        _require_regular(status.st_mode)
        if os.geteuid() != os.getuid():
            _require_reachable(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor, status


def _require_reachable(descriptor: int) -> None:
    """Raises PermissionError if the file lies where the user whose rights we have cannot get to.

    A link to /proc/self/cwd, or to a descriptor there, leads root past the folders above its
    current one that only root may enter (proc(5)): what lies in it is often everyone's to read.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # replaced meanwhile
        os.stat(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115, PTH116 - see above


def _require_regular(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    for is_kind, words in OTHER_FILES:
        if is_kind(mode):
            raise NoRegularFile(words)


def _absent(path: str | Path, name: str) -> Diagnostic | None:
    """Nothing to say about an absent file, unless a link promises one."""
    try:
        target = Path(path).readlink()
    except (OSError, ValueError):
        return None
    shown = str(target).encode("utf-8", "replace").decode()
    return error(
        "PG005",
        f"a symbolic link to nothing: there is no {shown}",
        Location(name),
        "correct the link, or remove it",
    )


def _not_utf8(name: str, content: bytes, start: int) -> Diagnostic:
    """The error at the offset `start`; its column counts characters, as everywhere."""
    before = Source(name, content[:start].decode("utf-8"))
    place = before.locate(len(before.text))
    return error(
        "PG003",
        f"the byte 0x{content[start]:02x} is not UTF-8",
        Location(name, place.line, place.column),
        "save the file as UTF-8",
    )


def _size(count: int) -> str:
    return f"{count // 1024**2} MB" if count >= 1024**2 else f"{count // 1024} KB"
