"""From the inputs and the facts to one plan of what should run."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from prodgen.diagnostics import Diagnostic, error, has_errors, note, warning
from prodgen.host.facts import HostFacts
from prodgen.inputs.bench import Bench
from prodgen.inputs.values import Values
from prodgen.plan import rules
from prodgen.plan.choices import options_from, resources_from
from prodgen.plan.desk import Desk, Premises
from prodgen.plan.leftout import unused
from prodgen.plan.lines import Line, Task, understand
from prodgen.plan.model import Manager, Plan, Proxy, Service
from prodgen.plan.options import NginxOptions, SupervisorOptions, SystemdOptions
from prodgen.plan.other import plan_other
from prodgen.plan.processes import entries, excluded
from prodgen.plan.realtime import find_node, plan_realtime, plan_scheduler
from prodgen.plan.redis import plan_redis
from prodgen.plan.sites import plan_sites
from prodgen.plan.web import http_timeout, plan_web
from prodgen.plan.workerpool import plan_worker_pools
from prodgen.plan.workers import plan_workers
from prodgen.provenance import Kind, Sourced, default

BENCH_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
STRANGE = re.compile(r"[^A-Za-z0-9._-]+")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, or None where an error stands in the way, and the facts that went into it."""

    plan: Plan | None
    used_facts: dict[str, Sourced[object]]


def build_plan(
    bench: Bench, facts: HostFacts, *, locked: bool = False
) -> tuple[Planned, list[Diagnostic]]:
    """The plan for the bench on the host of these facts.

    With `locked`, a fact that is needed and unknown is an error rather than a default.
    """
    desk = Desk(bench, facts, locked)
    lines = [understand(entry) for entry in entries(desk)]
    _mention_frappe_version(desk, lines)
    _mention_dotenv(desk)
    node = find_node(desk, lines)
    premises = _premises(desk, node)
    web = plan_web(desk, premises, lines)
    realtime = plan_realtime(desk, premises, lines, node)
    scheduler = plan_scheduler(desk, premises, lines)
    services = [
        *plan_redis(desk, premises),
        *([web.service] if web else []),
        *([realtime.service] if realtime else []),
        *([scheduler] if scheduler else []),
        *plan_workers(desk, premises, lines),
        *plan_worker_pools(desk, premises, lines),
        *(plan_other(desk, premises, line) for line in lines if line.task is Task.OTHER),
    ]
    _refuse_shared_names(desk, services)
    _refuse_shared_ports(desk)
    proxy = None
    if web:
        timeout = http_timeout(desk)
        proxy = Proxy(
            web=web.address,
            realtime=realtime.address if realtime else None,
            read_timeout=timeout.derive(
                timeout.value + rules.PROXY_MARGIN, "longer than Gunicorn's own time-out"
            ),
        )
    plan = Plan(
        bench_name=premises.name,
        bench=premises.path,
        user=premises.user,
        home=premises.home,
        manager=_manager(bench),
        log_folder=_log_folder(desk, premises),
        config_folder=premises.config_folder,
        services=_with_known_order(services),
        sites=plan_sites(desk),
        proxy=proxy,
        left_out=(
            *excluded(desk),
            *unused(desk, lines, services),
        ),
        versions=_versions(desk),
        nginx=_nginx_options(desk),
        systemd=_systemd_options(bench.settings),
        supervisor=options_from(bench.settings, "supervisor", SupervisorOptions),
    )
    made = None if has_errors(desk.findings) else plan
    return Planned(made, desk.used), desk.findings


def _nginx_options(desk: Desk) -> NginxOptions:
    """The chosen options; files compressed beforehand are sent where nginx is known to be able."""
    options = options_from(desk.bench.settings, "nginx", NginxOptions)
    modules = desk.facts.nginx_modules
    if options.gzip_static.origin.kind is Kind.DEFAULT and modules:
        has_it = "http_gzip_static_module" in modules.value
        return replace(options, gzip_static=modules.derive(has_it, "whether nginx can send them"))
    return options


def _systemd_options(settings: Values) -> SystemdOptions:
    """The chosen options, with where logs go and the limits by role."""
    options = options_from(settings, "systemd", SystemdOptions)
    mode = settings.text("logging", "mode")
    return replace(options, logs=mode or options.logs, resources=resources_from(settings))


def _log_folder(desk: Desk, premises: Premises) -> Sourced[PurePosixPath]:
    given = desk.bench.settings.text("logging", "folder")
    if given:
        return Sourced(PurePosixPath(given.value), given.origin)
    return premises.name.derive(
        PurePosixPath("/var/log", premises.name.value), "root's processes open files there"
    )


def _premises(desk: Desk, node: Sourced[PurePosixPath] | None) -> Premises:
    path = desk.fact("path", default(PurePosixPath("/home/frappe/frappe-bench"), "bench's own"))
    user = _user(desk)
    home = desk.fact("home", default(PurePosixPath("/home", user.value), "the usual place"))
    folders = [str(path.value / "env/bin")]
    if node and str(node.value.parent) not in SYSTEM_PATH.split(":"):
        folders.append(str(node.value.parent))
    search_path = path.derive(
        ":".join([*folders, SYSTEM_PATH]), "the bench's env, node, and the system's programs"
    )
    return Premises(_name(desk, path), path, user, home, search_path, _variables(desk))


