"""A review as data, for programs (`prodgen schema diff`)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from prodgen.review.changes.change_set import Review, Setting, Step
from prodgen.review.changes.change_source import ChangeSource
from prodgen.review.core.diff import unified
from prodgen.review.core.file_sets import FileChange
from prodgen.review.core.redact import Masking
from prodgen.review.impact.reasons import Explanation
from prodgen.review.report import labels as words
from prodgen.review.report.layout import ReviewLayout

FORMAT_VERSION = 1
Json = dict[str, object]


def report(review: Review, layout: ReviewLayout) -> str:
    """One JSON object."""
    return json.dumps(as_data(review, layout.mask), indent=2, ensure_ascii=False) + "\n"


def as_data(review: Review, mask: Masking) -> Json:
    """The files with their diffs, the steps, and the drift."""
    return {
        "format_version": FORMAT_VERSION,
        "changed": bool(review.changes),
        "summary": words.summary(review),
        "files": [_file(one, mask) for one in review.changes],
        "steps": [_step(one) for one in review.steps],
        "source": _source(review.source),
        "drift": [{"path": str(one.path), "what": one.what} for one in review.drift],
    }


def _source(source: ChangeSource | None) -> Json | None:
    if source is None:
        return None
    return {
        "prodgen": {"old": source.old, "new": source.new},
        "templates": list(source.templates),
        "files": list(source.files),
        "values": [one._asdict() for one in source.values],
    }


def _file(one: FileChange, mask: Masking) -> Json:
    return {
        "path": str(one.path),
        "target": one.target,
        "fate": one.kind.value,
        "diff": "".join(f"{line}\n" for line in unified([one], mask)),
    }


def _step(one: Step) -> Json:
    return {
        "target": one.target,
        "action": one.action.value,
        "subjects": list(one.subjects),
        "seconds": one.seconds,
        "because": one.because,
        "why": _why(one.why),
        "settings": [_setting(setting) for setting in one.settings],
    }


def _setting(one: Setting) -> Json:
    return {"key": one.key, "old": one.old, "new": one.new, "why": _why(one.why)}


def _why(why: Explanation | None) -> Mapping[str, str] | None:
    return {"text": why.text, "place": why.place} if why else None
