"""Sphinx's settings for these pages: `make docs` builds them (www.sphinx-doc.org)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from prodgen import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "prodgen"
author = "The prodgen authors"
copyright = author  # noqa: A001 - Sphinx's name for it
release = version = __version__

extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = ["_static"]
myst_heading_anchors = 4  # the same anchors as on GitHub
nitpicky = True
smartquotes = False  # a value in quotes is to be copied
linkcheck_ignore = [r"https?://([\w-]+\.)*example\.com", r"http://(127\.0\.0\.1|localhost)"]

html_theme = "furo"
html_title = f"prodgen {version}"
html_static_path = ["_static"]
html_css_files = ["prodgen.css"]
html_copy_source = False
html_use_index = False
html_show_copyright = False
copybutton_prompt_text = "$ "  # the commands of a session, without what they print
copybutton_line_continuation_character = "\\"

LINK = re.compile(r"\]\(([\w/-]+)\.md\)")
FOLDERS = {"How-to guides": "how-to", "Reference": "reference", "Explanation": "explanation"}


def add_contents(app: Sphinx, name: str, source: list[str]) -> None:
    """Makes the contents of the headings and links in index.md, which GitHub shows as they are.

    A page that lies in a section's folder and is not linked yet comes last.
    """
    if name != "index":
        return
    for section in re.split(r"^## ", source[0], flags=re.MULTILINE)[1:]:
        heading = section.splitlines()[0]
        pages = LINK.findall(section)
        if heading in FOLDERS:
            found = sorted(Path(app.srcdir, FOLDERS[heading]).glob("*.md"))
            there = [f"{FOLDERS[heading]}/{path.stem}" for path in found]
            pages += [page for page in there if page not in pages]
        lines = ["```{toctree}", ":hidden:", f":caption: {heading}", "", *pages, "```"]
        source[0] += "\n".join(["", *lines, ""])


def setup(app: Sphinx) -> None:
    """What Sphinx calls at its start."""
    app.connect("source-read", add_contents)
