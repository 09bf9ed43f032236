"""Whether certificates are still renewed: who answers the challenges of the authority."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from prodgen.review.adopt.core.model import AdoptedSetting, Adoption, Disposition
from prodgen.review.adopt.nginx.clash import clashing
from prodgen.review.adopt.nginx.directives import Ours, argument, leaves
from prodgen.review.adopt.nginx.entry import entry
from prodgen.targets.nginx.parse import Directive

CHALLENGE = "/.well-known/acme-challenge"
"""Where an authority asks for what proves that a name is ours (RFC 8555, 8.3)."""


def challenge_root(location: Directive) -> str:
    """Where the files of ACME's challenges lie, if it is a location that serves them."""
    if location.words[0] != "location" or location.words[-1].rstrip("/") != CHALLENGE:
        return ""
    return next((argument(one) for one in location.inner or () if one.words[0] == "root"), "")


def adopt_challenge(one: Directive, subject: str, mine: Iterable[Directive]) -> Adoption:
    """A location of challenges; ours has one of its own, before any redirect."""
    folder = challenge_root(one)
    rival = clashing(one, (each for server in mine for each in server.inner or ()))
    if rival and challenge_root(rival) == folder:
        return entry(Disposition.DEFAULT, subject, one, "ours has it")
    return entry(Disposition.OPEN, subject, one, f"prodgen.yaml: nginx: {{acme_webroot: {folder}}}")


def adopt_renewal(text: str, ours: Ours) -> Adoption:
    """What would keep certbot from a renewal, by its file in `/etc/letsencrypt/renewal`.

    Bench's server answers with files of the site's `public` folder at any path, ours does not.
    """
    return Adoption(tuple(_renewals(text, ours)))


def _renewals(text: str, ours: Ours) -> Iterator[AdoptedSetting]:
    said = dict(re.findall(r"(?m)^\s*(\S+)\s*=\s*(.*?),?\s*$", text))
    if said.get("authenticator") != "webroot":
        return
    served = {challenge_root(leaf) for server in ours.whole for leaf in leaves(server)} - {""}
    for name in sorted(said.keys() & ours.sites.keys()):  # of its section [[webroot_map]]
        folder = said[name].rstrip("/")
        if folder not in served:
            way_out = f"prodgen.yaml: nginx: {{acme_webroot: {folder}}}"
            if served:
                way_out += f", or {min(served)} in that file"
            yield AdoptedSetting(
                Disposition.OPEN, "nginx", "certbot's renewal", f"{name} = {folder}", way_out
            )
