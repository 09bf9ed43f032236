"""What the reader hands on: the text of a bench's files, before anything is understood."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from prodgen.inputs.core.source import Source


class SiteFolder(NamedTuple):
    """A folder below `sites/` with a `site_config.json`; `config` is None if that is unreadable."""

    name: str
    config: Source | None


class BenchFiles(NamedTuple):
    """The text of every file that decides how a bench runs; None where a file is absent."""

    root: Path
    procfile: Source | None = None
    common: Source | None = None
    settings: Source | None = None
    dotenv: Source | None = None
    sites: tuple[SiteFolder, ...] = ()
    redis_confs: Mapping[str, Source] = {}
    frappe_init: Source | None = None
    apps: Source | None = None
    """What bench notes of its apps; read where apps/frappe is not here."""
    packages: Mapping[str, str] = {}
    """Versions of what is installed in the bench's `env`, by name."""
    has_python_realtime: bool = False
    unread: frozenset[str] = frozenset()
    """Files that are there and could not be read; the reader has said why."""

    def sources(self) -> list[Source]:
        """Every file that was read, but for the one that holds secrets."""
        given = [
            self.procfile,
            self.common,
            self.settings,
            self.frappe_init,
            self.apps,
            *(site.config for site in self.sites),
            *self.redis_confs.values(),
        ]
        return [source for source in given if source is not None]
