"""Where root installs the bench's servers for nginx."""

from __future__ import annotations

from pathlib import PurePosixPath

from prodgen.targets.core.places import ADOPTED, Places
from prodgen.targets.nginx.render import INCLUDED

NGINX = INCLUDED.parent


def _is_own(bench: str, path: PurePosixPath) -> bool:
    if path.parent == INCLUDED:
        return path.name == f"{bench}.conf"
    return path.parent.parent == NGINX / bench and path.name == ADOPTED


PLACES = Places(
    (NGINX,),
    _is_own,
    searched=((INCLUDED, "*.conf"), (NGINX / "sites-enabled", "*")),
)
