"""What the reader hands on: the text of a bench's files, before anything is understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prodgen.inputs.source import Source


@dataclass(frozen=True)
class SiteFolder:
    """A folder below `sites/` with a `site_config.json`; `config` is None if that is unreadable."""

    name: str
    config: Source | None


@dataclass(frozen=True)
class BenchFiles:
    """The text of every file that decides how a bench runs; None where a file is absent."""

    root: Path
    procfile: Source | None = None
    common: Source | None = None
    settings: Source | None = None
    dotenv: Source | None = None
    sites: tuple[SiteFolder, ...] = ()
    redis_confs: Mapping[str, Source] = field(default_factory=dict)
    frappe_init: Source | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    """Versions of what is installed in the bench's `env`, by name."""
    has_python_realtime: bool = False

    def sources(self) -> list[Source]:
        """Every file that was read, but for the one that holds secrets."""
        given = [
            self.procfile,
            self.common,
            self.settings,
            self.frappe_init,
            *(site.config for site in self.sites),
            *self.redis_confs.values(),
        ]
        return [source for source in given if source is not None]
