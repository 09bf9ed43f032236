"""Asks this machine for the facts that nobody declared."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeVar

from prodgen.host.facts import DEBIAN_PROGRAMS, RED_HAT_PROGRAMS, HostFacts, detected
from prodgen.host.run_as import Identity, acting_as
from prodgen.host.system_path import find_program
from prodgen.provenance import Sourced

T = TypeVar("T")

NGINX_VERSION = r"nginx/([0-9.]+)"
NGINX_MODULE = r"--with-(\w+_module)\b"
OPENSSL_VERSION = r"built with OpenSSL ([0-9.]+)"
SYSTEMD_VERSION = r"systemd ([0-9]+)"
IPV6_ADDRESSES = Path("/proc/net/if_inet6")
CGROUP = "/sys/fs/cgroup"
"""In a container the limits of the container itself (cgroup v2)."""
REDIS_PROGRAMS = ("redis-server", "valkey-server", "keydb-server", "redis6-server")
"""Servers that read a redis.conf; the first that is installed runs those of the bench."""
NODE_PLACES = (".volta/bin/node", ".local/share/fnm/aliases/default/bin/node", ".bun/bin/node")


class NginxFacts(NamedTuple):
    """What one question to nginx tells."""

    version: Sourced[str] | None
    modules: Sourced[tuple[str, ...]] | None
    openssl: Sourced[str] | None


def detect(
    root: Path,
    user: str | None,
    packages: Mapping[str, str],
    programs: Collection[str],
    rights: Identity | None = None,
) -> HostFacts:
    """The facts of this machine for the bench at `root`, whose files root looks at with `rights`.

    `user` is the one who runs the bench, where a file says so. Only the versions of `programs`
    ("nginx", "systemd") are asked for, as each costs a process.
    """
    owner = _owner(root)
    nginx = _nginx(programs)
    home = _home(user or (owner.value if owner else None))
    return HostFacts(
        path=_fact(PurePosixPath(root), "where the bench is"),
        owner=owner,
        home=home,
        cpus=_cpus(),
        memory=_memory(),
        node=_node(home.value if home else None, rights),
        redis_server=next(filter(None, map(_program, REDIS_PROGRAMS)), None),
        gunicorn=_package("gunicorn", packages),
        python=_package("python", packages),
        nginx=nginx.version,
        nginx_modules=nginx.modules,
        openssl=nginx.openssl,
        ipv6=find_ipv6(),
        systemd=_systemd(programs),
        supervisor_folder=find_supervisor_folder(),
    )


def _fact(value: T, how: str) -> Sourced[T]:
    return Sourced(value, detected(value, how))


def _owner(root: Path) -> Sourced[str] | None:
    try:
        return _fact(pwd.getpwuid(root.stat().st_uid).pw_name, "owner of the bench folder")
    except (OSError, KeyError):
        return None


def _home(user: str | None) -> Sourced[PurePosixPath] | None:
    try:
        return _fact(PurePosixPath(pwd.getpwnam(user).pw_dir), f"home of {user}") if user else None
    except (KeyError, ValueError):
        return None


def _cpus() -> Sourced[int]:
    """The CPUs this process may use, or fewer where a cgroup v2 quota says so."""
    usable = len(os.sched_getaffinity(0))
    try:
        quota, period = Path(CGROUP, "cpu.max").read_text("ascii").split()
        limit = max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return _fact(usable, "CPUs of this machine")
    if limit < usable:
        return _fact(limit, "cgroup CPU quota")
    return _fact(usable, "CPUs of this machine")


def _memory() -> Sourced[int]:
    """Bytes of memory, or fewer where a cgroup v2 limit says so."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = int(Path(CGROUP, "memory.max").read_text("ascii"))
    except (OSError, ValueError):
        limit = installed
    if limit < installed:
        return _bytes(limit, "cgroup memory limit")
    return _bytes(installed, "memory of this machine")


