"""The pages of docs/ as a site: it builds without a warning, and every page can be found."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.plans import ROOT
from tests.support.rig.tools import missing

DOCS = ROOT / "docs"
INDEX = DOCS / "index.md"
SECTIONS = {"how-to": "How-to guides", "reference": "Reference", "explanation": "Explanation"}
PAGES = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
OUTSIDE = ["README.md", "CHANGELOG.md"]
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
TITLE = re.compile(r"^# (.+)", re.MULTILINE)
ARTICLE = re.compile(r"<article.*?</article>", re.DOTALL)
WANTED = [
    "tutorial.md",
    "how-to/tls.md",
    "how-to/load-balancer.md",
    "how-to/zero-downtime-deploy.md",
    "how-to/custom-queues.md",
    "how-to/several-benches.md",
    "how-to/from-bench-setup-production.md",
    "how-to/systemd-user-units.md",
    "ci.md",
    "explanation/two-web-masters.md",
    "explanation/stopping.md",
    "explanation/timeouts.md",
]
"""What people come for; a new name of a page is a broken bookmark."""


class Site(NamedTuple):
    """The folder of the built site, and what Sphinx has against it."""

    folder: Path
    said: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    if not find_spec("sphinx"):
        missing("Sphinx is not installed (dependency group docs)")
    folder = tmp_path_factory.mktemp("site")
    return Site(folder, build(DOCS, folder))


def build(source: Path, folder: Path) -> str:
    """What Sphinx has against the pages; it looks at all of them."""
    strict = ["-n", "-W", "--keep-going", "-q", "--no-color"]
    command = [sys.executable, "-B", "-m", "sphinx", *strict, "-d", f"{folder}.cache"]
    done = subprocess.run([*command, source, folder], cwd=ROOT, capture_output=True, text=True)
    return done.stderr + (done.stdout if done.returncode else "")


def links(page: Path) -> list[tuple[str, str]]:
    """Where a page's links within the project lead: a path from its own folder, and an anchor."""
    found = LINK.findall(page.read_text("utf-8"))
    return [(path, anchor) for path, anchor in found if ":" not in path]


def test_it_builds_without_a_warning(site: Site) -> None:
    """Links and anchors within the pages count, and pages that no contents name."""
    assert site.said == ""


def test_no_page_is_empty(site: Site) -> None:
    for name in PAGES:
        html = (site.folder / name).with_suffix(".html").read_text("utf-8")
        [article] = ARTICLE.findall(html)
        assert len(re.sub(r"<[^>]*>", " ", article).split()) > 40, name


@pytest.mark.parametrize("name", OUTSIDE)
def test_links_from_outside_lead_somewhere(name: str, site: Site) -> None:
    for path, anchor in links(ROOT / name):
        assert (ROOT / path).exists(), path
        if anchor:
            html = site.folder / Path(path).relative_to("docs").with_suffix(".html")
            assert f'id="{anchor}"' in html.read_text("utf-8"), f"{path}#{anchor}"


@pytest.mark.usefixtures("site")
def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    source = tmp_path / "docs"
    source.mkdir()
    (source / "conf.py").write_text((DOCS / "conf.py").read_text("utf-8"), "utf-8")
    (source / "_static").mkdir()
    text = "# A\n\n## Tutorial\n\n[b](b.md) [c](c.md) [d](b.md#none) [e](#none)\n\n![f](f.svg)\n"
    (source / "index.md").write_text(text, "utf-8")
    (source / "b.md").write_text("# B\n\n### Too deep\n", "utf-8")
    (source / "orphan.md").write_text("# O\n", "utf-8")
    said = build(source, tmp_path / "html")
    assert sorted(re.findall(r"\[([\w.]+)\]$", said, re.MULTILINE)) == [
        "image.not_readable",
        "myst.header",
        "myst.xref_missing",
        "myst.xref_missing",
        "myst.xref_missing",
        "toc.not_included",
        "toc.not_readable",
    ]


def test_the_index_has_every_page_once(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        INDEX.write_text(with_all(INDEX.read_text("utf-8")), "utf-8")
    listed = [path for path, _ in links(INDEX) if path.endswith(".md")]
    assert sorted(listed) == sorted({*PAGES} - {"index.md"}), "make golden"


def with_all(index: str) -> str:
    """The index without pages that are gone, and with new ones at the end of their sections."""
    lines = [
        line
        for line in index.splitlines()
        if not (found := LINK.search(line)) or (DOCS / found[1]).exists()
    ]
    listed = {path for path, _ in links(INDEX)}
    for name in sorted({*PAGES} - listed - {"index.md"}):
        title = TITLE.findall((DOCS / name).read_text("utf-8"))[0]
        begin = lines.index(f"## {SECTIONS.get(name.partition('/')[0], 'Tutorial')}")
        ends = (at for at in range(begin + 1, len(lines)) if lines[at].startswith("## "))
        end = next(ends, len(lines) + 1) - 1
        gap = [] if lines[end - 1].startswith("- ") else [""]
        lines[end:end] = [*gap, f"- [{title}]({name})"]
    return "\n".join(lines) + "\n"


def test_what_people_come_for_is_there() -> None:
    assert [name for name in WANTED if name not in PAGES] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_plain_markdown(name: str) -> None:
    """GitHub shows it too, and knows nothing of Sphinx's directives and roles."""
    text = (DOCS / name).read_text("utf-8")
    assert not re.search(r"^\s*(`{3,}|:{3,}) *\{|\{[\w-]+\}`", text, re.MULTILINE)
    assert TITLE.search(text)
