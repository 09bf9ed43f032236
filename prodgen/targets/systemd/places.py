"""Where root installs the bench's units."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from prodgen.targets.core.places import Places
from prodgen.targets.systemd.escape import escaped_name, slice_name
from prodgen.targets.systemd.units import SYSTEM_FOLDER

KINDS = ("*.service", "*.target", "*.socket", "*.timer", "*.slice", "*.d/*.conf")
UNIT = r"(?:@?\.service|\.socket|\.target|\.slice)(?:\.d/[\w-]+\.conf)?"


def _is_own(bench: str, path: PurePosixPath) -> bool:
    if SYSTEM_FOLDER not in path.parents:
        return False
    unit = re.escape(escaped_name(bench)) + r"(?:-[^/]+?)?"
    names = rf"(?:{unit}{UNIT}|{re.escape(slice_name(bench))})"
    return re.fullmatch(names, str(path.relative_to(SYSTEM_FOLDER))) is not None


PLACES = Places(
    (SYSTEM_FOLDER,),
    _is_own,
    searched=tuple((SYSTEM_FOLDER, kind) for kind in KINDS),
    vendor=("/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/system"),
)
