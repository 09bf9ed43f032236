"""Plans for the nginx target, built by hand."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from prodgen.plan.core.model import Address, Certificate, Manager, Plan, Proxy, ServerName, Site
from prodgen.plan.core.options import NginxOptions
from prodgen.provenance import Sourced, default
from prodgen.targets.nginx.render import render_nginx

MEGABYTE = 1024**2
INSTALLED = os.environ.get("PRODGEN_NGINX_VERSION", "1.22.1")
"""The version of the nginx on PATH: Debian 12's unless another is put there for the live tests."""
WEB = Address("127.0.0.1", 8000)
REALTIME = Address("127.0.0.1", 9000)


def given(value: Any) -> Sourced[Any]:
    """A value whose origin does not matter."""
    return default(value, "a test says so")


def site(
    folder: str,
    *names: str,
    port: int = 80,
    body: int = 51 * MEGABYTE,
    certificate: tuple[str, str] | None = None,
    certificates: Mapping[str, tuple[str, str] | None] | None = None,
) -> Site:
    """A site; without names it has its folder's. `certificates` are those of single names."""
    own: dict[str, tuple[str, str] | None]
    own = {} if certificates and not names else dict.fromkeys(names or (folder,), certificate)
    own.update(certificates or {})
    return Site(
        folder=given(folder),
        names=tuple(
            ServerName(name=given(name), certificate=given(Certificate(*pair)) if pair else None)
            for name, pair in own.items()
        ),
        port=given(port),
        largest_body=given(body),
    )


def plan(
    *sites: Site,
    bench: str = "/home/frappe/frappe-bench",
    name: str = "frappe-bench",
    web: Address | None = WEB,
    realtime: Address | None = REALTIME,
    versions: Mapping[str, str] | None = None,
    timeout: int = 130,
    **options: Any,
) -> Plan:
    """A plan for nginx; `options` are those of NginxOptions."""
    known = {"nginx": INSTALLED} if versions is None else versions
    proxy = None
    if web is not None:
        proxy = Proxy(
            web=given(web),
            realtime=given(realtime) if realtime else None,
            read_timeout=given(timeout),
        )
    return Plan(
        bench_name=given(name),
        bench=given(PurePosixPath(bench)),
        user=given("frappe"),
        home=given(PurePosixPath("/home/frappe")),
        manager=given(Manager.SUPERVISOR),
        log_folder=given(PurePosixPath("/var/log", name)),
        config_folder=given(PurePosixPath("/etc/prodgen", name)),
        services=(),
        sites=sites,
        proxy=proxy,
        left_out=(),
        versions={key: given(value) for key, value in known.items()},
        nginx=NginxOptions()._replace(**{key: given(value) for key, value in options.items()}),
    )


def codes(found: Plan) -> list[str]:
    """The codes of what the target has to say about a plan."""
    return sorted(one.code for one in render_nginx(found)[1])


def conf(found: Plan) -> str:
    """The text of the bench's file."""
    artifacts, findings = render_nginx(found)
    assert artifacts, findings
    return artifacts[0].text


def texts(found: Plan) -> Sequence[str]:
    """The texts of all artifacts."""
    return [one.text for one in render_nginx(found)[0]]
