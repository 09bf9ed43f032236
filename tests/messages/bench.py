"""A tiny bench at which prodgen has nothing to remark, and the changes that draw a message."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prodgen.host.facts import HostFacts
from tests.support.plans import FACTS


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


FOLDER = object()
"""In the place of a file's content."""
ABSENT = object()
COMMON = "sites/common_site_config.json"
SITE = "sites/erp.example.com/site_config.json"
SETTINGS = "prodgen.yaml"
FRAPPE = "apps/frappe/frappe/__init__.py"
PLAIN: Mapping[str | bytes, object] = {
    "Procfile": "web: bench serve --port 8000\n",
    COMMON: '{\n "frappe_user": "frappe"\n}\n',
    SITE: "{}\n",
    FRAPPE: '__version__ = "15.72.4"\n',
}


OTHER_LINES = {"schedule": "schedule: bench schedule\n", "worker": "worker: bench worker\n"}


def _whole(procfile: object) -> object:
    """A Procfile with a web process of Frappe's, and the scheduler and workers that it lacks."""
    if not isinstance(procfile, str) or "web: bench" not in procfile or "#" in procfile:
        return procfile
    missing = (line for word, line in OTHER_LINES.items() if f"bench {word}" not in procfile)
    return procfile + "".join(missing)


@dataclass(frozen=True)
class Case:
    """What is different from the plain bench, and the command that complains."""

    files: Mapping[str | bytes, object] = field(default_factory=dict)
    """Texts, bytes, links and folders by path."""
    words: tuple[str, ...] = ("validate",)
    facts: HostFacts = FACTS
    forbidden: str = ""
    """A file that the system does not let prodgen read; root, who may run this, reads any."""

    def write(self, root: Path) -> None:
        """The bench on disk."""
        for name, given in {**PLAIN, **self.files}.items():
            content = _whole(given) if name == "Procfile" else given
            path = root / os.fsdecode(name)
            if content is ABSENT:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is FOLDER:
                path.mkdir()
            elif isinstance(content, Link):
                path.symlink_to(content.target)
            elif isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(str(content), "utf-8")


def procfile(*lines: str) -> Case:
    """The plain bench with these lines below the web process."""
    return Case(
        {"Procfile": "web: bench serve --port 8000\n" + "".join(f"{one}\n" for one in lines)}
    )


def common(*lines: str) -> Case:
    """The plain bench with these lines in common_site_config.json."""
    return Case({COMMON: "\n".join(lines) + "\n"})


def site(*lines: str) -> Case:
    """The plain bench with these lines in the site's own file."""
    return Case({SITE: "\n".join(lines) + "\n"})


def settings(*lines: str) -> Case:
    """The plain bench with these lines in prodgen.yaml."""
    return Case({SETTINGS: "\n".join(["version: 1", *lines]) + "\n"})


def dotenv(*lines: str) -> Case:
    """The plain bench with these lines in .env."""
    return Case({".env": "\n".join(lines) + "\n"})
