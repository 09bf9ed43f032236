"""An adoption as data, for programs (`prodgen schema adopt`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from prodgen.review.adopt.core.model import AdoptedSetting, Adoption, Disposition, joined
from prodgen.review.changes.change_set import Review
from prodgen.review.core.redact import Masking
from prodgen.review.report.json import as_data as review_as_data
from prodgen.targets.core.artifacts import Artifact

FORMAT_VERSION = 1
Json = dict[str, object]
NAMES = {
    Disposition.OURS: "same",
    Disposition.DEFAULT: "replaced",
    Disposition.MOVED: "kept",
    Disposition.OPEN: "open",
}


class AdoptionReport(NamedTuple):
    """An adoption, and what it would do."""

    bench: str
    found: Mapping[str, Adoption]
    """The settings of each file."""
    gone: Iterable[str]
    """The files that ours take the place of; the others stay."""
    own: Iterable[Artifact]
    review: Review


def as_data(shown: AdoptionReport, mask: Masking) -> Json:
    """Every setting with what becomes of it, the files that keep some, and the impact."""
    whole = joined(shown.found.values())
    review = review_as_data(shown.review, mask)
    gone = set(shown.gone)
    return {
        "format_version": FORMAT_VERSION,
        "bench": shown.bench,
        "summary": review["summary"],
        "counts": {
            NAMES[disposition]: sum(one.settings for one in whole.of(disposition))
            for disposition in Disposition
        },
        "files": [
            {
                "path": path,
                "fate": "replaced" if path in gone else "stays",
                "settings": [_setting(one, mask) for one in adoption.entries],
            }
            for path, adoption in shown.found.items()
        ],
        "own": [
            {"path": str(one.destination), "target": one.target, "text": mask(one.text)}
            for one in shown.own
        ],
        "steps": review["steps"],
    }


def _count(settings: Iterable[AdoptedSetting]) -> int:
    return sum(one.settings for one in settings)


def _setting(one: AdoptedSetting, mask: Masking) -> Json:
    return {
        "lot": NAMES[one.disposition],
        "target": one.target,
        "subject": one.subject,
        "text": mask(one.text),
        "note": mask(one.note),
        "count": one.settings,
    }
