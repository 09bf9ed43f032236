"""The files that a schema describes, with the code of each thing that can be wrong with one."""

from __future__ import annotations

from typing import NamedTuple


class FileKind(NamedTuple):
    """One kind of input file. `schema` is the name of its JSON Schema."""

    schema: str
    not_readable: str
    """It is not JSON (or not YAML)."""
    repeated_key: str
    wrong_value: str
    unknown_key: str


COMMON = FileKind("common_site_config", "PG202", "PG203", "PG204", "PG205")
SITE = FileKind("site_config", "PG302", "PG303", "PG304", "PG305")
APPS = FileKind("apps", "PG206", "PG206", "PG206", "PG206")
"""What bench notes of its apps; it has no schema, as little of it is read."""
SETTINGS = FileKind("prodgen", "PG402", "PG403", "PG404", "PG405")

KINDS = {kind.schema: kind for kind in (COMMON, SITE, SETTINGS)}
