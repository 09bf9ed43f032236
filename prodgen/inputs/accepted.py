"""`ignore` in prodgen.yaml: the warnings and notes that somebody accepts, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from prodgen.diagnostics import Diagnostic, Location, Severity, error, note
from prodgen.inputs.core.document import Document
from prodgen.inputs.core.suggest import nearest
from prodgen.inputs.core.values import Values

KEY = "ignore"
OF_HOSTS = "PG9"
"""Begins the codes of what `doctor` finds, which no other command draws."""


class Accepted(NamedTuple):
    """An accepted code, the reason, and where it is listed."""

    code: str
    because: str
    place: Location


def accepted_in(settings: Values) -> list[Accepted]:
    """The entries of `ignore`, in their order."""
    return list(_entries(settings.document)) if settings.document else []


def _entries(document: Document) -> Iterator[Accepted]:
    listed = cast("dict[str, list[dict[str, str]]]", document.data).get(KEY) or []
    for number, one in enumerate(listed):
        place = document.locate_value((KEY, number, "code"))
        yield Accepted(one["code"], one["because"], place)


def faults_of(document: Document) -> Iterator[Diagnostic]:
    """An error for each entry whose code is unknown or only ever an error."""
    from prodgen.codes import CODES  # few benches accept anything

    for one in _entries(document):
        if one.code not in CODES:
            near = nearest(one.code, CODES)
            way_out = f"did you mean `{near}`? " if near else ""
            yield error(
                "PG430",
                f"no diagnostic has the code {one.code}",
                one.place,
                f"{way_out}`prodgen validate` shows the codes of its warnings",
            )
        elif CODES[one.code].severity == Severity.ERROR.value:
            yield error(
                "PG431",
                f"errors cannot be accepted: {one.code}, {CODES[one.code].title}",
                one.place,
                f"correct its cause: `prodgen explain {one.code}`",
            )


def accept(found: Iterable[Diagnostic], accepted: Iterable[Accepted]) -> list[Diagnostic]:
    """The diagnostics; those that are accepted are notes that say why. An error stays one."""
    reasons = {one.code: one.because for one in accepted}
    return [
        one._replace(severity=Severity.NOTE, accepted=reasons[one.code])
        if one.code in reasons and one.severity is not Severity.ERROR
        else one
        for one in found
    ]


def unmatched(
    accepted: Iterable[Accepted], found: Iterable[Diagnostic], *, of_hosts: bool
) -> list[Diagnostic]:
    """A note for each entry that nothing matches, of those about hosts or of the others."""
    codes = {one.code for one in found}
    return [
        note(
            "PG432",
            f"nothing here has the code {one.code}, which `ignore` accepts",
            one.place,
            "take the entry out of prodgen.yaml",
        )
        for one in accepted
        if one.code not in codes and one.code.startswith(OF_HOSTS) is of_hosts
    ]
