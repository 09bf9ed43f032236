"""Why a setting of an artifact is as it is: the value of the plan behind it, and its place."""

from __future__ import annotations

from typing import NamedTuple

from prodgen.plan.core.model import Plan, Service
from prodgen.provenance import Origin, Sourced
from prodgen.review.core.source_lines import place_of
from prodgen.review.impact.model import Effect
from prodgen.targets.supervisor.groups import own_program_name
from prodgen.targets.systemd.units import unit_file

FIELDS = {
    "command": "argv",
    "numprocs": "instances",
    "process_name": "instances",
    "directory": "directory",
    "user": "user",
    "environment": "environment",
    "stopwaitsecs": "stop",
    "stopsignal": "stop",
    "socket": "listen",
    "stdout_logfile": "log",
    "stderr_logfile": "log",
    "Service.ExecStart": "argv",
    "Service.WorkingDirectory": "directory",
    "Service.User": "user",
    "Service.Environment": "environment",
    "Service.TimeoutStopSec": "stop",
    "Service.KillSignal": "stop",
}
"""Which field of a service a setting of Supervisor or systemd is made of."""
NGINX = {"client_max_body_size": "largest_body", "listen": "port", "server_name": "", "": ""}
"""Which field of a site a setting of nginx is made of; empty is its name."""
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
GUNICORN = {"preload_app": "preload"}
"""Settings of Gunicorn that the plan calls otherwise."""


class Why(NamedTuple):
    """The reason in words, and where it stands; no place for a default."""

    text: str
    place: str


class Reasons:
    """Answers for one plan; without a plan (an archive has none) nothing is known."""

    def __init__(self, plan: Plan | None) -> None:
        self.plan = plan

    def of(self, effect: Effect, key: str = "") -> Why | None:
        """Why the setting `key` of what the effect is about has its value, if that is known.

        Without a key: why there are as many of it as there are.
        """
        origin = self._origin(effect, key)
        return Why(origin.text, str(place_of(origin) or "")) if origin else None

    def _origin(self, effect: Effect, key: str) -> Origin | None:
        if effect.target == "nginx":
            return self._nginx(effect.subject, key.rpartition(" > ")[2])
        service = self.service(effect)
        if service is None:
            return None
        owner: object = service
        name = FIELDS.get(key) or ("" if key else "instances")
        if not name and service.gunicorn:
            owner, name = service.gunicorn, GUNICORN.get(key, key)
        value = getattr(owner, name, None) if name else None
        return value.origin if isinstance(value, Sourced) else None

    def service(self, effect: Effect) -> Service | None:
        if self.plan is None:
            return None
        section = effect.program.partition(":")[2]
        for service in self.plan.services:
            mine = own_program_name(self.plan, service) if section else unit_file(service)
            if mine == (section or effect.program):
                return service
        return None

    def _nginx(self, block: str, key: str) -> Origin | None:
        words = block.split()
        if self.plan and self.plan.proxy and key in PROXY:
            return self.plan.proxy.read_timeout.origin
        if self.plan and key in OPTIONS:
            found = [getattr(self.plan.nginx, one).origin for one in OPTIONS[key]]
            said = [one for one in found if place_of(one)]
            return said[0] if len(said) == 1 else found[0] if len(found) == 1 else None
        for site in self.plan.sites if self.plan and key in NGINX else ():
            for name in site.names:
                if name.name.value in words:
                    value = getattr(site, NGINX[key]) if NGINX[key] else name.name
                    return value.origin if isinstance(value, Sourced) else None
        return None