def _bytes(value: int, how: str) -> Sourced[int]:
    return Sourced(value, detected(f"{value / 1024**3:.1f} GB", how))


def _program(name: str, more: str = "") -> Sourced[PurePosixPath] | None:
    """The program as a service finds it, which has not the user's own PATH."""
    found = find_program(name)
    return _fact(PurePosixPath(found), f"found on the system's PATH{more}") if found else None


def find_ipv6(table: Path = IPV6_ADDRESSES) -> Sourced[bool]:
    """Whether the kernel has IPv6; without it nginx cannot open `[::]:80` and does not start."""
    return _fact(table.exists(), "whether this machine's kernel has IPv6")


def find_supervisor_folder(etc: Path = Path("/etc")) -> Sourced[PurePosixPath] | None:
    """Red Hat's folder of Supervisor's programs, where this machine has it and not Debian's."""
    folder = etc / RED_HAT_PROGRAMS.name
    if not folder.is_dir() or (etc / DEBIAN_PROGRAMS.parent.name).is_dir():
        return None
    return _fact(PurePosixPath(folder), "Supervisor's folder of this machine")


def _node(home: PurePosixPath | None, rights: Identity | None) -> Sourced[PurePosixPath] | None:
    with acting_as(rights):
        return find_node(home)


def find_node(home: PurePosixPath | None) -> Sourced[PurePosixPath] | None:
    """The node that the bench's user gets: a version manager's first, then the system's.

    A service has no login shell, so no version manager would put its node on the PATH.
    """
    hidden = ""
    if home:
        for place in NODE_PLACES:
            candidate = Path(home, place)
            if _is_program(candidate):
                return _fact(PurePosixPath(candidate), "of the bench's user")
        try:
            newest = _newest_of_nvm(Path(home, ".nvm/versions/node"))
        except OSError as failure:  # somebody else's home, and not ours to look into
            hidden = f"; {home}/.nvm: {(failure.strerror or 'not readable').lower()}"
        else:
            if newest:
                return _fact(PurePosixPath(newest), "newest of the bench user's nvm")
    return _program("node", hidden) or _program("nodejs", hidden)


def _newest_of_nvm(folder: Path) -> Path | None:
    """The newest node below nvm's folder; None without one. Raises OSError if it is hidden."""
    try:
        versions = list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return None
    installed = (version / "bin/node" for version in versions if version.name.startswith("v"))
    return max((node for node in installed if _is_program(node)), key=_node_version, default=None)


def _is_program(path: Path) -> bool:
    return os.access(path, os.X_OK, effective_ids=True)


def _node_version(node: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", node.parts[-3]))


def _package(name: str, packages: Mapping[str, str]) -> Sourced[str] | None:
    found = packages.get(name)
    return _fact(found, f"{name} in the bench's env") if found else None


def _nginx(wanted: Collection[str]) -> NginxFacts:
    """Version, modules and OpenSSL of nginx (`nginx -V` prints all three)."""
    if "nginx" not in wanted:
        return NginxFacts(None, None, None)
    said = _ask("nginx", "-V")
    version, openssl = re.search(NGINX_VERSION, said), re.search(OPENSSL_VERSION, said)
    modules = tuple(sorted(set(re.findall(NGINX_MODULE, said))))
    return NginxFacts(
        _fact(version[1], "nginx of this machine") if version else None,
        _fact(modules, "modules of this machine's nginx") if version else None,
        _fact(openssl[1], "OpenSSL of this machine's nginx") if openssl else None,
    )


def _systemd(wanted: Collection[str]) -> Sourced[str] | None:
    if "systemd" not in wanted:
        return None
    said = _ask("systemctl", "--version")
    version = re.search(SYSTEMD_VERSION, said)
    return _fact(version[1], "systemd of this machine") if version else None


def _ask(program: str, option: str) -> str:
    """What the program prints; empty where it is absent or fails."""
    from prodgen.host.programs import run

    done = run([program, option], timeout=10)
    return done.out + done.err if done.code == 0 else ""
