"""What the nginx target has to say about a plan before it writes."""

from __future__ import annotations

import ipaddress

from prodgen.diagnostics import Diagnostic, error, note, warning
from prodgen.plan.core.model import Plan
from prodgen.provenance import Sourced

MANY_NAMES = 80
"""About so many fit the default hash (server_names_hash_max_size 512) without a warning."""
CHOICES = {
    "tls": ("intermediate", "modern"),
    "hsts": ("off", "max-age", "subdomains", "preload"),
    "certificates": ("servers", "map"),
}
LOG_OFF = ("access_log", "off")


def no_web() -> Diagnostic:
    """The warning for a bench without a web process; its workers may have a host of their own."""
    return warning(
        "PG720",
        "no nginx config is made: no process of the Procfile is a web server that prodgen knows",
        None,
        "add `web: bench serve --port 8000` to the Procfile, unless another machine serves the web",
    )


def bad_choices(plan: Plan) -> list[Diagnostic]:
    """An error for each option that means nothing to nginx."""
    options = plan.nginx
    chosen: dict[str, Sourced[str]] = {
        "tls": options.tls,
        "hsts": options.hsts,
        "certificates": options.certificates,
    }
    findings = [
        _meaningless(name, given, f"expected one of {', '.join(CHOICES[name])}")
        for name, given in chosen.items()
        if given.value not in CHOICES[name]
    ]
    proxies = options.trusted_proxies
    findings += [
        _meaningless(
            "trusted_proxies",
            Sourced(network, proxies.origin),
            "expected networks like 10.0.0.0/8 or 2001:db8::7",
        )
        for network in proxies.value
        if not _is_network(network)
    ]
    numbers = {
        "login_rate": options.login_rate,
        "api_rate": options.api_rate,
        "hsts_max_age": options.hsts_max_age,
    }
    findings += [
        _meaningless(name, number, "expected 0 or more")
        for name, number in numbers.items()
        if number.value < 0
    ]
    paths = {"acme_webroot": options.acme_webroot, "access_log": options.access_log}
    findings += [
        _meaningless(name, path, "expected an absolute path without `..`")
        for name, path in paths.items()
        if path.value and not _is_absolute(path.value) and (name, path.value) != LOG_OFF
    ]
    return findings


def _meaningless(name: str, given: Sourced[object], expected: str) -> Diagnostic:
    return error("PG727", f"nginx.{name} is `{given.value}`", given.location, expected)


def _is_absolute(path: str) -> bool:
    return path.startswith("/") and not {".", ".."} & set(path.split("/"))


def _is_network(given: str) -> bool:
    try:
        ipaddress.ip_network(given)
    except ValueError:
        return False
    return True


def remarks(plan: Plan) -> list[Diagnostic]:
    """What is worth knowing about a file that is right."""
    if not plan.sites:
        message = "there is no site to serve yet, so nginx has no server for this bench"
        return [note("PG721", message, None, "render it again when there is one")]
    findings: list[Diagnostic] = []
    names = sum(len(site.names) for site in plan.sites)
    if names > MANY_NAMES and not plan.nginx.default_server.value:
        findings.append(
            note(
                "PG723",
                f"{names} names: nginx's default hashes warn of so many, and grow slow",
                None,
                "set nginx.default_server for the host's own file, or put into nginx.conf "
                f"`server_names_hash_max_size {_hash_size(names)};` and the same of "
                "`map_hash_max_size`",
            )
        )
    if plan.nginx.certificates.value == "map":
        findings.append(
            note(
                "PG728",
                "nginx's workers read certificates and keys at each handshake",
                plan.nginx.certificates.location,
                "let their user read the keys: `setfacl -m u:www-data:r` on each; with mode 0600 "
                "of root every handshake fails",
            )
        )
    return findings


def _hash_size(names: int) -> int:
    """The power of two that is at least twice as many."""
    return 1 << (2 * names - 1).bit_length()
