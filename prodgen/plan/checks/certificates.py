"""What becomes of names whose certificate nginx cannot load."""

from __future__ import annotations

from collections.abc import Mapping

from prodgen.diagnostics import Diagnostic, note, warning
from prodgen.plan.core.model import Plan, ServerName


def pairs_of(plan: Plan) -> list[tuple[str, str]]:
    """The paths of chain and key of every certificate, each pair once."""
    given = (name.certificate for site in plan.sites for name in site.names)
    return list(dict.fromkeys((one.value.chain, one.value.key) for one in given if one))


def leave_out(plan: Plan, faults: Mapping[tuple[str, str], str]) -> tuple[Plan, list[Diagnostic]]:
    """The plan without the names whose certificate has a fault, and a warning for each.

    One bad certificate keeps nginx from starting, with every site of the host. Plain HTTP in place
    of HTTPS would send passwords in the clear.
    """
    findings: list[Diagnostic] = []
    sites = []
    for site in plan.sites:
        names = []
        for name in site.names:
            fault = _fault(name, faults)
            if fault:
                findings.append(_left_out(name, fault))
            else:
                names.append(name)
        if names:
            sites.append(site._replace(names=tuple(names)))
    return plan._replace(sites=tuple(sites)), findings


def _fault(name: ServerName, faults: Mapping[tuple[str, str], str]) -> str:
    given = name.certificate
    return faults.get((given.value.chain, given.value.key), "") if given else ""


def _left_out(name: ServerName, fault: str) -> Diagnostic:
    because = name.certificate.origin.because if name.certificate else ()
    return warning(
        "PG644",
        f"{name.name.value} is left out of nginx: {fault}",
        because[0].location if because else None,
        "put chain and key in place, or take them out of the site's config",
    )


def unchecked(plan: Plan) -> list[Diagnostic]:
    """A note where the certificates of another machine could not be looked at."""
    count = len(pairs_of(plan))
    if not count:
        return []
    return [
        note(
            "PG645",
            f"{count} certificate{'s' * (count > 1)} not looked at: they are the host's",
            None,
            "there, `prodgen doctor` looks at them",
        )
    ]
