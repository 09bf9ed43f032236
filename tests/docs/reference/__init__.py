"""docs/reference/, made of the code: `make golden` writes it, test_reference.py compares."""

from __future__ import annotations

from tests.docs.reference.codes import diagnostics
from tests.docs.reference.commands import commands, exit_codes
from tests.docs.reference.places import files
from tests.docs.reference.procfile import procfile
from tests.docs.reference.schemas import schemas
from tests.docs.reference.settings import settings, site_config
from tests.support.plans import ROOT

FOLDER = ROOT / "docs/reference"
PAGES = {
    "commands.md": commands,
    "diagnostics.md": diagnostics,
    "exit-codes.md": exit_codes,
    "files.md": files,
    "procfile.md": procfile,
    "schemas.md": schemas,
    "settings.md": settings,
    "site-config.md": site_config,
}


def pages() -> dict[str, str]:
    """The text of every page, by the name of its file."""
    return {name: "\n".join(make()) + "\n" for name, make in PAGES.items()}