def _variables(desk: Desk) -> Sourced[tuple[tuple[str, str], ...]]:
    given = desk.bench.settings.table("env")
    if not given:
        return default((), "prodgen.yaml has no `env`")
    pairs = tuple(sorted((name, str(value)) for name, value in given.items()))
    return desk.bench.settings.sourced(pairs, "env")


def _user(desk: Desk) -> Sourced[str]:
    given = desk.bench.settings.text("user") or desk.bench.common.text("frappe_user")
    user = given or desk.fact("owner", default("frappe", "bench's own"))
    if user.value == "root":
        advice = (
            "set frappe_user in sites/common_site_config.json to the user who owns the bench"
            if given
            else "give the bench to an ordinary user, or set frappe_user in "
            "sites/common_site_config.json"
        )
        desk.report(error("PG502", "the bench would run as root", user.location, advice))
    return user


def _name(desk: Desk, path: Sourced[PurePosixPath]) -> Sourced[str]:
    given = desk.bench.settings.text("bench_name")
    if given:
        return given
    base = path.value.name
    if BENCH_NAME.fullmatch(base):
        return path.derive(base, "the name of the bench folder")
    name = STRANGE.sub("-", base).strip("-._")[:64]
    if not name:
        desk.report(
            error(
                "PG503",
                f"no name for services can be made of the folder `{base}`",
                None,
                "set bench_name in prodgen.yaml",
            )
        )
        return default("bench", "no better one")
    desk.report(note("PG504", f"the services of the folder `{base}` are called {name}-…"))
    return path.derive(name, "the name of the bench folder, without what names cannot have")


def _manager(bench: Bench) -> Sourced[Manager]:
    chosen = bench.settings.text("manager")
    if chosen:
        return Sourced(Manager(chosen.value), chosen.origin)
    flag = bench.common.flag("restart_systemd_on_update")
    if flag and flag.value:
        return flag.derive(Manager.SYSTEMD, "restart_systemd_on_update is set")
    return default(Manager.SUPERVISOR, "bench's own default")


def _mention_dotenv(desk: Desk) -> None:
    """Honcho hands `.env` to every process; here nothing does, since its values may be secret."""
    if not desk.bench.dotenv:
        return
    names = ", ".join(sorted({variable.name for variable in desk.bench.dotenv}))
    desk.report(
        warning(
            "PG608",
            f".env is for development: in production no process gets {names}",
            desk.bench.dotenv[0].location,
            "put what is no secret under `env:` in prodgen.yaml",
        )
    )


def _mention_frappe_version(desk: Desk, lines: list[Line]) -> None:
    if all(line.task in (Task.OTHER, Task.DEVELOPMENT) for line in lines):
        return
    version = desk.frappe_version
    if version is None:
        desk.report(
            warning(
                "PG505",
                "the version of Frappe is unknown (no apps/frappe here): one pool a queue, "
                "realtime on port 9000",
                None,
                "run prodgen on the bench itself, or declare `host: {frappe: …}` in prodgen.yaml",
            )
        )
    elif not rules.OLDEST_KNOWN <= desk.frappe < rules.NEWEST_KNOWN:
        desk.report(
            warning(
                "PG506",
                f"Frappe {version.value} has not been tried with prodgen",
                version.location,
                "13 to 17 have; look at the output with care",
            )
        )


def _with_known_order(services: list[Service]) -> tuple[Service, ...]:
    """The services, each waiting only for those that are there."""
    names = {service.name.value for service in services}
    return tuple(
        replace(
            service,
            after=Sourced(
                tuple(name for name in service.after.value if name in names), service.after.origin
            ),
        )
        for service in services
    )


def _refuse_shared_names(desk: Desk, services: list[Service]) -> None:
    seen: dict[str, Service] = {}
    for service in services:
        key = service.name.value.lower().replace("_", "-")
        other = seen.setdefault(key, service)
        if other is not service:
            place = service.argv.location
            desk.report(
                error(
                    "PG651",
                    f"two processes would be called {service.name.value}",
                    place,
                    "rename one of them in the Procfile",
                )
            )


def _refuse_shared_ports(desk: Desk) -> None:
    common = desk.bench.common
    web, realtime = common.integer("webserver_port"), common.integer("socketio_port")
    if web and realtime and web.value == realtime.value and realtime.location and web.location:
        desk.report(
            error(
                "PG606",
                f"webserver_port and socketio_port are both {web.value}",
                realtime.location,
                "give each its own",
                (("webserver_port", web.location),),
            )
        )


def _versions(desk: Desk) -> dict[str, Sourced[str]]:
    known = {
        "frappe": desk.frappe_version,
        "gunicorn": desk.facts.gunicorn,
        "nginx": desk.facts.nginx,
        "openssl": desk.facts.openssl,
        "systemd": desk.facts.systemd,
    }
    return {name: version for name, version in known.items() if version}
