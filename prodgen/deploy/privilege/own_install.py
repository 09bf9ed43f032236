"""prodgen's own files: as root it changes nothing while others could change what it runs."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

import prodgen
from prodgen import __version__
from prodgen.deploy.privilege.admission import NotAdmitted
from prodgen.diagnostics import Diagnostic, error
from prodgen.host.trust import Danger, danger_at, danger_below, danger_on_way
from prodgen.targets.core.templating import templates_folder

FOLDER = "/opt/prodgen"
"""Where the install that the message shows goes (FHS 3.0, /opt)."""
LINK = "/usr/local/bin/prodgen"
"""On the PATH that sudo gives a command (sudoers(5), secure_path)."""


def require_own_install() -> None:
    """Raises NotAdmitted if we are root and others than root could change what we run."""
    if os.geteuid() == 0 and (danger := own_danger()):
        raise NotAdmitted([not_roots_own(danger)])


def not_roots_own(danger: Danger) -> Diagnostic:
    """The error where others could change prodgen itself."""
    return error(
        "PG823",
        f"this prodgen is not root's own: {danger}",
        None,
        "as root make an install of its own, and use that: "
        + ", ".join(f"`{command}`" for command in install_commands()),
    )


def own_danger() -> Danger | None:
    """What others than root can change of the interpreter, the package, or what it imports."""
    for path in _ways():
        danger = danger_on_way(path)
        if danger:
            return danger
    for folder in (Path(prodgen.__file__).parent, templates_folder()):
        danger = danger_below(folder)
        if danger:
            return danger
    for path in _beside():
        with contextlib.suppress(FileNotFoundError):  # such as bytecode that another run replaces
            if danger := danger_at(path, path.lstat()):
                return danger
    return None


def _ways() -> Iterator[Path]:
    """The paths that Python loads prodgen by, each with the folders above it."""
    yield Path(sys.executable)
    yield from (Path(one or os.curdir).absolute() for one in sys.path)
    yield Path(prodgen.__file__)
    yield templates_folder()
    yield from {Path(file).parent for file in _loaded_files()}


def _beside() -> Iterator[Path]:
    """What lies beside every package, where a file could bring in other code; loaded modules."""
    for folder in map(Path, sys.path):
        if folder.is_dir():
            yield from folder.iterdir()
    yield from (Path(file) for file in _loaded_files())


def _loaded_files() -> set[str]:
    """The files of the modules that are loaded now."""
    found = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return {file for file in found if file and os.path.isabs(file)}  # noqa: PTH117


def install_commands() -> list[str]:
    """Commands for root's own install, for a shell of root's on Debian and Ubuntu."""
    return [
        "apt-get install -y python3-venv",
        f"python3 -m venv {FOLDER}",
        f"{FOLDER}/bin/pip install {shlex.quote(_source())}",
        f"ln -sf {FOLDER}/bin/prodgen {LINK}",
    ]


def _source() -> str:
    """What pip installs: what this prodgen was installed from if it is root's own, else PyPI's."""
    wanted, parts = "prodgen[restart]", urlsplit(_direct_url())
    path = Path(unquote(parts.path))
    if parts.scheme == "file" and path.exists() and not danger_on_way(path):
        return f"{wanted} @ file://{parts.path}"
    return f"{wanted}=={__version__}"


def _direct_url() -> str:
    """Where pip took this prodgen from, if not from an index (PEP 610); else empty."""
    try:
        noted = metadata.distribution("prodgen").read_text("direct_url.json")
        return str(json.loads(noted or "{}").get("url", ""))
    except (metadata.PackageNotFoundError, ValueError):
        return ""
