"""What a change of nginx's files does: the whole of nginx reloads, which no request notices."""

from __future__ import annotations

from collections.abc import Iterator

from prodgen.plan.core.model import Plan
from prodgen.provenance import Origin, Sourced
from prodgen.targets.core.effects import (
    Action,
    Effect,
    StartupFiles,
    TargetEffects,
    reasons_of,
)
from prodgen.targets.core.file_set import FileSet
from prodgen.targets.core.meaning import merged
from prodgen.targets.nginx.parse import nginx_blocks

SITE = {"client_max_body_size": "largest_body", "listen": "port", "server_name": "", "": ""}
"""Which field of a site a setting is made of; empty is its name."""
RATES = ("login_rate", "api_rate")
OPTIONS = {
    "access_log": ("access_log",),
    "log_format": ("json_logs",),
    "gzip_static": ("gzip_static",),
    "set_real_ip_from": ("trusted_proxies",),
    "ssl_protocols": ("tls",),
    "ssl_ciphers": ("tls",),
    "limit_req": RATES,
    "limit_req_status": RATES,
    "limit_req_zone": RATES,
}
"""Which settings below `nginx:` one is made of."""
PROXY = ("proxy_read_timeout", "proxy_send_timeout")


def nginx_effects(old: FileSet, new: FileSet, _read: StartupFiles) -> Iterator[Effect]:
    """Each block of nginx that differs."""
    before, after = (merged(side, "nginx", nginx_blocks) for side in (old, new))
    for name in dict.fromkeys([*before, *after]):
        reasons = reasons_of(before.get(name, {}), after.get(name, {}))
        if reasons:
            words = "new" if name not in before else "gone" if name not in after else ""
            given = () if words else reasons
            yield Effect("nginx", name, Action.RELOAD, given, words, program=name)


def _origins(plan: Plan, effect: Effect, way: str) -> list[Origin]:
    words, key = effect.subject.split(), way.rpartition(" > ")[2]
    if plan.proxy and key in PROXY:
        return [plan.proxy.read_timeout.origin]
    if key in OPTIONS:
        return [getattr(plan.nginx, one).origin for one in OPTIONS[key]]
    for site in plan.sites if key in SITE else ():
        for name in site.names:
            if name.name.value in words:
                value = getattr(site, SITE[key]) if SITE[key] else name.name
                return [value.origin] if isinstance(value, Sourced) else []
    return []


EFFECTS = TargetEffects(parse=nginx_blocks, effects=nginx_effects, origins=_origins)
