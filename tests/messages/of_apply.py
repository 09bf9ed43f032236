"""The words of what `apply` refuses."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path, PurePosixPath
from unittest.mock import patch

from prodgen.app.reports.text import show_diagnostics
from prodgen.deploy.apply import config_test, permissions, ports, preflight
from prodgen.deploy.apply.apply import not_left_so
from prodgen.deploy.privilege import path_bars
from prodgen.deploy.system import procfs
from prodgen.diagnostics import Diagnostic
from prodgen.host.run_as import NOBODY, identity_of
from prodgen.inputs.core.source import Source
from prodgen.plan.core.model import Plan
from prodgen.review.changes.drift import EDITED, FOREIGN, Drift
from prodgen.targets.core.artifacts import Artifact
from tests.messages.direct import Direct, said
from tests.support.plans import bench_files, make_plan
from tests.support.reviewed import PROCFILE, edited, plan_with, side

FILE = PurePosixPath("/etc/supervisor/conf.d/frappe-bench.conf")
PAIR = {"ssl_certificate": "/home/frappe/chain.pem", "ssl_certificate_key": "/etc/ssl/key.pem"}


def _drift(kind: str) -> Callable[[], None]:
    return lambda: show_diagnostics([not_left_so(Drift(FILE, kind))], color=False)


def settled(
    text: str, common: Mapping[str, object] | None = None, site: Mapping[str, object] | None = None
) -> Plan:
    """The plan of a small bench with this prodgen.yaml."""
    files = bench_files(PROCFILE, common or {}, sites={"one.test": site or {}})
    return make_plan(files._replace(settings=Source("prodgen.yaml", f"version: 1\n{text}\n")))


def _namesake() -> None:
    change = preflight.Change(plan_with(), [], [], {}, {}, is_planned=True)
    with patch.object(preflight, "namesakes", lambda *_: [Path("/home/shop/frappe-bench")]):
        said("PG832", preflight._namesakes(change))


def _dropped(code: str, broken: Sequence[str]) -> Callable[[], None]:
    def say() -> None:
        plan = plan_with()
        old = side(plan, "supervisor")
        new = edited(old, "frappe-bench.conf", "one.example", "two.example")
        change = preflight.Change(plan, [], [], old, new, is_planned=True, broken_sites=broken)
        said(code, preflight._dropped(change))

    return say


def _port() -> None:
    with (
        patch.object(ports, "_reason", lambda _: "address already in use"),
        patch.object(ports, "_is_own", lambda *_: False),
        patch.object(ports, "_holders", lambda _: [4711]),
        patch.object(procfs, "words", lambda _: ["python3", "-m", "http.server"]),
    ):
        said("PG835", list(ports.clashes(plan_with(), {}, {}))[:1])


def _breach(code: str, plan: Callable[[], Plan], *paths: str) -> Callable[[], None]:
    def say() -> None:
        made = [Artifact(PurePosixPath("x"), "", PurePosixPath(one), "systemd") for one in paths]
        with (
            patch.object(os, "geteuid", lambda: 0),
            patch.object(Path, "exists", lambda _: True),
            patch.object(permissions, "path_breaches", lambda _: ()),
        ):
            said(code, list(permissions.breaches(plan(), made, {})))

    return say


def _path(code: str, plan: Callable[[], Plan], *targets: str) -> Callable[[], None]:
    check: Mapping[str, Callable[[path_bars.Change], Iterable[Diagnostic]]] = {
        "PG839": path_bars._logs,
        "PG840": path_bars._access_log,
        "PG841": path_bars._certificates,
        "PG842": path_bars._web_socket,
        "PG843": path_bars._realtime_folder,
        "PG844": path_bars._env_file,
    }

    def say() -> None:
        with patch.object(path_bars, "_danger_to", lambda *_: "frappe can change /home/frappe"):
            found = list(check[code](path_bars.Change(plan(), targets, {})))
        said(code, found[:1])

    return say


def _hidden() -> None:
    def closed(path: str) -> None:
        raise PermissionError(path)

    plan = settled("manager: systemd\nsystemd: {read_write_paths: [/root/data]}")
    who = identity_of(NOBODY)._replace(name="frappe")
    with (
        patch.object(path_bars, "identity_named", lambda _: who),
        patch.object(path_bars, "acting_as", lambda _: nullcontext()),
        patch.object(os, "stat", closed),
    ):
        said("PG845", list(path_bars._shown(path_bars.Change(plan, ("systemd",), {}))))


def _not_taken() -> None:
    words = 'nginx: [emerg] unknown directive "gzipp" in /etc/nginx/conf.d/frappe-bench.conf:3'
    show_diagnostics([config_test.not_taken("nginx", words)], color=False)


IN_ETC = "a refusal needs files of prodgen in /etc"
BY_ROOT = "only root is told"
DIRECT: Mapping[str, Direct] = {
    "PG830": Direct(IN_ETC, _drift(EDITED)),
    "PG831": Direct(IN_ETC, _drift(FOREIGN)),
    "PG832": Direct(IN_ETC, _namesake),
    "PG833": Direct(IN_ETC, _dropped("PG833", ["one.example"])),
    "PG834": Direct(IN_ETC, _dropped("PG834", [])),
    "PG835": Direct("who listens depends on the machine", _port),
    "PG836": Direct(
        BY_ROOT,
        _breach("PG836", lambda: settled("manager: systemd\nsystemd: {scope: user}")),
    ),
    "PG837": Direct(BY_ROOT, _breach("PG837", plan_with, "/etc/cron.d/frappe-bench")),
    "PG838": Direct(
        BY_ROOT, _breach("PG838", plan_with, "/etc/systemd/system/frappe-bench-web.service")
    ),
    "PG839": Direct(BY_ROOT, _path("PG839", lambda: settled("logging: {folder: /srv/logs}"))),
    "PG840": Direct(
        BY_ROOT,
        _path("PG840", lambda: settled("nginx: {access_log: /root/x.log}"), "nginx"),
    ),
    "PG841": Direct(BY_ROOT, _path("PG841", lambda: settled("", site=PAIR), "nginx")),
    "PG842": Direct(BY_ROOT, _path("PG842", lambda: settled("web: {bind: 'unix:/srv/w.sock'}"))),
    "PG843": Direct(
        BY_ROOT,
        _path("PG843", lambda: settled("", {"socketio_uds": "/run/dbus/rt.sock"}), "systemd"),
    ),
    "PG844": Direct(
        BY_ROOT,
        _path(
            "PG844",
            lambda: settled("manager: systemd\nenv_file: /etc/frappe/secrets.env"),
            "systemd",
        ),
    ),
    "PG845": Direct(BY_ROOT, _hidden),
    "PG846": Direct("only root's nginx tries a file", _not_taken),
}
